#include "datapath/worker/pipeline_harness.h"

#include <rte_eal.h>
#include <rte_mbuf.h>
#include <sched.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>

#include "datapath/packet/endpoint.h"
#include "datapath/packet/packet_builder.h"
#include "datapath/rtp/rtp_builder.h"

namespace sluice::worker {
namespace {

constexpr unsigned kMbufs = 4095;
constexpr flow::Egress kEgress = {{{0x02, 0, 0, 0, 1, 0x01}}, PipelineHarness::kPort, 0};
constexpr flow::Egress kTaggedEgress = {{{0x02, 0, 0, 0, 1, 0x02}}, PipelineHarness::kPort, PipelineHarness::kVlan};
constexpr packet::MacAddress kNeighbour = {{0x02, 0, 0, 0, 2, 0x01}};

[[noreturn]] void Fail(std::string_view what) {
  std::fprintf(stderr, "pipeline harness: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

packet::Endpoint At(std::string_view text) {
  const auto endpoint = packet::Endpoint::Parse(text);
  if (!endpoint) Fail(text);
  return *endpoint;
}

// The main thread and one worker lcore, each on all the CPUs that the process may use: EAL's default would pin them.
std::string Lcores() {
  cpu_set_t allowed;
  sched_getaffinity(0, sizeof(allowed), &allowed);
  std::string cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &allowed)) cpus += (cpus.empty() ? "" : ",") + std::to_string(cpu);
  }
  return "--lcores=0@(" + cpus + "),1@(" + cpus + ")";
}

rte_mempool* MakePool() {
  static int pools = 0;
  const std::string name = "test" + std::to_string(pools++);
  rte_mempool* pool = rte_pktmbuf_pool_create(name.c_str(), kMbufs, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
  if (pool == nullptr) Fail("no memory for packet buffers");
  return pool;
}

}  // namespace

void StartTestEal(unsigned memory_mib) {
  static std::once_flag once;
  std::call_once(once, [memory_mib] {
    // Where EAL keeps its files, also where a sandbox has /var/run read-only.
    if (const char* folder = std::getenv("TEST_TMPDIR")) setenv("RUNTIME_DIRECTORY", folder, 1);
    std::vector<std::string> arguments = {"test",
                                          "--no-huge",
                                          "--no-shconf",
                                          "--no-pci",
                                          "--no-telemetry",
                                          "--log-level=error",
                                          "-m",
                                          std::to_string(memory_mib),
                                          Lcores(),
                                          "--file-prefix=test" + std::to_string(getpid())};
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) Fail("EAL does not start");
  });
}

rte_mbuf* MakeMbuf(rte_mempool* pool, const Frame& frame) {
  rte_mbuf* packet = rte_pktmbuf_alloc(pool);
  if (packet == nullptr) Fail("no packet buffer is left: some were not given back");
  char* bytes = rte_pktmbuf_append(packet, static_cast<uint16_t>(frame.size()));
  if (bytes == nullptr) Fail("the frame is too long");
  if (!frame.empty()) std::memcpy(bytes, frame.data(), frame.size());
  return packet;
}

Frame BytesOf(const rte_mbuf* packet) {
  const uint8_t* bytes = rte_pktmbuf_mtod(packet, const uint8_t*);
  return Frame(bytes, bytes + packet->data_len);
}

PipelineHarness::PipelineHarness()
    : pool_((StartTestEal(), MakePool())),
      next_hops_(flow::PageMemory(false), 16),
      context_{*(flows_ = flow::FlowTable::Create({.max_flows = 4096, .ticks_per_second = kTicksPerSecond},
                                                  flow::PageMemory(false))
                              .value()),
               next_hops_, counters_, events_, captures_} {
  for (const char* address : {"198.18.1.1", "198.18.2.1", "2001:db8:1::1", "2001:db8:2::1"}) {
    if (!flows_->AddLocalAddress(*packet::IpAddress::Parse(address)).ok()) Fail(address);
  }
  const auto make = [this](const flow::Egress& egress) {
    const flow::NextHopIndex index = next_hops_.Allocate();
    next_hops_.Set(index,
                   {kNeighbour, static_cast<uint8_t>(next_hops_.AddEgress(egress)), flow::NextHopState::kReachable});
    return index;
  };
  next_hop_ = make(kEgress);
  tagged_next_hop_ = make(kTaggedEgress);
}

