#include "datapath/rtp/source_policy.h"

#include "datapath/packet/destination.h"

namespace sluice::rtp {
namespace {

using packet::DropReason;

// How a packet's source stands to the rule, whatever came before.
enum class Standing { kForbidden, kCandidate, kExact };

Standing StandingOf(const SourceRule& rule, const SourcePacket& packet) {
  const bool is_signalled = rule.signalled.is_set() && packet.address == rule.signalled.address;
  const bool is_exact = is_signalled && packet.port == rule.signalled.port;
  if (packet.port == 0 || !packet::DestinationFault(packet.address, rule.allow_loopback).empty()) {
    return Standing::kForbidden;
  }
  switch (rule.mode) {
    case SourceMode::kExact:
      return is_exact ? Standing::kExact : Standing::kForbidden;
    case SourceMode::kSameAddress:
      return is_exact ? Standing::kExact : is_signalled ? Standing::kCandidate : Standing::kForbidden;
    case SourceMode::kPrefix:
      if (!rule.prefixes->Contains(packet.address)) return Standing::kForbidden;
      return is_exact ? Standing::kExact : Standing::kCandidate;
    case SourceMode::kAny:
      return is_exact ? Standing::kExact : Standing::kCandidate;
  }
  return Standing::kForbidden;
}

SourceDecision Refuse(const SourceRule& rule, Probation& probation) {
  SourceDecision decision = {DropReason::kSourceMismatch, SourceEvent::kNone};
  // Two workers may both tell: better twice than never.
  const uint8_t mark = static_cast<uint8_t>(rule.generation + 1);
  if (probation.refused.Load() != mark) {
    probation.refused.Store(mark);
    decision.event = SourceEvent::kRefused;
  }
  return decision;
}

// Takes the packet's source unless another worker is doing so just now.
SourceDecision Lock(const SourceRule& rule, const SourcePacket& packet, StreamIdentity& identity) {
  uint32_t word = identity.lock.load(std::memory_order_relaxed);
  const uint32_t claimed = StreamIdentity::LockWord(0, rule.generation, LockState::kClaimed);
  if (word == claimed || identity.IsLocked(rule.generation) ||
      !identity.lock.compare_exchange_strong(word, claimed, std::memory_order_acquire, std::memory_order_relaxed)) {
    return {DropReason::kSourceProbation, SourceEvent::kNone};
  }
  identity.address_high.Store(packet.address.raw_high());
  identity.address_low.Store(packet.address.raw_low());
  // Release: whoever sees the lock sees the address.
  identity.lock.store(StreamIdentity::LockWord(packet.port, rule.generation, LockState::kLocked),
                      std::memory_order_release);
  return {DropReason::kNone, SourceEvent::kLocked};
}

// Whether the candidate's probation still runs.
bool IsRunning(const Probation& probation, const SourceRule& rule, uint32_t now, uint32_t limit) {
  return probation.packets.Load() != 0 && probation.generation.Load() == rule.generation &&
         now - probation.started.Load() <= limit;
}

bool IsCandidate(const Probation& probation, const SourcePacket& packet) {
  return probation.port.Load() == packet.port && probation.address_high.Load() == packet.address.raw_high() &&
         probation.address_low.Load() == packet.address.raw_low();
}

void StartProbation(const SourceRule& rule, const SourcePacket& packet, uint32_t now, Probation& probation) {
  probation.address_high.Store(packet.address.raw_high());
  probation.address_low.Store(packet.address.raw_low());
  probation.port.Store(packet.port);
  probation.generation.Store(rule.generation);
  probation.ssrc.Store(packet.ssrc);
  probation.sequence.Store(packet.sequence);
  probation.started.Store(now);
  probation.packets.Store(1);
}

// One more packet of an allowed source. True: it has proved itself. The caller holds `busy`.
bool Prove(const SourceRule& rule, const SourcePacket& packet, uint64_t ticks_per_second, Probation& probation) {
  const uint32_t now = static_cast<uint32_t>(packet.ticks >> SourcePolicy::kProbationShift);
  const uint32_t limit =
      static_cast<uint32_t>(SourcePolicy::kSecondsToLock * ticks_per_second >> SourcePolicy::kProbationShift);
  if (!IsRunning(probation, rule, now, limit)) {
    StartProbation(rule, packet, now, probation);
    return false;
  }
  if (!IsCandidate(probation, packet)) return false;
  if (packet.kind == SourcePacketKind::kRtp) {
    const uint16_t rise = static_cast<uint16_t>(packet.sequence - probation.sequence.Load());
    if (packet.ssrc != probation.ssrc.Load() || (rise > SourcePolicy::kMaxRise && rise < 0x8000)) {
      StartProbation(rule, packet, now, probation);
      return false;
    }
    if (rise == 0 || rise >= 0x8000) return false;  // Repeated or late: proves nothing, spoils nothing.
    probation.sequence.Store(packet.sequence);
  }
  probation.packets.Add(1);
  return probation.packets.Load() >= SourcePolicy::kPacketsToLock;
}

}  // namespace

SourceDecision SourcePolicy::Consider(const SourceRule& rule, const SourcePacket& packet, uint64_t ticks_per_second,
                                      StreamIdentity& identity, Probation& probation) {
  if (identity.IsLockedTo(packet.address, packet.port, rule.generation)) return {};
  if (identity.IsLocked(rule.generation)) return Refuse(rule, probation);

  Standing standing = StandingOf(rule, packet);
  if (rule.rtcp_only) {
    if (packet.kind != SourcePacketKind::kRtcp) return Refuse(rule, probation);
    // RTCP follows RTP: the address that RTP is locked to has proved itself, another has not.
    if (standing == Standing::kCandidate && packet.address == rule.rtp_source) standing = Standing::kExact;
  }
  switch (standing) {
    case Standing::kForbidden:
      return Refuse(rule, probation);
    case Standing::kExact:
      return Lock(rule, packet, identity);
    case Standing::kCandidate:
      break;
  }
  // RTCP alone proves nothing.
  if (packet.kind == SourcePacketKind::kRtcp) return {DropReason::kSourceProbation, SourceEvent::kNone};
  if (probation.busy.exchange(1, std::memory_order_acquire) != 0) {
    return {DropReason::kSourceProbation, SourceEvent::kNone};
  }
  const bool proved = Prove(rule, packet, ticks_per_second, probation);
  if (proved) probation.packets.Store(0);
  probation.busy.store(0, std::memory_order_release);
  if (proved) return Lock(rule, packet, identity);
  return {DropReason::kSourceProbation, SourceEvent::kNone};
}

void SourcePolicy::Reset(Probation& probation) {
  probation.address_high.Store(0);
  probation.address_low.Store(0);
  probation.ssrc.Store(0);
  probation.started.Store(0);
  probation.port.Store(0);
  probation.sequence.Store(0);
  probation.busy.store(0, std::memory_order_relaxed);
  probation.packets.Store(0);
  probation.generation.Store(0);
  probation.refused.Store(0);
}

}  // namespace sluice::rtp
