// From whom a flow takes packets: the state machine of symmetric RTP, safe against strangers.
//
// How it works. The controller gives each leg a mode and what was signalled. A source that matches what was signalled
// exactly is taken at once. Another source that the mode allows is on probation: it is taken after 5 packets of one
// SSRC with rising sequence numbers within 3 s (their payload types were checked before). Until then nothing of it is
// forwarded. The first candidate keeps its place for those 3 s; an exact match overtakes it. After the lock all others
// are dropped and counted. Only another `generation` in the rule (a new offer/answer) opens the lock again.
//
// RTCP is too rare for that. An RTCP flow takes an exact match, or (other than under kExact) the address that the RTP
// flow of the same leg is locked to, at any port, if the packet is valid RTCP. With RTP and RTCP on one port, RTCP is
// accepted from the locked source, and an exact match of RTCP locks.
//
// Where a flow carries no RTP, a candidate is taken after 5 packets within 3 s.
//
// Threads: Consider from any worker; a state that another worker is changing at this instant refuses. Pure: time is
// passed in.

#ifndef SLUICE_DATAPATH_RTP_SOURCE_POLICY_H_
#define SLUICE_DATAPATH_RTP_SOURCE_POLICY_H_

#include <array>
#include <atomic>
#include <cstdint>

#include "datapath/packet/drop_reason.h"
#include "datapath/packet/endpoint.h"
#include "datapath/packet/ip_prefix.h"
#include "datapath/rtp/single_writer.h"
#include "datapath/rtp/stream_identity.h"

namespace sluice::rtp {

enum class SourceMode : uint8_t {
  kExact,        // Signalled address and port.
  kSameAddress,  // Signalled address, any port.
  kPrefix,       // Any address within given prefixes.
  kAny           // Anybody.
};

// Prefixes of SourceMode::kPrefix, shared by flows that have the same (flow/shared_table.h).
struct PrefixSet {
  static constexpr int kMaxPrefixes = 8;

  bool Contains(const packet::IpAddress& address) const {
    for (uint8_t i = 0; i < count; ++i) {
      if (prefixes[i].Contains(address)) return true;
    }
    return false;
  }

  friend bool operator==(const PrefixSet&, const PrefixSet&) = default;

  template <typename Hash>
  friend Hash AbslHashValue(Hash hash, const PrefixSet& set) {
    for (uint8_t i = 0; i < set.count; ++i) {
      hash = Hash::combine(std::move(hash), set.prefixes[i].base().raw_high(), set.prefixes[i].base().raw_low(),
                           set.prefixes[i].length());
    }
    return Hash::combine(std::move(hash), set.count);
  }

  uint8_t count = 0;
  std::array<packet::IpPrefix, kMaxPrefixes> prefixes;
};

// What a flow entry says about its sources.
struct SourceRule {
  SourceMode mode = SourceMode::kExact;
  uint8_t generation = 0;
  // The flow is an RTCP port of its own.
  bool rtcp_only = false;
  // The source may be a loopback address: for tests on one host.
  bool allow_loopback = false;
  // As signalled; port 0: not signalled (yet).
  packet::Endpoint signalled;
  // For rtcp_only: what the RTP flow of the leg is locked to; unspecified: not locked yet.
  packet::IpAddress rtp_source;
  // For kPrefix. Not null then.
  const PrefixSet* prefixes = nullptr;
};

enum class SourcePacketKind : uint8_t { kRtp, kRtcp, kDatagram };

// What the policy looks at in a packet. RTP and RTCP are valid, and the payload type is a negotiated one.
struct SourcePacket {
  packet::IpAddress address;
  uint16_t port = 0;
  SourcePacketKind kind = SourcePacketKind::kRtp;
  uint16_t sequence = 0;
  uint32_t ssrc = 0;
  uint64_t ticks = 0;
};

enum class SourceEvent : uint8_t {
  kNone,
  kLocked,   // This packet's source was taken just now.
  kRefused,  // This packet's source was refused for good: the first time in this generation.
};

struct SourceDecision {
  // kNone: forward. Else kSourceMismatch or kSourceProbation.
  packet::DropReason verdict = packet::DropReason::kNone;
  SourceEvent event = SourceEvent::kNone;
};

// The candidate. Guarded by `busy`: a worker that finds it set treats the packet as on probation and goes on.
struct Probation {
  SingleWriter<uint64_t> address_high;
  SingleWriter<uint64_t> address_low;
  SingleWriter<uint32_t> ssrc;
  SingleWriter<uint32_t> started;  // Ticks >> SourcePolicy::kProbationShift.
  SingleWriter<uint16_t> port;
  SingleWriter<uint16_t> sequence;
  std::atomic<uint8_t> busy{0};
  SingleWriter<uint8_t> packets;     // 0: no candidate.
  SingleWriter<uint8_t> generation;  // Of the candidate.
  SingleWriter<uint8_t> refused;     // Generation + 1 in which a refusal was told (modulo 256, 0 is told as never).
};
static_assert(sizeof(Probation) == 32);

class SourcePolicy {
 public:
  static constexpr int kPacketsToLock = 5;
  static constexpr int kSecondsToLock = 3;
  // A rise of the sequence number by more than this is a jump, not a stream (RFC 3550 A.1).
  static constexpr uint16_t kMaxRise = 3000;
  static constexpr int kProbationShift = 16;

  // Decides about a packet whose source is not locked (StreamIdentity::IsLockedTo is the test on the hot path; Consider
  // repeats it).
  static SourceDecision Consider(const SourceRule& rule, const SourcePacket& packet, uint64_t ticks_per_second,
                                 StreamIdentity& identity, Probation& probation);

  // The generation after `generation`, with which a flow's lock is open and no probation runs: values come back after
  // 256 changes, so those of a lock or a candidate that still stands in the state are left out. Control thread.
  static uint8_t NextGeneration(const StreamIdentity& identity, const Probation& probation, uint8_t generation) {
    do ++generation;
    while (identity.IsLocked(generation) || probation.generation.Load() == generation);
    return generation;
  }

  // Before the flow is published only.
  static void Reset(Probation& probation);
};

}  // namespace sluice::rtp

#endif  // SLUICE_DATAPATH_RTP_SOURCE_POLICY_H_
