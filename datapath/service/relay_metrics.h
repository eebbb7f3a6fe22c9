// The relay in Prometheus text, from the same reading as WatchStats.
//
// Threads: the metrics endpoint's; waits for the control thread.

#ifndef SLUICE_DATAPATH_SERVICE_RELAY_METRICS_H_
#define SLUICE_DATAPATH_SERVICE_RELAY_METRICS_H_

#include <prometheus/metric_family.h>

#include <vector>

#include "sluice/relay/v1/relay_service.pb.h"

namespace sluice::service {

std::vector<prometheus::MetricFamily> RelayMetrics(const relay::v1::Relay& relay,
                                                   const relay::v1::WatchStatsResponse& statistics);

}  // namespace sluice::service

#endif  // SLUICE_DATAPATH_SERVICE_RELAY_METRICS_H_
