// Who a caller is, told to those who are trusted with it and to nobody else (RFC 3323, RFC 3325).
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "signaling/agent/agent_test_bed.h"
#include "signaling/routing/plan.h"

namespace sluice::agent {
namespace {

using sip::Header;

constexpr absl::string_view kAsserted = "\"Carol\" <sip:+4930555@carrier.example>, <tel:+4930555>";

std::shared_ptr<const routing::Trunk> TrunkAt(const Phone& phone, const std::string& name, bool trusted) {
  routing::Trunk trunk = MakeTrunk(name, phone.hop().remote.ToString());
  trunk.trusts_identities = trusted;
  return std::make_shared<const routing::Trunk>(std::move(trunk));
}

class AgentIdentityTest : public testing::Test {
 protected:
  AgentIdentityTest() {
    bed_.AddAccount("20002230001", "secret", "Alice");
    bed_.AddAccount("20002230000", "secret", "Bob");
    const auto carrier = TrunkAt(carrier_, "carrier", true);
    const auto partner = TrunkAt(partner_, "partner", true);
    const auto stranger = TrunkAt(stranger_, "stranger", false);
    std::vector<routing::Route> routes;
    for (const auto& [number, trunk] : {std::pair("01*", carrier), {"02*", partner}, {"03*", stranger}}) {
      routes.push_back({.name = trunk->name,
                        .from = {true, true, ""},
                        .number = *routing::NumberPattern::Parse(number),
                        .trunks = {{trunk, 1, 1}},
                        .calling = {0, "+49"}});
    }
    PresentOptions present;
    present.calls = std::make_shared<const call::CallOptions>(call::CallOptions{.domain = "198.18.1.1"});
    present.plan = std::make_shared<const routing::Plan>(
        std::vector<std::shared_ptr<const routing::Trunk>>{carrier, partner, stranger}, std::move(routes));
    bed_.agent().SetPresentOptions(present, bed_.now());
    b_.Register();
  }
  ~AgentIdentityTest() override { EXPECT_EQ(bed_.RemainsAfterAll(), Agent::Remains()); }

  sip::Message Invite(Phone& phone, absl::string_view to, absl::string_view privacy = "", absl::string_view from = "") {
    sip::Message invite = phone.NewInvite(to);
    invite.Add(Header::kPAssertedIdentity, kAsserted);
    invite.Add(Header::kPPreferredIdentity, "<sip:boss@198.18.1.1>");
    invite.Add(Header::kRemotePartyId, "<sip:boss@198.18.1.1>;party=calling");
    if (!privacy.empty()) invite.Add(Header::kPrivacy, privacy);
    if (!from.empty()) invite.Set(Header::kFrom, from);
    return invite;
  }

  // What `to` gets of `invite`, which it refuses.
  sip::Message Refused(Phone& from, sip::Message invite, Phone& to) {
    if (from.number() == a_.number()) {
      invite = from.SendAuthorized(std::move(invite));
    } else {
      from.Send(invite);
    }
    EXPECT_EQ(from.Receive().status(), 100);
    const sip::Message got = to.Receive();
    EXPECT_EQ(got.method(), sip::Method::kInvite);
    EXPECT_FALSE(got.Has(Header::kPPreferredIdentity));
    EXPECT_FALSE(got.Has(Header::kRemotePartyId));
    to.Send(to.Answer(got, 486));
    EXPECT_EQ(to.Receive().method(), sip::Method::kAck);
    from.Send(from.AckOf(invite, from.Receive()));
    return got;
  }

