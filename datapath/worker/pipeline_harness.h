// The pipeline with everything around it that it needs, for tests and benchmarks: EAL, packet buffers, tables, two
// next hops, one flow's worth of defaults. Frames go in as bytes and come out as bytes.

#ifndef SLUICE_DATAPATH_WORKER_PIPELINE_HARNESS_H_
#define SLUICE_DATAPATH_WORKER_PIPELINE_HARNESS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "datapath/capture/capture_ring.h"
#include "datapath/flow/event_ring.h"
#include "datapath/flow/flow_entry.h"
#include "datapath/flow/flow_table.h"
#include "datapath/flow/next_hop_table.h"
#include "datapath/packet/drop_reason.h"
#include "datapath/worker/pipeline.h"
#include "datapath/worker/worker_counters.h"

struct rte_mempool;

namespace sluice::worker {

using Frame = std::vector<uint8_t>;

// Starts EAL without hugepages, devices and files, once in a process: `memory_mib` of the first call counts. Ends the
// program if that fails.
void StartTestEal(unsigned memory_mib = 128);

// An mbuf with `frame` in it, out of `pool`.
rte_mbuf* MakeMbuf(rte_mempool* pool, const Frame& frame);
Frame BytesOf(const rte_mbuf* packet);

// What became of one packet.
struct Outcome {
  packet::DropReason dropped = packet::DropReason::kNone;
  bool to_kernel = false;
  Frame sent;  // Empty if it was not.
  unsigned port = 0;
};

class PipelineHarness {
 public:
  static constexpr uint64_t kTicksPerSecond = 1'000'000'000;
  static constexpr unsigned kPort = 3;     // The DPDK port of all egresses.
  static constexpr uint16_t kVlan = 100;   // Of `tagged_next_hop`.
  static constexpr uint8_t kPcmu = 0;      // Negotiated in Flow.
  static constexpr uint8_t kEvents = 101;  // Likewise.

  PipelineHarness();
  ~PipelineHarness();

  flow::FlowTable& flows() { return *flows_; }
  flow::NextHopTable& next_hops() { return next_hops_; }
  WorkerCounters& counters() { return counters_; }
  flow::EventRing& event_ring() { return events_; }
  capture::CaptureRing& captures() { return captures_; }
  rte_mempool* pool() { return pool_; }
  flow::NextHopIndex next_hop() const { return next_hop_; }
  flow::NextHopIndex tagged_next_hop() const { return tagged_next_hop_; }

  // A flow with a new state: packets of the peer `from` to `local` leave from `source` to `destination`. EXACT, PCMU
  // and telephone events. All as text; the relay's addresses are 198.18.1.1, 198.18.2.1, 2001:db8:1::1 and
  // 2001:db8:2::1.
  flow::FlowSpec Flow(std::string_view from = "198.18.1.2:21000", std::string_view local = "198.18.1.1:24594",
                      std::string_view source = "198.18.2.1:18582", std::string_view destination = "198.18.2.9:50211");
  // Publishes; ends the program if that fails.
  void Publish(const flow::FlowSpec& spec);

  // One packet alone, at `ticks`; time stands still unless told.
  Outcome Process(const Frame& frame, uint64_t ticks = kTicksPerSecond, bool punt = false);
  // Packets in one burst. The frames that were sent, in order.
  std::vector<Frame> ProcessAll(const std::vector<Frame>& frames, uint64_t ticks = kTicksPerSecond);
  // Takes ownership of a packet made by the test.
  Outcome ProcessMbuf(rte_mbuf* packet, uint64_t ticks = kTicksPerSecond, bool punt = false);

  std::vector<flow::FlowEvent> TakeEvents();
  flow::FlowState& StateOf(const flow::FlowSpec& spec) { return flows_->state(spec.state); }
  flow::FlowDetail& DetailOf(const flow::FlowSpec& spec) { return flows_->detail(spec.state); }

 private:
  rte_mempool* pool_;
  std::unique_ptr<flow::FlowTable> flows_;
  flow::NextHopTable next_hops_;
  WorkerCounters counters_;
  flow::EventRing events_{1024};
  capture::CaptureRing captures_{16};
  PipelineContext context_;
  BurstResult result_;
  flow::NextHopIndex next_hop_;
  flow::NextHopIndex tagged_next_hop_;
};

// RTP in a frame. `from` and `to` as text.
struct RtpFields {
  uint8_t payload_type = PipelineHarness::kPcmu;
  uint16_t sequence = 1;
  uint32_t timestamp = 160;
  uint32_t ssrc = 0x11223344;
};
Frame RtpFrame(const RtpFields& fields = {}, std::string_view from = "198.18.1.2:21000",
               std::string_view to = "198.18.1.1:24594");

}  // namespace sluice::worker

#endif  // SLUICE_DATAPATH_WORKER_PIPELINE_HARNESS_H_
