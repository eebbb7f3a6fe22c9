// A sequence of packets from a few sources, and of new offers, against the source policy: whatever the order, nobody is
// taken whom the mode forbids, no candidate before its fifth packet, and a lock holds until the next generation.
//
// The first byte is the mode. Then each four bytes are one packet: source and kind, sequence number, SSRC and time.

#include <array>
#include <cstdint>
#include <cstdlib>

#include "datapath/rtp/source_policy.h"

namespace {

using sluice::packet::DropReason;
using sluice::packet::Endpoint;
using sluice::packet::IpAddress;
using namespace sluice::rtp;

constexpr uint64_t kTicksPerSecond = 1'000'000'000;

void Check(bool right) {
  if (!right) std::abort();
}

Endpoint V4(uint32_t address, uint16_t port) { return {IpAddress::V4(sluice::packet::BigEndian32(address)), port}; }

// The signalled one, its address with another port, one within the prefix, one outside, and one that is never allowed.
constexpr size_t kSources = 5;
const std::array<Endpoint, kSources> kSource = {V4(0xc6120102, 21000), V4(0xc6120102, 40000), V4(0xc6120103, 21000),
                                                V4(0xc6124206, 21000), V4(0x7f000001, 21000)};

bool MayEverBeTaken(SourceMode mode, size_t source) {
  switch (mode) {
    case SourceMode::kExact:
      return source == 0;
    case SourceMode::kSameAddress:
      return source <= 1;
    case SourceMode::kPrefix:
      return source <= 2;
    case SourceMode::kAny:
      return source <= 3;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  PrefixSet prefixes;
  prefixes.count = 1;
  prefixes.prefixes[0] = *sluice::packet::IpPrefix::Of(kSource[0].address, 24);
  SourceRule rule;
  rule.mode = static_cast<SourceMode>(data[0] % 4);
  rule.signalled = kSource[0];
  rule.prefixes = &prefixes;

  StreamIdentity identity;
  Probation probation;
  uint64_t ticks = kTicksPerSecond;
  size_t locked = kSources;  // Nobody.
  std::array<int, kSources> packets = {};
  for (size_t at = 1; at + 4 <= size; at += 4) {
    const size_t source = data[at] % kSources;
    if (data[at] >= 240) {
      rule.generation = SourcePolicy::NextGeneration(identity, probation, rule.generation);
      locked = kSources;
      packets = {};
    }
    SourcePacket packet;
    packet.address = kSource[source].address;
    packet.port = kSource[source].port;
    packet.kind = data[at] % 3 == 0 ? SourcePacketKind::kRtcp : SourcePacketKind::kRtp;
    packet.sequence = data[at + 1];
    packet.ssrc = data[at + 2] % 2;
    packet.ticks = ticks += data[at + 3] * (kTicksPerSecond / 64);
    packets[source] += packet.kind == SourcePacketKind::kRtp;

    const SourceDecision decision = SourcePolicy::Consider(rule, packet, kTicksPerSecond, identity, probation);
    const bool taken = decision.verdict == DropReason::kNone;
    Check(taken || decision.verdict == DropReason::kSourceMismatch || decision.verdict == DropReason::kSourceProbation);
    if (locked != kSources) Check(taken == (source == locked));
    if (taken && locked == kSources) {
      Check(decision.event == SourceEvent::kLocked);
      Check(MayEverBeTaken(rule.mode, source));
      Check(source == 0 || packets[source] >= SourcePolicy::kPacketsToLock);
      locked = source;
    }
    if (locked != kSources) Check(identity.source() == kSource[locked]);
  }
  return 0;
}
