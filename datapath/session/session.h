// A session as the relay keeps it: what was asked for and what it was given, in as few bytes as that needs.
//
// Sets that many legs have in common (codecs, source prefixes) are kept once and named by an index. What a peer's
// source was learned to be is not here: it is in the flow's state, where the worker that learned it wrote it
// (rtp/stream_identity.h), so there is one truth.
//
// Memory of a session with one stream of RTP and RTCP on two ports each: 620 bytes here and 4 x 328 bytes for its
// flows (flow/flow_state.h); session_memory_test.cc holds it below 2 KiB.
//
// Threads: the control thread.

#ifndef SLUICE_DATAPATH_SESSION_SESSION_H_
#define SLUICE_DATAPATH_SESSION_SESSION_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "datapath/flow/flow_entry.h"
#include "datapath/packet/endpoint.h"
#include "datapath/packet/ip_prefix.h"
#include "datapath/rtp/payload_map.h"
#include "datapath/rtp/source_policy.h"
#include "datapath/session/intern_table.h"
#include "datapath/session/media_networks.h"
#include "datapath/session/session_spec.h"
#include "datapath/session/timer_wheel.h"
#include "datapath/session/writer_epochs.h"

namespace sluice::session {

// A list of payload types as workers need it.
struct CodecSet {
  std::vector<PayloadType> types;
  rtp::PayloadMap map;
  uint32_t event_clock_rate = 0;  // Of telephone-event; 0: not negotiated.

  // Its encoding name; empty if `number` is not in the list.
  std::string_view EncodingOf(uint8_t number) const;
};
using CodecSets = InternTable<std::vector<PayloadType>, CodecSet>;
using PrefixLists = InternTable<rtp::PrefixSet, std::vector<packet::IpPrefix>>;

CodecSet MakeCodecSet(const std::vector<PayloadType>& types, uint64_t ticks_per_second);

// Bits of Leg::told.
enum MediaTold : uint8_t { kToldNoFirstPacket = 1 << 0, kToldOneWay = 1 << 1, kToldSilence = 1 << 2 };

struct Leg {
  packet::Endpoint remote;
  packet::Endpoint remote_rtcp;
  uint64_t bandwidth_limit_bps = 0;
  // Since when media is due from this leg's peer, nanoseconds since 1970; 0: it is not (hold, not yet signalled).
  int64_t expected_since = 0;
  flow::StateIndex state = flow::kNoState;       // Of what arrives at the RTP port.
  flow::StateIndex rtcp_state = flow::kNoState;  // Of what arrives at the next port; kNoState: there is none.
  CodecSets::Index codecs = 0;
  PrefixLists::Index prefixes = 0;
  // Next hops towards this leg's peer; one reference each.
  flow::NextHopIndex next_hop = flow::kNoNextHop;
  flow::NextHopIndex rtcp_next_hop = flow::kNoNextHop;
  LocalPorts local;
  rtp::SourceMode source_mode = rtp::SourceMode::kExact;
  RtcpMode rtcp_mode = RtcpMode::kNextPort;
  Direction direction = Direction::kSendRecv;
  uint8_t dscp = 0;
  // Of the source locks: another value opens them.
  uint8_t generation = 0;
  uint8_t rtcp_generation = 0;
  uint8_t told = 0;

  // Whether RTCP has a flow of its own here.
  bool has_rtcp_flow() const { return rtcp_state != flow::kNoState && rtcp_mode != RtcpMode::kMux; }
};

struct Stream {
  uint8_t stream_id = 0;
  MediaKind kind = MediaKind::kRtp;
  bool capture = false;
  std::array<Leg, 2> legs;
};

// In milliseconds; 0: off; kDefaultTimeout: the relay's default.
inline constexpr uint32_t kDefaultTimeout = 0xffffffff;
struct Timeouts {
  uint32_t first_packet = kDefaultTimeout;
  uint32_t one_way = kDefaultTimeout;
  uint32_t silence = kDefaultTimeout;

  friend bool operator==(const Timeouts&, const Timeouts&) = default;
};

struct Session : TimerWheel::Timer {
  std::string session_id;
  std::string label;
  std::vector<Stream> streams;
  int64_t create_time = 0;  // Nanoseconds since 1970.
  int64_t update_time = 0;
  Timeouts timeouts;
  WriterEpochs::ShardIndex shard = 0;
};

// Which leg's flow a state belongs to.
struct FlowOwner {
  Session* session = nullptr;
  uint8_t stream = 0;  // Its place in Session::streams.
  uint8_t leg = 0;
  bool is_rtcp = false;
};

}  // namespace sluice::session

#endif  // SLUICE_DATAPATH_SESSION_SESSION_H_
