// What changes with the packets of a flow, beside the immutable entry.
//
// How it works. FlowState is the one cache line that every packet of a locked flow touches: who sends, and the receive
// statistics' hot part. FlowDetail has what changes rarely. Both arrays are indexed by the state index that the slot
// carries, so a worker can prefetch the state together with the entry. A replaced entry keeps its state, so counters
// and lock survive updates.
//
// Memory of an IPv4 flow: entry 64 + state 64 + detail 192 + slot 8 = 328 bytes, of which 136 are hot.
//
// Threads: written by the worker that receives the locked source (drops and probation by any worker), read relaxed by
// control. Reset by control while no worker can know it: between allocation and the first publish.

#ifndef SLUICE_DATAPATH_FLOW_FLOW_STATE_H_
#define SLUICE_DATAPATH_FLOW_FLOW_STATE_H_

#include <array>
#include <cstdint>

#include "datapath/packet/drop_reason.h"
#include "datapath/rtp/dtmf_recognizer.h"
#include "datapath/rtp/policer.h"
#include "datapath/rtp/receive_statistics.h"
#include "datapath/rtp/rtcp_round_trip.h"
#include "datapath/rtp/single_writer.h"
#include "datapath/rtp/source_policy.h"
#include "datapath/rtp/stream_identity.h"

namespace sluice::flow {

struct alignas(64) FlowState {
  rtp::StreamIdentity identity;
  rtp::ReceiveHot receive;
};
static_assert(sizeof(FlowState) == 64);

// Reasons that are counted at the flow: those between "found by the flow" and "found while sending" of DropReason.
inline constexpr auto kFirstFlowDrop = packet::DropReason::kSourceMismatch;
inline constexpr auto kLastFlowDrop = packet::DropReason::kNoNeighbour;
inline constexpr size_t kFlowDropCount = static_cast<size_t>(kLastFlowDrop) - static_cast<size_t>(kFirstFlowDrop) + 1;

struct alignas(64) FlowDetail {
  // Counts a drop of a packet to this flow. Reasons that are not the flow's are ignored.
  void CountDrop(packet::DropReason reason) {
    const size_t index = static_cast<size_t>(reason) - static_cast<size_t>(kFirstFlowDrop);
    if (index < kFlowDropCount) drops[index].Increment();
  }
  uint32_t Drops(packet::DropReason reason) const {
    const size_t index = static_cast<size_t>(reason) - static_cast<size_t>(kFirstFlowDrop);
    return index < kFlowDropCount ? drops[index].Load() : 0;
  }

  // In the first line, which FlowTable::Prefetch fetches for flows with a limit.
  rtp::Policer policer;
  rtp::ReceiveDetail receive;
  rtp::RtcpState rtcp;
  rtp::Probation probation;
  rtp::DtmfRecognizer dtmf;
  std::array<rtp::SharedCounter<uint32_t>, kFlowDropCount> drops;
};
static_assert(sizeof(FlowDetail) == 192);

// Makes both as new.
void Reset(FlowState& state, FlowDetail& detail);

}  // namespace sluice::flow

#endif  // SLUICE_DATAPATH_FLOW_FLOW_STATE_H_
