// Trunks that are known by the certificate of a TLS client, and that have connections of their own.
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "signaling/agent/agent_trunk_test_bed.h"

namespace sluice::agent {
namespace {

// Calls by the connection of a carrier that is known by its certificate, not by its address.
class AgentTrunkCertificateTest : public AgentTrunkTest {
 protected:
  static constexpr uint64_t kConnection = 7;

  AgentTrunkCertificateTest() {
    carrier_.certificate_names = {"carrier.example"};
    carrier_.has_own_tls = true;
    UsePlan();
    EXPECT_EQ(b_.Register().status(), 200);
  }

  Phone ByTls(absl::string_view address, uint64_t connection, uint32_t tls_peer = 0) {
    return Phone(bed_, "491", address,
                 {.protocol = sip::Protocol::kTls,
                  .local = *sip::Endpoint::Parse(AgentTestBed::kServer),
                  .remote = *sip::Endpoint::Parse(address),
                  .connection = connection,
                  .tls_peer = tls_peer});
  }
  // Calls B, who is busy. Answers the trunk as which it was taken; empty: it was challenged.
  std::string TakenAs(Phone& caller) {
    const sip::Message invite = caller.NewInvite("4920002230000");
    caller.Send(invite);
    sip::Message response = caller.Receive();
    std::string trunk;
    if (response.status() == 100) {
      trunk = bed_.Calls().at(0).caller.account;
      b_.Send(b_.Answer(b_.Receive(), 486));
      EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
      response = caller.Receive();
    } else {
      EXPECT_EQ(response.status(), 407);
    }
    caller.Send(caller.AckOf(invite, response));
    return trunk;
  }

  Phone stranger_ = ByTls("198.18.9.1:40000", kConnection);
};

TEST_F(AgentTrunkCertificateTest, IsTakenWithoutDigestFromAnyAddress) {
  EXPECT_EQ(TakenAs(stranger_), "");
  bed_.network().Identify(kConnection, {"other.example", "carrier.example"});
  EXPECT_EQ(TakenAs(stranger_), "carrier");
  // Nothing is left of it when a reload takes the name away.
  carrier_.certificate_names = {"another.example"};
  UsePlan();
  EXPECT_EQ(TakenAs(stranger_), "");
}

TEST_F(AgentTrunkCertificateTest, GivesNothingToOtherNamesAndConnections) {
  bed_.network().Identify(kConnection, {"other.example", "sip.carrier.example"});
  bed_.network().Identify(kConnection + 1, {"carrier.example"});
  EXPECT_EQ(TakenAs(stranger_), "");
}

TEST_F(AgentTrunkCertificateTest, IsMoreThanAnAddress) {
  Phone at_other = ByTls(kOther, kConnection);
  const sip::Message invite = at_other.NewInvite("4920002230000");
  at_other.Send(invite);
  // The other trunk, whose address this is, has no route.
  const sip::Message refusal = at_other.Receive();
  EXPECT_EQ(refusal.status(), 404);
  at_other.Send(at_other.AckOf(invite, refusal));
  bed_.network().Identify(kConnection, {"carrier.example"});
  EXPECT_EQ(TakenAs(at_other), "carrier");
}

TEST_F(AgentTrunkCertificateTest, IsTheTrunksOwnOnConnectionsThatItOpensLater) {
  bed_.network().Identify(kConnection, {"carrier.example"});
  const sip::Message invite = stranger_.NewInvite("4920002230000");
  stranger_.Send(invite);
  EXPECT_EQ(stranger_.Receive().status(), 100);
  const sip::Message at_b = b_.Receive();
  const sip::Message answer = b_.Answer(at_b, 200);
  b_.Send(answer);
  EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
  const sip::Message answered = stranger_.Receive();
  EXPECT_EQ(answered.status(), 200);
  stranger_.Send(stranger_.AckOf(invite, answered));
  b_.Send(b_.InDialogOfCallee("BYE", at_b, answer));
  const transport::TlsPeer peer = bed_.network().TlsPeerOf(bed_.network().latest_hop().tls_peer);
  EXPECT_EQ(peer.name, "carrier.example");
  EXPECT_EQ(peer.trunk, "carrier");
  stranger_.Send(stranger_.Answer(stranger_.Receive(), 200));
  EXPECT_EQ(b_.Receive().status(), 200);
}

TEST_F(AgentTrunkCertificateTest, LetsNoOtherTrunkCallByTheConnectionOfOne) {
  // Both come from one address, and the carrier's connection has another certificate than the other one's.
  carrier_.sources = {*sip::Endpoint::Parse(kOther)};
  UsePlan();
  Phone theirs = ByTls(kOther, kConnection, bed_.network().TlsPeerNumber({"sip.example", "other"}));
  const sip::Message invite = theirs.NewInvite("4920002230000");
  theirs.Send(invite);
  const sip::Message refusal = theirs.Receive();
  EXPECT_EQ(refusal.status(), 404) << "the other one has no route";
  theirs.Send(theirs.AckOf(invite, refusal));
  Phone ours = ByTls(kOther, kConnection, bed_.network().TlsPeerNumber({"sip.example", "carrier"}));
  EXPECT_EQ(TakenAs(ours), "carrier");
  Phone nobodys = ByTls(kOther, kConnection, bed_.network().TlsPeerNumber({"sip.example", "gone"}));
  EXPECT_EQ(TakenAs(nobodys), "");
}

}  // namespace
}  // namespace sluice::agent