  AgentTestBed bed_;
  Phone a_ = bed_.NewPhone("20002230001", "198.18.1.2:45426", "198.18.1.2:45426");
  Phone b_ = bed_.NewPhone("20002230000", "198.18.2.9:43518", "198.18.2.9:43518");
  Phone carrier_ = bed_.NewPhone("4930555", "198.18.3.1:5060", "198.18.3.1:5060");
  Phone partner_ = bed_.NewPhone("4940777", "198.18.3.2:5060", "198.18.3.2:5060");
  Phone stranger_ = bed_.NewPhone("666", "198.18.3.3:5060", "198.18.3.3:5060");
};

constexpr absl::string_view kNobody = "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=";

TEST_F(AgentIdentityTest, OfAnAccountIsAssertedToTrustedTrunks) {
  const sip::Message got = Refused(a_, Invite(a_, "01"), carrier_);
  EXPECT_EQ(got.Get(Header::kPAssertedIdentity), "\"Alice\" <sip:+4920002230001@198.18.1.1>");
  EXPECT_TRUE(absl::StartsWith(got.Get(Header::kFrom), "\"Alice\" <sip:+4920002230001@198.18.1.1>;tag="));
}

TEST_F(AgentIdentityTest, IsNotToldToOthers) {
  EXPECT_FALSE(Refused(a_, Invite(a_, "03"), stranger_).Has(Header::kPAssertedIdentity));
  EXPECT_FALSE(Refused(a_, Invite(a_, "20002230000"), b_).Has(Header::kPAssertedIdentity));
  EXPECT_FALSE(Refused(carrier_, Invite(carrier_, "20002230000"), b_).Has(Header::kPAssertedIdentity));
  EXPECT_FALSE(Refused(carrier_, Invite(carrier_, "03"), stranger_).Has(Header::kPAssertedIdentity));
}

TEST_F(AgentIdentityTest, OfATrustedTrunkGoesToAnotherAsItCame) {
  EXPECT_EQ(Refused(carrier_, Invite(carrier_, "02"), partner_).Get(Header::kPAssertedIdentity), kAsserted);
}

TEST_F(AgentIdentityTest, IsNotBelievedOfOthers) {
  EXPECT_FALSE(Refused(stranger_, Invite(stranger_, "02"), partner_).Has(Header::kPAssertedIdentity));
}

TEST_F(AgentIdentityTest, IsHiddenFromAllButTrustedTrunksWherePrivacyWantsIt) {
  const sip::Message at_carrier = Refused(a_, Invite(a_, "01", "id"), carrier_);
  EXPECT_EQ(at_carrier.Get(Header::kPAssertedIdentity), "\"Alice\" <sip:+4920002230001@198.18.1.1>");
  EXPECT_EQ(at_carrier.Get(Header::kPrivacy), "id");
  EXPECT_TRUE(absl::StartsWith(at_carrier.Get(Header::kFrom), kNobody));
  for (Phone* phone : {&stranger_, &b_}) {
    const sip::Message got = Refused(a_, Invite(a_, phone == &b_ ? "20002230000" : "03", "id"), *phone);
    EXPECT_FALSE(got.Has(Header::kPAssertedIdentity));
    EXPECT_TRUE(absl::StartsWith(got.Get(Header::kFrom), kNobody)) << got.Get(Header::kFrom);
    EXPECT_FALSE(absl::StrContains(got.Get(Header::kContact), a_.number()));
  }
  EXPECT_EQ(bed_.Records()[0].caller.number, "20002230001");
}

TEST_F(AgentIdentityTest, OfAnAccountThatNamesNobodyIsProvedByItsDigest) {
  const sip::Message at_carrier = Refused(a_, Invite(a_, "01", "", absl::StrCat(kNobody, "x")), carrier_);
  EXPECT_EQ(at_carrier.Get(Header::kPAssertedIdentity), "\"Alice\" <sip:+4920002230001@198.18.1.1>");
  EXPECT_TRUE(absl::StartsWith(at_carrier.Get(Header::kFrom), kNobody));
  EXPECT_EQ(at_carrier.Get(Header::kPrivacy), "id") << "the trunk must not tell";
  const sip::Message at_b = Refused(a_, Invite(a_, "20002230000", "", absl::StrCat(kNobody, "x")), b_);
  EXPECT_TRUE(absl::StartsWith(at_b.Get(Header::kFrom), kNobody));
  EXPECT_EQ(bed_.Records()[0].caller.account, "20002230001");
}

TEST_F(AgentIdentityTest, OfAnAnonymousCallerIsRecordedAsATrustedTrunkSays) {
  const sip::Message got = Refused(carrier_, Invite(carrier_, "20002230000", "id", absl::StrCat(kNobody, "x")), b_);
  EXPECT_TRUE(absl::StartsWith(got.Get(Header::kFrom), kNobody));
  EXPECT_EQ(bed_.Records()[0].caller.number, "+4930555");
  Refused(stranger_, Invite(stranger_, "20002230000", "id", absl::StrCat(kNobody, "x")), b_);
  EXPECT_EQ(bed_.Records()[0].caller.number, "anonymous");
}

TEST_F(AgentIdentityTest, OfTheOneWhoAnswersCrossesBetweenTrustedTrunksOnly) {
  for (Phone* callee : {&partner_, &stranger_}) {
    const sip::Message invite = carrier_.NewInvite(callee == &partner_ ? "02" : "03");
    carrier_.Send(invite);
    EXPECT_EQ(carrier_.Receive().status(), 100);
    const sip::Message got = callee->Receive();
    sip::Message answer = callee->Answer(got, 200);
    answer.Add(Header::kPAssertedIdentity, "<sip:4940778@partner.example>");
    callee->Send(answer);
    EXPECT_EQ(callee->Receive().method(), sip::Method::kAck);
    const sip::Message answered = carrier_.Receive();
    EXPECT_EQ(answered.Get(Header::kPAssertedIdentity), callee == &partner_ ? "<sip:4940778@partner.example>" : "");
    carrier_.Send(carrier_.AckOf(invite, answered));
    carrier_.Send(carrier_.InDialog("BYE", invite, answered));
    EXPECT_EQ(carrier_.Receive().status(), 200);
    callee->Send(callee->Answer(callee->Receive(), 200));
  }
}

TEST_F(AgentIdentityTest, StaysHiddenWhereAHiddenCallerTransfersTheCall) {
  for (Phone* target : {&stranger_, &carrier_}) {
    const sip::Message invite = a_.SendAuthorized(Invite(a_, "20002230000", "id"));
    EXPECT_EQ(a_.Receive().status(), 100);
    b_.Send(b_.Answer(b_.Receive(), 200));
    EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
    const sip::Message answered = a_.Receive();
    a_.Send(a_.AckOf(invite, answered));

    sip::Message refer = a_.InDialog("REFER", invite, answered);
    refer.Add(Header::kReferTo, absl::StrCat("<sip:", target == &carrier_ ? "01" : "03", "@198.18.1.1>"));
    refer.Add(Header::kReferredBy, "<sip:20002230001@198.18.1.1>");
    a_.Send(refer);
    EXPECT_EQ(a_.Receive().status(), 202);
    a_.Send(a_.Answer(a_.Receive(), 200));
    const sip::Message got = target->Receive();
    EXPECT_TRUE(absl::StartsWith(got.Get(Header::kFrom), kNobody)) << got.Get(Header::kFrom);
    EXPECT_FALSE(absl::StrContains(got.Get(Header::kContact), a_.number()));
    EXPECT_FALSE(absl::StrContains(got.Get(Header::kReferredBy), a_.number()));
    // Who is trusted with it keeps it to itself.
    const bool trusted = target == &carrier_;
    EXPECT_EQ(got.Get(Header::kPAssertedIdentity), trusted ? "\"Alice\" <sip:+4920002230001@198.18.1.1>" : "");
    EXPECT_EQ(got.Get(Header::kPrivacy), trusted ? "id" : "");

    target->Send(target->Answer(got, 486));
    EXPECT_EQ(target->Receive().method(), sip::Method::kAck);
    a_.Send(a_.Answer(a_.Receive(), 200));
    sip::Message bye = a_.InDialog("BYE", invite, answered);
    bye.Set(Header::kCSeq, absl::StrCat(refer.CSeqNumber() + 1, " BYE"));
    a_.Send(bye);
    EXPECT_EQ(a_.Receive().status(), 200);
    b_.Send(b_.Answer(b_.Receive(), 200));
  }
}

TEST_F(AgentIdentityTest, GoesWithMessagesAsWithCalls) {
  sip::Message message = a_.NewRequest("MESSAGE", "01");
  message.Add(Header::kPrivacy, "id");
  a_.SendAuthorized(message);
  const sip::Message got = carrier_.Receive();
  EXPECT_EQ(got.Get(Header::kPAssertedIdentity), "\"Alice\" <sip:+4920002230001@198.18.1.1>");
  EXPECT_TRUE(absl::StartsWith(got.Get(Header::kFrom), kNobody));
  carrier_.Send(carrier_.Answer(got, 200));
  EXPECT_EQ(a_.Receive().status(), 200);
}

}  // namespace
}  // namespace sluice::agent
