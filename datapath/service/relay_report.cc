#include "datapath/service/relay_report.h"

#include <array>

#include "datapath/packet/drop_reason.h"
#include "datapath/service/to_proto.h"
#include "process/checks.h"

namespace sluice::service {
namespace {

constexpr absl::Duration kFresh = absl::Milliseconds(100);
constexpr absl::Duration kBusyWindow = absl::Seconds(1);

template <typename Drops>
void AddDrops(const std::array<uint64_t, packet::kDropReasonCount>& drops, Drops& out) {
  for (size_t reason = 0; reason < drops.size(); ++reason) {
    if (drops[reason] != 0) out[std::string(packet::kDropReasonNames[reason])] += drops[reason];
  }
}

void SetResidence(const worker::ResidenceHistogram& histogram, relay::v1::DelayDistribution& out) {
  const auto duration = [](uint64_t nanoseconds) {
    return process::ToProto(absl::Nanoseconds(static_cast<int64_t>(nanoseconds)));
  };
  out.set_samples(histogram.samples());
  *out.mutable_p50() = duration(histogram.Percentile(0.5));
  *out.mutable_p99() = duration(histogram.Percentile(0.99));
  *out.mutable_p999() = duration(histogram.Percentile(0.999));
  *out.mutable_max() = duration(histogram.max());
}

}  // namespace

void RelayReport::Refresh(const session::Moment& now) {
  if (now.time - refreshed_ < kFresh) return;
  refreshed_ = now.time;
  workers_ = datapath_.Workers();
  Mark mark = {now.time, {}};
  for (const worker::WorkerSnapshot& worker : workers_) mark.workers.push_back({worker.cycles, worker.busy_cycles});
  marks_.push_back(std::move(mark));
  while (marks_.size() > 2 && now.time - marks_[1].time >= kBusyWindow) marks_.pop_front();
}

double RelayReport::BusyShare(size_t worker) const {
  Cycles sum;
  for (size_t i = 0; i < workers_.size(); ++i) {
    if (worker != workers_.size() && worker != i) continue;
    // Of the first reading: since the workers' start.
    const Cycles before = marks_.size() < 2 ? Cycles() : marks_.front().workers[i];
    sum.all += marks_.back().workers[i].all - before.all;
    sum.busy += marks_.back().workers[i].busy - before.busy;
  }
  return sum.all == 0 ? 0 : static_cast<double>(sum.busy) / static_cast<double>(sum.all);
}

void RelayReport::ToProto(const session::Moment& now, relay::v1::Relay& out) {
  Refresh(now);
  out.set_name(identity_.name);
  out.set_version(identity_.version);
  out.set_instance_id(identity_.instance_id);
  *out.mutable_start_time() = service::ToProto(identity_.start_time);
  out.set_draining(model_.draining());
  for (const InterfaceReport& interface : datapath_.Interfaces()) {
    relay::v1::Interface& interface_out = *out.add_interfaces();
    interface_out.set_name(interface.name);
    interface_out.set_device(interface.device);
    interface_out.set_mac_address(interface.mac_address);
    interface_out.set_link_up(interface.link_up);
    interface_out.set_queues(interface.queues);
  }
  for (const worker::WorkerSnapshot& worker : workers_) {
    relay::v1::Worker& worker_out = *out.add_workers();
    worker_out.set_index(worker.index);
    worker_out.set_cpu(worker.cpu);
  }
  session::MediaNetworks& networks = model_.networks();
  for (unsigned i = 0; i < networks.size(); ++i) {
    const session::NetworkOptions& network = networks[i];
    relay::v1::Network& network_out = *out.add_networks();
    network_out.set_name(network.name);
    for (const packet::IpAddress& address : network.addresses) network_out.add_addresses(address.ToString());
    for (const packet::IpAddress& address : network.advertised.empty() ? network.addresses : network.advertised) {
      network_out.add_advertised_addresses(address.ToString());
    }
    network_out.set_first_port(network.first_port);
    network_out.set_last_port(network.last_port);
    const session::MediaNetworks::Usage usage = networks.usage(i, now.time);
    network_out.set_ports(usage.ports);
    network_out.set_ports_used(usage.used);
    network_out.set_ports_quarantined(usage.quarantined);
  }
  out.set_flow_capacity(table_.options().max_flows);
  out.set_session_capacity(model_.statistics().capacity);
}

void RelayReport::ToProto(const session::Moment& now, relay::v1::WatchStatsResponse& out) {
  Refresh(now);
  *out.mutable_time() = service::ToProto(now.time);
  const session::SessionModel::Statistics sessions = model_.statistics();
  relay::v1::RelayStatistics& relay = *out.mutable_relay();
  relay.set_sessions(sessions.sessions);
  relay.set_flows(table_.flows());
  relay.set_sessions_created(sessions.created);
  relay.set_sessions_deleted(sessions.deleted);
  relay.set_stale_writes(sessions.stale_writes);
  relay.set_busy_share(BusyShare(workers_.size()));
  worker::ResidenceHistogram residence(datapath_.ticks_per_second());
  uint64_t received = 0;
  uint64_t forwarded = 0;
  uint64_t events_lost = 0;
  for (size_t i = 0; i < workers_.size(); ++i) {
    const worker::WorkerSnapshot& worker = workers_[i];
    received += worker.received;
    forwarded += worker.forwarded;
    events_lost += worker.events_lost;
    residence.Merge(worker.residence);
    AddDrops(worker.drops, *relay.mutable_drops());
    relay::v1::WorkerStatistics& worker_out = *out.add_workers();
    worker_out.set_index(worker.index);
    worker_out.set_cpu(worker.cpu);
    worker_out.set_received_packets(worker.received);
    worker_out.set_forwarded_packets(worker.forwarded);
    AddDrops(worker.drops, *worker_out.mutable_drops());
    SetResidence(worker.residence, *worker_out.mutable_residence());
    worker_out.set_busy_share(BusyShare(i));
    *worker_out.mutable_longest_loop() =
        process::ToProto(absl::Nanoseconds(static_cast<int64_t>(worker.longest_loop_ns)));
    worker_out.set_polls(worker.polls);
    worker_out.set_empty_polls(worker.empty_polls);
    worker_out.set_cycles(worker.cycles);
    worker_out.set_busy_cycles(worker.busy_cycles);
  }
  relay.set_received_packets(received);
  relay.set_forwarded_packets(forwarded);
  relay.set_events_lost(events_lost);
  SetResidence(residence, *relay.mutable_residence());
  for (const InterfaceReport& interface : datapath_.Interfaces()) {
    relay::v1::InterfaceStatistics& interface_out = *out.add_interfaces();
    interface_out.set_name(interface.name);
    interface_out.set_received_packets(interface.received_packets);
    interface_out.set_received_bytes(interface.received_bytes);
    interface_out.set_sent_packets(interface.sent_packets);
    interface_out.set_sent_bytes(interface.sent_bytes);
    interface_out.set_receive_missed(interface.receive_missed);
    interface_out.set_receive_no_mbuf(interface.receive_no_mbuf);
    interface_out.set_send_errors(interface.send_errors);
    interface_out.set_punted(interface.punted);
    interface_out.set_punts_limited(interface.punts_limited);
    interface_out.set_injected(interface.injected);
  }
}

}  // namespace sluice::service
