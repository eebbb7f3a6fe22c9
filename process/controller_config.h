// The controller's config: read, checked as a whole, defaults filled in.
#ifndef SLUICE_PROCESS_CONTROLLER_CONFIG_H_
#define SLUICE_PROCESS_CONTROLLER_CONFIG_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "process/config_file.h"
#include "sluice/config/v1/controller_config.pb.h"

namespace sluice::process {

// Errors are those of ConfigFile.
absl::StatusOr<config::v1::ControllerConfig> ReadControllerConfig(const std::string& path);
absl::StatusOr<config::v1::ControllerConfig> ReadControllerConfigText(absl::string_view text, const std::string& path);

}  // namespace sluice::process

#endif  // SLUICE_PROCESS_CONTROLLER_CONFIG_H_
