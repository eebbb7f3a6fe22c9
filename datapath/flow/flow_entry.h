// What a worker has to know to forward the packets of one flow: immutable once published.
//
// A flow is one direction of one component (RTP or RTCP) of one stream, met at a local address and port. With RTP and
// RTCP on one port one flow carries both. An entry is 64 bytes where both sides are IPv4, 128 where IPv6 takes part;
// both begin with FlowCommon. An entry is changed by publishing a changed copy (flow_table.h).
//
// FlowSpec is the same in the control thread's terms, and the only way to make an entry.
//
// Threads: entries are written by the control thread before they are published, and read by workers. FlowSpec: control
// thread.

#ifndef SLUICE_DATAPATH_FLOW_FLOW_ENTRY_H_
#define SLUICE_DATAPATH_FLOW_FLOW_ENTRY_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "datapath/packet/byte_order.h"
#include "datapath/packet/endpoint.h"
#include "datapath/packet/ip_prefix.h"
#include "datapath/packet/rewrite.h"
#include "datapath/rtp/payload_map.h"
#include "datapath/rtp/source_policy.h"

namespace sluice::flow {

// Index of a flow's FlowState and FlowDetail; the flow's name in events.
using StateIndex = uint32_t;
inline constexpr StateIndex kNoState = 0;

// Index into the next-hop table; 0: none.
using NextHopIndex = uint16_t;
inline constexpr NextHopIndex kNoNextHop = 0;

// Names an entry in its pool: 0 is none, the top bit says that it is wide.
using EntryIndex = uint32_t;
inline constexpr EntryIndex kNoEntry = 0;
inline constexpr EntryIndex kWideEntry = 0x80000000;

enum FlowFlag : uint16_t {
  kFlowRtcpOnly = 1 << 0,         // An RTCP port: every packet has to be RTCP.
  kFlowRtcpMux = 1 << 1,          // RTCP comes on this RTP port too (RFC 5761).
  kFlowDatagrams = 1 << 2,        // Any datagram is carried; RTP is not looked at.
  kFlowCapture = 1 << 3,          // A copy of each packet goes to the capture writer.
  kFlowClosed = 1 << 4,           // The peer may not send now: drop with `direction`.
  kFlowNoDestination = 1 << 5,    // The other leg's address is not known: drop with `no_destination`.
  kFlowAllowLoopback = 1 << 6,    // Sources may be loopback addresses.
  kFlowToIpv4 = 1 << 7,           // The new header is IPv4 (of a wide entry; always set in a narrow one).
  kFlowTelephoneEvents = 1 << 8,  // A telephone-event payload type is negotiated: look for DTMF.
  // Nothing but RTP comes here and goes on: none of the flags that say otherwise. Without bandwidth limit, and with.
  kFlowOrdinary = 1 << 9,
  kFlowOrdinaryLimited = 1 << 10
};
// What table and target decide.
inline constexpr uint16_t kDerivedFlowFlags = kFlowNoDestination | kFlowToIpv4 | kFlowOrdinary | kFlowOrdinaryLimited;

// The first 32 bytes of every entry.
struct FlowCommon {
  StateIndex state = kNoState;
  // State of the other direction of the same component, for RTCP round trips. kNoState: none.
  StateIndex opposite_state = kNoState;
  // Where RTCP of a muxed port goes when the other side is not muxed: an entry of the same width that is in no slot, of
  // which only rewrite and next hop count. kNoEntry: the same way as RTP.
  EntryIndex rtcp_entry = kNoEntry;
  // rtp::Policer::Cost; 0: no limit.
  uint32_t policer_cost = 0;
  NextHopIndex next_hop = kNoNextHop;
  uint16_t payload_map = 0;  // Shared table of payload maps.
  uint16_t prefix_set = 0;   // Shared table of prefix sets.
  uint16_t signalled_port = 0;
  uint16_t local_port = 0;
  rtp::SourceMode source_mode = rtp::SourceMode::kExact;
  uint8_t generation = 0;
  uint16_t flags = 0;
  uint8_t local_address = 0;  // Index of the local address.
  uint8_t reserved = 0;

  bool Has(FlowFlag flag) const { return flags & flag; }
};
static_assert(sizeof(FlowCommon) == 32);

// IPv4 to IPv4.
struct alignas(64) FlowEntry4 : FlowCommon {
  packet::Rewrite4 rewrite;
  packet::BigEndian32 signalled_address;  // As signalled; 0.0.0.0 with signalled_port 0.
  packet::BigEndian32 rtp_source;         // Of an RTCP port: what the RTP flow is locked to; 0.0.0.0: nothing.
};
static_assert(sizeof(FlowEntry4) == 64);

// IPv6 on either side.
struct alignas(64) FlowEntryWide : FlowCommon {
  packet::RewriteAny rewrite;
  packet::IpAddress signalled_address;
  packet::IpAddress rtp_source;
};
static_assert(sizeof(FlowEntryWide) == 128);

// What the source policy needs of an entry. `prefixes` is the entry's set, found by FlowTable::prefix_set.
rtp::SourceRule SourceRuleOf(const FlowEntry4& entry, const rtp::PrefixSet* prefixes);
rtp::SourceRule SourceRuleOf(const FlowEntryWide& entry, const rtp::PrefixSet* prefixes);

// Where packets are sent from and to.
struct FlowTarget {
  packet::Endpoint source;       // The relay's own, on the other leg.
  packet::Endpoint destination;  // Not set: not known yet, drop with `no_destination`.
  NextHopIndex next_hop = kNoNextHop;
};

struct FlowSpec {
  // Where packets arrive. One of the table's local addresses.
  packet::Endpoint local;
  FlowTarget target;
  // RTCP of a muxed flow whose other side is not muxed. Unset: goes with RTP.
  std::optional<FlowTarget> rtcp_target;

  StateIndex state = kNoState;
  StateIndex opposite_state = kNoState;

  // FlowFlag, other than kDerivedFlowFlags, which follow from the rest.
  uint16_t flags = 0;
  uint8_t dscp = 0;  // 0 to 63.
  // Bits a second, IP headers included; 0: no limit.
  uint64_t bandwidth_limit_bps = 0;

  // Source policy.
  rtp::SourceMode source_mode = rtp::SourceMode::kExact;
  // Another value opens the source lock again.
  uint8_t generation = 0;
  packet::Endpoint signalled;              // Port 0: not signalled.
  std::vector<packet::IpPrefix> prefixes;  // For kPrefix: 1 to 8.
  packet::IpAddress rtp_source;            // For kFlowRtcpOnly.

  // Negotiated payload types; ignored with kFlowDatagrams and kFlowRtcpOnly.
  rtp::PayloadMap payload_map;
};

}  // namespace sluice::flow

#endif  // SLUICE_DATAPATH_FLOW_FLOW_ENTRY_H_
