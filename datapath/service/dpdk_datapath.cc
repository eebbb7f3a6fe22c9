#include "datapath/service/dpdk_datapath.h"

#include <algorithm>
#include <chrono>

#include "absl/time/clock.h"
#include "datapath/worker/clock.h"

namespace sluice::service {
namespace {

// Destinations, routers among them, that a relay talks to at once.
constexpr uint32_t kNextHops = 65535;

}  // namespace

absl::StatusOr<std::unique_ptr<DpdkDatapath>> DpdkDatapath::Open(const DpdkDatapathOptions& options) {
  std::unique_ptr<DpdkDatapath> datapath(new DpdkDatapath(options.max_idle_sleep, options.burst));
  absl::StatusOr<std::unique_ptr<io::Eal>> eal = io::Eal::Start(options.eal);
  if (!eal.ok()) return eal.status();
  datapath->eal_ = *std::move(eal);

  flow::FlowTableOptions table_options;
  table_options.max_flows = options.max_flows;
  table_options.ticks_per_second = worker::TicksPerSecond();
  absl::StatusOr<std::unique_ptr<flow::FlowTable>> table =
      flow::FlowTable::Create(table_options, datapath->eal_->memory());
  if (!table.ok()) return table.status();
  datapath->table_ = *std::move(table);

  datapath->next_hop_table_ = std::make_unique<flow::NextHopTable>(
      datapath->eal_->memory(), std::min(kNextHops, std::max(options.max_flows, 1024u)));
  if (!datapath->next_hop_table_->has_memory()) return absl::ResourceExhaustedError("not enough memory for next hops");

  absl::StatusOr<std::unique_ptr<io::Interfaces>> interfaces =
      io::Interfaces::Open(*datapath->eal_, options.interfaces, options.mbufs);
  if (!interfaces.ok()) return interfaces.status();
  datapath->interfaces_ = *std::move(interfaces);

  absl::StatusOr<std::unique_ptr<io::KernelNextHops>> next_hops =
      io::KernelNextHops::Open(datapath->interfaces_->all(), *datapath->next_hop_table_);
  if (!next_hops.ok()) return next_hops.status();
  datapath->next_hops_ = *std::move(next_hops);
  return datapath;
}

absl::Status DpdkDatapath::StartWorkers() {
  worker::WorkerSetOptions options;
  options.cores = eal_->workers();
  options.ports = interfaces_->ports();
  options.max_idle_sleep = max_idle_sleep_;
  options.burst = burst_;
  absl::StatusOr<std::unique_ptr<worker::WorkerSet>> workers =
      worker::WorkerSet::Start(options, *table_, *next_hop_table_);
  if (!workers.ok()) return workers.status();
  workers_ = *std::move(workers);
  return absl::OkStatus();
}

void DpdkDatapath::StopWorkers() { workers_->Stop(); }

session::Moment DpdkDatapath::Now() const { return {absl::Now(), worker::Ticks()}; }

uint64_t DpdkDatapath::ticks_per_second() const { return table_->options().ticks_per_second; }

std::vector<worker::WorkerSnapshot> DpdkDatapath::Workers() { return workers_->Snapshot(); }

std::vector<InterfaceReport> DpdkDatapath::Interfaces() {
  std::vector<InterfaceReport> reports;
  for (size_t i = 0; i < interfaces_->all().size(); ++i) {
    const io::Interface& interface = interfaces_->all()[i];
    const io::InterfaceStatistics statistics = interfaces_->Statistics(i);
    InterfaceReport& report = reports.emplace_back();
    report.name = interface.name;
    report.device = interface.device;
    report.mac_address = interface.mac_address.ToString();
    report.link_up = statistics.link_up;
    report.queues = interface.port.rx_queues;
    report.received_packets = statistics.received_packets;
    report.received_bytes = statistics.received_bytes;
    report.sent_packets = statistics.sent_packets;
    report.sent_bytes = statistics.sent_bytes;
    report.receive_missed = statistics.receive_missed;
    report.receive_no_mbuf = statistics.receive_no_mbuf;
    report.send_errors = statistics.send_errors;
    report.punted = statistics.punted;
    report.punts_limited = statistics.punts_limited;
    report.injected = statistics.injected;
  }
  return reports;
}

void DpdkDatapath::DrainEvents(const std::function<void(const flow::FlowEvent&)>& take) {
  flow::FlowEvent event;
  for (size_t worker = 0; worker < workers_->size(); ++worker) {
    // No more than the ring holds, so that a worker which goes on telling cannot hold the control thread.
    for (size_t i = workers_->events(worker).capacity(); i > 0 && workers_->events(worker).Pop(event); --i) {
      take(event);
    }
  }
}

void DpdkDatapath::Service() { next_hops_->Service(std::chrono::steady_clock::now()); }

worker::Explanation DpdkDatapath::Explain(std::span<const uint8_t> frame) {
  return worker::Explain(*table_, *next_hop_table_, frame, worker::Ticks());
}

std::vector<capture::CaptureRing*> DpdkDatapath::CaptureRings() {
  std::vector<capture::CaptureRing*> rings;
  for (size_t worker = 0; worker < workers_->size(); ++worker) rings.push_back(&workers_->captures(worker));
  return rings;
}

}  // namespace sluice::service
