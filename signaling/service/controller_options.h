// The controller's config in the words of its parts.
//
// Threads: any; functions of their arguments.
#ifndef SLUICE_SIGNALING_SERVICE_CONTROLLER_OPTIONS_H_
#define SLUICE_SIGNALING_SERVICE_CONTROLLER_OPTIONS_H_

#include <memory>
#include <optional>

#include "signaling/admission/grpc_admission.h"
#include "signaling/agent/agent_options.h"
#include "signaling/agent/shards.h"
#include "signaling/fleet/grpc_fleet.h"
#include "signaling/routing/plan.h"
#include "sluice/config/v1/controller_config.pb.h"

namespace sluice::service {

// `config` as process::ReadControllerConfig gives it: checked, with defaults filled in; `plan`: of its trunks and
// routes (ReadPlan).
agent::ShardsOptions ToShardsOptions(const config::v1::ControllerConfig& config,
                                     std::shared_ptr<const routing::Plan> plan);
// What may change at a reload.
agent::PresentOptions ToPresentOptions(const config::v1::ControllerConfig& config,
                                       std::shared_ptr<const routing::Plan> plan);
// Without `report`. Nothing: nobody is asked whether calls may leave by trunks.
std::optional<admission::GrpcAdmissionOptions> ToAdmissionOptions(const config::v1::ControllerConfig& config);
// `epoch`: the store's.
fleet::FleetOptions ToFleetOptions(const config::v1::ControllerConfig& config, uint64_t epoch);

}  // namespace sluice::service

#endif  // SLUICE_SIGNALING_SERVICE_CONTROLLER_OPTIONS_H_
