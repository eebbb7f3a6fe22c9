// What of the config says where records and messages are exported to: PostgreSQL and HEPv3.
//
// Threads: any; functions of their arguments and of the files that they name.
#ifndef SLUICE_SIGNALING_SERVICE_EXPORT_CONFIG_H_
#define SLUICE_SIGNALING_SERVICE_EXPORT_CONFIG_H_

#include <optional>

#include "absl/status/statusor.h"
#include "process/config_file.h"
#include "signaling/hep/exporter.h"
#include "signaling/store/postgres_records.h"
#include "sluice/config/v1/controller_config.pb.h"

namespace sluice::service {

struct Exports {
  // Nothing: it is off.
  std::optional<hep::ExporterOptions> hep;
  // Without `report`.
  std::optional<store::PostgresOptions> postgresql;
};

// `config` has been checked (process/controller_config.h). Errors name file, line and key.
absl::StatusOr<Exports> ReadExports(const process::ConfigFile& file, const config::v1::ControllerConfig& config);

}  // namespace sluice::service

#endif  // SLUICE_SIGNALING_SERVICE_EXPORT_CONFIG_H_
