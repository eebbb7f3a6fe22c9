// The relay's config: read, checked as a whole, defaults filled in. What comes out needs no further checks but those
// that only the machine can answer (does the interface exist, are there hugepages).
#ifndef SLUICE_PROCESS_RELAY_CONFIG_H_
#define SLUICE_PROCESS_RELAY_CONFIG_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "process/config_file.h"
#include "sluice/config/v1/relay_config.pb.h"

namespace sluice::process {

// The greatest datapath.burst_size, and its default.
inline constexpr uint32_t kMaxBurst = 64;

// Errors are those of ConfigFile.
absl::StatusOr<config::v1::RelayConfig> ReadRelayConfig(const std::string& path);
absl::StatusOr<config::v1::RelayConfig> ReadRelayConfigText(absl::string_view text, const std::string& path);

}  // namespace sluice::process

#endif  // SLUICE_PROCESS_RELAY_CONFIG_H_
