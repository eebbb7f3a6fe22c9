// The relay's config, as its parts want it.
//
// Threads: pure functions.

#ifndef SLUICE_DATAPATH_SERVICE_RELAY_OPTIONS_H_
#define SLUICE_DATAPATH_SERVICE_RELAY_OPTIONS_H_

#include <string>

#include "datapath/service/dpdk_datapath.h"
#include "datapath/session/session_model.h"
#include "sluice/config/v1/relay_config.pb.h"

namespace sluice::service {

// Of a config that process::ReadRelayConfig has checked.
DpdkDatapathOptions ToDatapathOptions(const config::v1::RelayConfig& config);
session::SessionModelOptions ToModelOptions(const config::v1::RelayConfig& config, const std::string& instance_id);
// The part that a reload may change.
session::SessionSettings ToSettings(const config::v1::SessionConfig& config);

}  // namespace sluice::service

#endif  // SLUICE_DATAPATH_SERVICE_RELAY_OPTIONS_H_