PipelineHarness::~PipelineHarness() { rte_mempool_free(pool_); }

flow::FlowSpec PipelineHarness::Flow(std::string_view from, std::string_view local, std::string_view source,
                                     std::string_view destination) {
  flow::FlowSpec spec;
  spec.local = At(local);
  spec.target = {At(source), At(destination), next_hop_};
  spec.state = flows_->AllocateState().value();
  spec.signalled = At(from);
  spec.dscp = 46;
  spec.flags = flow::kFlowTelephoneEvents;
  if (!spec.payload_map.Add(kPcmu, 8000, rtp::PayloadRole::kMedia, kTicksPerSecond) ||
      !spec.payload_map.Add(kEvents, 8000, rtp::PayloadRole::kTelephoneEvent, kTicksPerSecond)) {
    Fail("payload types");
  }
  return spec;
}

void PipelineHarness::Publish(const flow::FlowSpec& spec) {
  if (const absl::Status status = flows_->Publish(spec); !status.ok()) Fail(status.ToString());
}

Outcome PipelineHarness::Process(const Frame& frame, uint64_t ticks, bool punt) {
  return ProcessMbuf(MakeMbuf(pool_, frame), ticks, punt);
}

Outcome PipelineHarness::ProcessMbuf(rte_mbuf* packet, uint64_t ticks, bool punt) {
  std::array<uint64_t, packet::kDropReasonCount> before;
  for (size_t i = 0; i < before.size(); ++i) before[i] = counters_.drops[i].Load();
  ProcessBurst(context_, &packet, 1, ticks, punt, result_);
  Outcome outcome;
  result_.TakeToSend([&outcome](unsigned port, PacketBatch& batch) {
    outcome.port = port;
    outcome.sent = BytesOf(batch.packets[0]);
  });
  outcome.to_kernel = result_.to_kernel.count != 0;
  for (size_t i = 0; i < before.size(); ++i) {
    if (counters_.drops[i].Load() != before[i]) outcome.dropped = static_cast<packet::DropReason>(i);
  }
  if (result_.dropped.count + result_.to_kernel.count + !outcome.sent.empty() != 1)
    Fail("a packet is not in one place");
  result_.dropped.count = 0;
  result_.to_kernel.count = 0;
  rte_pktmbuf_free(packet);
  return outcome;
}

std::vector<Frame> PipelineHarness::ProcessAll(const std::vector<Frame>& frames, uint64_t ticks) {
  std::vector<rte_mbuf*> packets;
  for (const Frame& frame : frames) packets.push_back(MakeMbuf(pool_, frame));
  ProcessBurst(context_, packets.data(), static_cast<unsigned>(packets.size()), ticks, false, result_);
  std::vector<Frame> sent;
  result_.TakeToSend([&sent](unsigned, PacketBatch& batch) {
    for (unsigned i = 0; i < batch.count; ++i) sent.push_back(BytesOf(batch.packets[i]));
  });
  if (sent.size() + result_.dropped.count != frames.size()) Fail("packets are not all in one place");
  result_.dropped.count = 0;
  rte_pktmbuf_free_bulk(packets.data(), static_cast<unsigned>(packets.size()));
  return sent;
}

std::vector<flow::FlowEvent> PipelineHarness::TakeEvents() {
  std::vector<flow::FlowEvent> events;
  for (flow::FlowEvent event; events_.Pop(event);) events.push_back(event);
  return events;
}

Frame RtpFrame(const RtpFields& fields, std::string_view from, std::string_view to) {
  return packet::PacketBuilder(from, to)
      .Payload(rtp::RtpDatagram(fields.payload_type, fields.sequence, fields.timestamp, fields.ssrc))
      .Build();
}

}  // namespace sluice::worker
