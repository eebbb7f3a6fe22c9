// Prometheus text at http://ADDRESS/metrics.
//
// The process gives a function that makes all families afresh at each scrape from the statistics it has anyway, so
// nothing is counted twice. No label may have an unbounded value.
//
// Threads: the function is called on the endpoint's threads.
#ifndef SLUICE_PROCESS_METRICS_ENDPOINT_H_
#define SLUICE_PROCESS_METRICS_ENDPOINT_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace prometheus {
struct MetricFamily;
}

namespace sluice::process {

using CollectFunction = std::function<std::vector<prometheus::MetricFamily>()>;

class MetricsEndpoint {
 public:
  // `address`: "127.0.0.1:9081". ALREADY_EXISTS when it is held.
  static absl::StatusOr<std::unique_ptr<MetricsEndpoint>> Start(const std::string& address, CollectFunction collect);
  ~MetricsEndpoint();

  // With the port that the kernel chose for a port of 0.
  const std::string& address() const { return address_; }

 private:
  class Source;
  struct Parts;
  explicit MetricsEndpoint(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
  std::string address_;
};

// Pieces to make families of: name as in "sluice_relay_packets_total", labels as {{"reason", "no_flow"}}.
using MetricLabels = std::vector<std::pair<std::string, std::string>>;
prometheus::MetricFamily CounterFamily(const std::string& name, const std::string& help);
prometheus::MetricFamily GaugeFamily(const std::string& name, const std::string& help);
// Adds one sample to a family made above.
void AddSample(prometheus::MetricFamily& family, double value, const MetricLabels& labels = {});

}  // namespace sluice::process

#endif  // SLUICE_PROCESS_METRICS_ENDPOINT_H_
