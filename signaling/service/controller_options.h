// The controller's config in the words of its parts.
//
// Threads: any; functions of their arguments.
#ifndef SLUICE_SIGNALING_SERVICE_CONTROLLER_OPTIONS_H_
#define SLUICE_SIGNALING_SERVICE_CONTROLLER_OPTIONS_H_

#include <memory>

#include "signaling/agent/shards.h"
#include "signaling/call/call.h"
#include "signaling/fleet/grpc_fleet.h"
#include "sluice/config/v1/controller_config.pb.h"

namespace sluice::service {

// `config` as process::ReadControllerConfig gives it: checked, with defaults filled in.
agent::ShardsOptions ToShardsOptions(const config::v1::ControllerConfig& config);
// What may change at a reload.
std::shared_ptr<const call::CallOptions> ToCallOptions(const config::v1::ControllerConfig& config);
// With an epoch of now.
fleet::FleetOptions ToFleetOptions(const config::v1::ControllerConfig& config);

}  // namespace sluice::service

#endif  // SLUICE_SIGNALING_SERVICE_CONTROLLER_OPTIONS_H_
