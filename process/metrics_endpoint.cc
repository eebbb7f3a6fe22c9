#include "process/metrics_endpoint.h"

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>

#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"

namespace sluice::process {

class MetricsEndpoint::Source : public prometheus::Collectable {
 public:
  explicit Source(CollectFunction collect) : collect_(std::move(collect)) {}
  std::vector<prometheus::MetricFamily> Collect() const override { return collect_(); }

 private:
  const CollectFunction collect_;
};

struct MetricsEndpoint::Parts {
  std::shared_ptr<Source> source;
  std::unique_ptr<prometheus::Exposer> exposer;
};

MetricsEndpoint::MetricsEndpoint(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
MetricsEndpoint::~MetricsEndpoint() = default;

absl::StatusOr<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::Start(const std::string& address,
                                                                        CollectFunction collect) {
  auto parts = std::make_unique<Parts>();
  parts->source = std::make_shared<Source>(std::move(collect));
  // The exposer tells a failed bind by an exception; it ends here.
  try {
    parts->exposer = std::make_unique<prometheus::Exposer>(address, 1);
  } catch (const std::exception& error) {
    return absl::AlreadyExistsError(absl::StrCat("cannot serve metrics on ", address, ": ", error.what(),
                                                 "; is the address held by another process?"));
  }
  parts->exposer->RegisterCollectable(parts->source);
  auto endpoint = std::unique_ptr<MetricsEndpoint>(new MetricsEndpoint(std::move(parts)));
  endpoint->address_ =
      absl::StrCat(address.substr(0, address.rfind(':') + 1), endpoint->parts_->exposer->GetListeningPorts().front());
  return endpoint;
}

prometheus::MetricFamily CounterFamily(const std::string& name, const std::string& help) {
  return {name, help, prometheus::MetricType::Counter, {}};
}

prometheus::MetricFamily GaugeFamily(const std::string& name, const std::string& help) {
  return {name, help, prometheus::MetricType::Gauge, {}};
}

void AddSample(prometheus::MetricFamily& family, double value, const MetricLabels& labels) {
  prometheus::ClientMetric sample;
  for (const auto& [name, text] : labels) sample.label.push_back({name, text});
  if (family.type == prometheus::MetricType::Counter) {
    sample.counter.value = value;
  } else {
    sample.gauge.value = value;
  }
  family.metric.push_back(std::move(sample));
}

}  // namespace sluice::process
