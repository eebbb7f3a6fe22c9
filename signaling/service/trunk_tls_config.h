// What the TLS connections to trunks with files of their own are made from.
//
// Threads: any.
#ifndef SLUICE_SIGNALING_SERVICE_TRUNK_TLS_CONFIG_H_
#define SLUICE_SIGNALING_SERVICE_TRUNK_TLS_CONFIG_H_

#include "absl/status/statusor.h"
#include "process/config_file.h"
#include "signaling/transport/tls_context.h"
#include "sluice/config/v1/controller_config.pb.h"

namespace sluice::service {

// Reads the files of all trunks that have `tls`; their names are checked already (ReadPlan). Errors are those of
// ConfigFile::Error, and name the trunk and the file.
absl::StatusOr<transport::TrunkTlsContexts> ReadTrunkTls(const process::ConfigFile& file,
                                                         const config::v1::ControllerConfig& config);

}  // namespace sluice::service

#endif  // SLUICE_SIGNALING_SERVICE_TRUNK_TLS_CONFIG_H_
