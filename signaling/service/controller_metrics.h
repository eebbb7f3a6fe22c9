// The controller's Prometheus families, made afresh at each scrape from the statistics that it has anyway.
//
// Every label has a bounded set of values: directions, methods that we know (others are OTHER), status codes, reasons
// of drops, states of health, and the relays and trunks of the config.
//
// Threads: any; a pure function.
#ifndef SLUICE_SIGNALING_SERVICE_CONTROLLER_METRICS_H_
#define SLUICE_SIGNALING_SERVICE_CONTROLLER_METRICS_H_

#include <prometheus/metric_family.h>

#include <optional>
#include <vector>

#include "signaling/admission/grpc_admission.h"
#include "signaling/agent/call_control.h"
#include "signaling/cluster/redis_cluster.h"
#include "signaling/fleet/fleet.h"
#include "signaling/hep/exporter.h"
#include "signaling/store/record_forwarder.h"
#include "signaling/store/store.h"

namespace sluice::service {

// Nothing: it is off, and has no families.
struct OptionalStatistics {
  std::optional<hep::ExporterStatistics> hep;
  std::optional<store::ForwarderStatistics> forwarder;
  std::optional<cluster::ClusterStatistics> cluster;
  std::optional<admission::AdmissionStatistics> admission;
};

std::vector<prometheus::MetricFamily> ControllerMetrics(const agent::SignalingStatistics& signaling,
                                                        const store::StoreStatistics& store,
                                                        const std::vector<fleet::RelayInfo>& relays,
                                                        const OptionalStatistics& optional);

}  // namespace sluice::service

#endif  // SLUICE_SIGNALING_SERVICE_CONTROLLER_METRICS_H_
