#include "datapath/service/relay_metrics.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "process/checks.h"
#include "process/metrics_endpoint.h"

namespace sluice::service {
namespace {

using process::AddSample;
using process::CounterFamily;
using process::GaugeFamily;

class Families {
 public:
  void Counter(const std::string& name, const std::string& help, uint64_t value) {
    AddSample(out_.emplace_back(CounterFamily(name, help)), static_cast<double>(value));
  }
  void Gauge(const std::string& name, const std::string& help, double value) {
    AddSample(out_.emplace_back(GaugeFamily(name, help)), value);
  }
  prometheus::MetricFamily& Add(prometheus::MetricFamily family) { return out_.emplace_back(std::move(family)); }
  std::vector<prometheus::MetricFamily> Take() { return std::move(out_); }

 private:
  std::vector<prometheus::MetricFamily> out_;
};

void AddWorkers(const relay::v1::WatchStatsResponse& statistics, Families& families) {
  prometheus::MetricFamily received =
      CounterFamily("sluice_relay_worker_received_packets_total", "Packets that a worker received");
  prometheus::MetricFamily forwarded =
      CounterFamily("sluice_relay_worker_forwarded_packets_total", "Packets that a worker sent on");
  prometheus::MetricFamily busy =
      GaugeFamily("sluice_relay_worker_busy_share", "Share of cycles in polls that found packets, over a second");
  prometheus::MetricFamily longest =
      GaugeFamily("sluice_relay_worker_longest_loop_seconds", "Longest poll iteration since the start");
  for (const relay::v1::WorkerStatistics& worker : statistics.workers()) {
    const process::MetricLabels labels = {{"worker", absl::StrCat(worker.index())}};
    AddSample(received, static_cast<double>(worker.received_packets()), labels);
    AddSample(forwarded, static_cast<double>(worker.forwarded_packets()), labels);
    AddSample(busy, worker.busy_share(), labels);
    AddSample(longest, absl::ToDoubleSeconds(process::ToAbsl(worker.longest_loop())), labels);
  }
  for (prometheus::MetricFamily* family : {&received, &forwarded, &busy, &longest}) families.Add(std::move(*family));
}

void AddInterfaces(const relay::v1::WatchStatsResponse& statistics, Families& families) {
  using Interface = relay::v1::InterfaceStatistics;
  const std::vector<std::tuple<const char*, const char*, uint64_t (Interface::*)() const>> counters = {
      {"received_packets", "Packets that an interface received", &Interface::received_packets},
      {"received_bytes", "Bytes that an interface received", &Interface::received_bytes},
      {"sent_packets", "Packets that an interface sent", &Interface::sent_packets},
      {"sent_bytes", "Bytes that an interface sent", &Interface::sent_bytes},
      {"receive_missed_packets", "Packets that found the receive queue full", &Interface::receive_missed},
      {"receive_no_mbuf", "Packets that found no buffer", &Interface::receive_no_mbuf},
      {"send_errors", "Packets that could not be sent", &Interface::send_errors}};
  for (const auto& [name, help, read] : counters) {
    prometheus::MetricFamily& family =
        families.Add(CounterFamily(absl::StrCat("sluice_relay_interface_", name, "_total"), help));
    for (const Interface& interface : statistics.interfaces()) {
      AddSample(family, static_cast<double>((interface.*read)()), {{"interface", interface.name()}});
    }
  }
}

void AddPorts(const relay::v1::Relay& relay, Families& families) {
  prometheus::MetricFamily& ports = families.Add(GaugeFamily("sluice_relay_ports", "Media ports by network and state"));
  for (const relay::v1::Network& network : relay.networks()) {
    const uint64_t busy = network.ports_used() + network.ports_quarantined();
    AddSample(ports, static_cast<double>(network.ports_used()), {{"network", network.name()}, {"state", "used"}});
    AddSample(ports, static_cast<double>(network.ports_quarantined()),
              {{"network", network.name()}, {"state", "quarantined"}});
    AddSample(ports, static_cast<double>(network.ports() - busy), {{"network", network.name()}, {"state", "free"}});
  }
}

}  // namespace

std::vector<prometheus::MetricFamily> RelayMetrics(const relay::v1::Relay& relay,
                                                   const relay::v1::WatchStatsResponse& statistics) {
  Families families;
  const relay::v1::RelayStatistics& all = statistics.relay();
  families.Gauge("sluice_relay_sessions", "Sessions that the relay holds", static_cast<double>(all.sessions()));
  families.Gauge("sluice_relay_session_capacity", "Most sessions that it can hold",
                 static_cast<double>(relay.session_capacity()));
  families.Gauge("sluice_relay_flows", "Flows that are published", static_cast<double>(all.flows()));
  families.Gauge("sluice_relay_draining", "1 while the relay takes no new sessions", relay.draining() ? 1 : 0);
  families.Counter("sluice_relay_sessions_created_total", "Sessions that were made", all.sessions_created());
  families.Counter("sluice_relay_sessions_deleted_total", "Sessions that ended", all.sessions_deleted());
  families.Counter("sluice_relay_stale_writes_total", "Writes refused for their epoch", all.stale_writes());
  families.Counter("sluice_relay_events_lost_total", "Events that workers found no room for", all.events_lost());
  families.Counter("sluice_relay_received_packets_total", "Packets received", all.received_packets());
  families.Counter("sluice_relay_forwarded_packets_total", "Packets sent on", all.forwarded_packets());
  prometheus::MetricFamily& drops =
      families.Add(CounterFamily("sluice_relay_dropped_packets_total", "Packets dropped, by reason"));
  for (const auto& [reason, packets] : all.drops()) {
    AddSample(drops, static_cast<double>(packets), {{"reason", reason}});
  }
  prometheus::MetricFamily& residence = families.Add(
      GaugeFamily("sluice_relay_residence_seconds", "From receive burst to transmit burst, since the start"));
  const auto add_residence = [&](const google::protobuf::Duration& duration, const char* quantile) {
    AddSample(residence, absl::ToDoubleSeconds(process::ToAbsl(duration)), {{"quantile", quantile}});
  };
  add_residence(all.residence().p50(), "0.5");
  add_residence(all.residence().p99(), "0.99");
  add_residence(all.residence().p999(), "0.999");
  AddWorkers(statistics, families);
  AddInterfaces(statistics, families);
  AddPorts(relay, families);
  return families.Take();
}

}  // namespace sluice::service
