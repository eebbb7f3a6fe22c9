// What of the config says whether this controller is one of a cluster.
//
// Threads: any; functions of their arguments and of the files that they name.
#ifndef SLUICE_SIGNALING_SERVICE_CLUSTER_CONFIG_H_
#define SLUICE_SIGNALING_SERVICE_CLUSTER_CONFIG_H_

#include <optional>

#include "absl/status/statusor.h"
#include "process/config_file.h"
#include "signaling/cluster/redis_cluster.h"
#include "sluice/config/v1/controller_config.pb.h"

namespace sluice::service {

// Without `home` and `report`. Nothing: it is the only one. `config` has been checked (process/controller_config.h).
// Errors name file, line and key.
absl::StatusOr<std::optional<cluster::RedisClusterOptions>> ReadCluster(const process::ConfigFile& file,
                                                                        const config::v1::ControllerConfig& config);

}  // namespace sluice::service

#endif  // SLUICE_SIGNALING_SERVICE_CLUSTER_CONFIG_H_
