// The trunks and routes of the config as a plan, with their passwords. What finds the trunks' names (dns) is checked
// with them.
//
// Threads: any.
#ifndef SLUICE_SIGNALING_SERVICE_ROUTING_CONFIG_H_
#define SLUICE_SIGNALING_SERVICE_ROUTING_CONFIG_H_

#include <memory>

#include "absl/status/statusor.h"
#include "process/config_file.h"
#include "signaling/routing/plan.h"
#include "sluice/config/v1/controller_config.pb.h"

namespace sluice::service {

// Errors are those of ConfigFile::Error: file, line, key, what is wrong and what is allowed. Reads the password files.
absl::StatusOr<std::shared_ptr<const routing::Plan>> ReadPlan(const process::ConfigFile& file,
                                                              const config::v1::ControllerConfig& config);

}  // namespace sluice::service

#endif  // SLUICE_SIGNALING_SERVICE_ROUTING_CONFIG_H_
