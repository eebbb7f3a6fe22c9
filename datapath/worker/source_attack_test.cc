// Strangers against the source policy, through the whole pipeline: every policy against every attack, counted in
// packets that left the relay. Prints the matrix.

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "datapath/packet/packet_builder.h"
#include "datapath/rtp/rtp_builder.h"
#include "datapath/worker/pipeline_harness.h"

namespace sluice::worker {
namespace {

constexpr const char* kPeer = "198.18.1.2:21000";
constexpr const char* kPeerOtherPort = "198.18.1.2:40000";
constexpr const char* kStranger = "198.18.66.6:21000";
constexpr const char* kLocal = "198.18.1.1:24594";
constexpr uint16_t kPackets = 100;

struct Policy {
  const char* name;
  rtp::SourceMode mode;
};
constexpr Policy kPolicies[] = {{"EXACT", rtp::SourceMode::kExact},
                                {"SAME_ADDRESS", rtp::SourceMode::kSameAddress},
                                {"PREFIX", rtp::SourceMode::kPrefix},
                                {"ANY", rtp::SourceMode::kAny}};

// A relay with one flow under a policy, and the count of attackers' packets that it let through.
class Target {
 public:
  explicit Target(rtp::SourceMode mode) {
    flow::FlowSpec spec = relay_.Flow(kPeer, kLocal);
    spec.flags |= flow::kFlowRtcpMux;
    spec.source_mode = mode;
    spec.prefixes = {*packet::IpPrefix::Parse("198.18.1.0/24")};
    relay_.Publish(spec);
  }

  // The true peer sends; it is always heard.
  void PeerSends(uint16_t sequence) {
    EXPECT_FALSE(relay_.Process(RtpFrame({.sequence = sequence}, kPeer, kLocal), Now()).sent.empty());
  }
  void Attack(const Frame& frame) { leaked_ += !relay_.Process(frame, Now()).sent.empty(); }
  void AttackWithRtp(const RtpFields& fields, const char* from, const char* to = kLocal) {
    Attack(RtpFrame(fields, from, to));
  }

  int leaked() const { return leaked_; }

 private:
  uint64_t Now() { return ticks_ += PipelineHarness::kTicksPerSecond / 50; }

  PipelineHarness relay_;
  uint64_t ticks_ = 0;
  int leaked_ = 0;
};

struct AttackCase {
  const char* name;
  void (*run)(Target&);
  // Whether ANY, which takes whoever comes first, lets packets through: then it has to, or the attack is none.
  bool any_leaks = false;
};

const AttackCase kAttacks[] = {
    {"another source before the lock",
     [](Target& target) {
       for (uint16_t i = 0; i < kPackets; ++i) target.AttackWithRtp({.sequence = i}, kStranger);
     },
     true},
    {"another source after the lock",
     [](Target& target) {
       target.PeerSends(1);
       for (uint16_t i = 2; i < kPackets; ++i) target.AttackWithRtp({.sequence = i}, kStranger);
       target.PeerSends(2);
     }},
    {"the same address from another port, after the lock",
     [](Target& target) {
       target.PeerSends(1);
       for (uint16_t i = 2; i < kPackets; ++i) target.AttackWithRtp({.sequence = i}, kPeerOtherPort);
       target.PeerSends(2);
     }},
    {"four forged packets of the peer's address before its own",
     [](Target& target) {
       for (uint16_t i = 0; i < 4; ++i) target.AttackWithRtp({.sequence = i}, kPeerOtherPort);
       target.PeerSends(1);
     }},
    {"another SSRC in each packet",
     [](Target& target) {
       for (uint16_t i = 0; i < kPackets; ++i) target.AttackWithRtp({.sequence = i, .ssrc = 1000u + i}, kPeerOtherPort);
     }},
    {"the same packet again and again",
     [](Target& target) {
       for (uint16_t i = 0; i < kPackets; ++i) target.AttackWithRtp({.sequence = 7}, kPeerOtherPort);
     }},
    {"random sequence numbers",
     [](Target& target) {
       for (uint16_t i = 0; i < kPackets; ++i) {
         target.AttackWithRtp({.sequence = static_cast<uint16_t>(i * 40503)}, kPeerOtherPort);
       }
     }},
    {"a payload type that was not negotiated, forged as the peer",
     [](Target& target) {
       target.PeerSends(1);
       for (uint16_t i = 2; i < kPackets; ++i) target.AttackWithRtp({.payload_type = 96, .sequence = i}, kPeer);
       target.PeerSends(2);
     }},
    {"RTCP of four bytes, forged as the peer",
     [](Target& target) {
       for (const uint8_t type : {200, 201, 202, 203}) {
         target.Attack(packet::PacketBuilder(kPeer, kLocal).Payload({0x80, type, 0, 0}).Build());
       }
     }},
    {"whole RTCP of a stranger",
     [](Target& target) {
       const std::vector<uint8_t> report = rtp::ReceiverReport(1, {{}});
       for (int i = 0; i < kPackets; ++i) {
         target.Attack(packet::PacketBuilder(kStranger, kLocal).Payload(report).Build());
       }
     }},
    {"a packet to every port of the range",
     [](Target& target) {
       for (uint32_t port = 16384; port < 32768; ++port) {
         const std::string to = "198.18.1.1:" + std::to_string(port);
         target.AttackWithRtp({}, kStranger, to.c_str());
       }
     }},
};

TEST(SourceAttack, LeaksNothingUnderAnyPolicyButAny) {
  std::printf("%-60s", "packets leaked");
  for (const Policy& policy : kPolicies) std::printf("%14s", policy.name);
  std::printf("\n");
  for (const AttackCase& attack : kAttacks) {
    std::printf("%-60s", attack.name);
    for (const Policy& policy : kPolicies) {
      Target target(policy.mode);
      attack.run(target);
      std::printf("%14d", target.leaked());
      if (policy.mode == rtp::SourceMode::kAny && attack.any_leaks) {
        EXPECT_GT(target.leaked(), 0) << attack.name;
      } else {
        EXPECT_EQ(target.leaked(), 0) << attack.name << " under " << policy.name;
      }
    }
    std::printf("\n");
  }
}

}  // namespace
}  // namespace sluice::worker
