// The controller's config: read, checked as a whole, defaults filled in.
#ifndef SLUICE_PROCESS_CONTROLLER_CONFIG_H_
#define SLUICE_PROCESS_CONTROLLER_CONFIG_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "process/config_file.h"
#include "sluice/config/v1/controller_config.pb.h"

namespace sluice::process {

// What its user has to say about a config that is right so far (trunks and routes, which nobody here can read); its
// errors are those of ConfigFile::Error.
using ControllerCheck = std::function<absl::Status(const ConfigFile& file, const config::v1::ControllerConfig& config)>;

// Errors are those of ConfigFile.
absl::StatusOr<config::v1::ControllerConfig> ReadControllerConfig(const std::string& path,
                                                                  const ControllerCheck& further = nullptr);
absl::StatusOr<config::v1::ControllerConfig> ReadControllerConfigText(absl::string_view text, const std::string& path,
                                                                      const ControllerCheck& further = nullptr);

}  // namespace sluice::process

#endif  // SLUICE_PROCESS_CONTROLLER_CONFIG_H_
