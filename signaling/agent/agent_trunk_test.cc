// Calls from and to trunks: routes, names, credentials, places.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "signaling/agent/agent_trunk_test_bed.h"
#include "signaling/routing/plan.h"

namespace sluice::agent {
namespace {

TEST_F(AgentTrunkTest, CarriesANumberThatNobodyHasToTheTrunkOfItsRoute) {
  const auto call = Establish();
  ASSERT_EQ(bed_.Calls().size(), 1u);
  EXPECT_EQ(bed_.Calls()[0].callee.account, "carrier");
  EXPECT_EQ(bed_.Calls()[0].callee.number, "030123");
  EXPECT_EQ(bed_.limiter().UsageOf(CallLimiter::TrunkKey("carrier")).calls, 1u);
  HangUp(call);
  ASSERT_EQ(bed_.Records().size(), 1u);
}

TEST_F(AgentTrunkTest, RewritesBothNumbers) {
  const sip::Message invite = a_.SendAuthorized(a_.NewInvite("030123"));
  a_.Receive();
  const sip::Message at_carrier = InviteAt(carrier_phone_);
  EXPECT_EQ(at_carrier.request_uri(), "sip:+4930123@198.18.3.1:5060");
  EXPECT_EQ(at_carrier.To()->uri.text(), "sip:+4930123@198.18.3.1");
  EXPECT_EQ(at_carrier.From()->uri.text(), "sip:+20002230001@198.18.1.1");
  const sip::Message refusal = carrier_phone_.Answer(at_carrier, 486);
  carrier_phone_.Send(refusal);
  EXPECT_EQ(carrier_phone_.Receive().method(), sip::Method::kAck);
  const sip::Message response = a_.Receive();
  EXPECT_EQ(response.status(), 486);
  a_.Send(a_.AckOf(invite, response));
}

TEST_F(AgentTrunkTest, AnswersTheTrunksChallenge) {
  const sip::Message invite = a_.SendAuthorized(a_.NewInvite("030123"));
  a_.Receive();
  const sip::Message first = InviteAt(carrier_phone_);
  sip::Message challenge = carrier_phone_.Answer(first, 407);
  challenge.Add(sip::Header::kProxyAuthenticate,
                absl::StrCat("Digest realm=\"", kPhoneRealm, "\", nonce=\"n\", qop=\"auth\""));
  carrier_phone_.Send(challenge);
  EXPECT_EQ(carrier_phone_.Receive().method(), sip::Method::kAck);
  const sip::Message second = InviteAt(carrier_phone_);
  EXPECT_TRUE(absl::StrContains(second.Get(sip::Header::kProxyAuthorization), "username=\"user\""));
  // One call has one place.
  EXPECT_EQ(bed_.limiter().UsageOf(CallLimiter::TrunkKey("carrier")).calls, 1u);
  carrier_phone_.Send(carrier_phone_.Answer(second, 603));
  EXPECT_EQ(carrier_phone_.Receive().method(), sip::Method::kAck);
  const sip::Message response = a_.Receive();
  EXPECT_EQ(response.status(), 603);
  a_.Send(a_.AckOf(invite, response));
}

TEST_F(AgentTrunkTest, TriesTheNextTrunkWhenOneIsOutOfService) {
  const sip::Message invite = a_.SendAuthorized(a_.NewInvite("030123"));
  a_.Receive();
  carrier_phone_.Send(carrier_phone_.Answer(carrier_phone_.Receive(), 503));
  EXPECT_EQ(carrier_phone_.Receive().method(), sip::Method::kAck);
  const sip::Message at_other = InviteAt(other_phone_);
  EXPECT_EQ(at_other.request_uri(), "sip:+4930123@198.18.3.2:5060");
  EXPECT_EQ(bed_.Calls()[0].callee.account, "other");
  EXPECT_EQ(bed_.limiter().UsageOf(CallLimiter::TrunkKey("carrier")).calls, 0u);
  other_phone_.Send(other_phone_.Answer(at_other, 404));
  EXPECT_EQ(other_phone_.Receive().method(), sip::Method::kAck);
  const sip::Message response = a_.Receive();
  EXPECT_EQ(response.status(), 404);
  a_.Send(a_.AckOf(invite, response));
}

TEST_F(AgentTrunkTest, TriesTheNextTrunkAtOnceWhenNoConnectionTakesTheInvite) {
  const sip::Message invite = a_.SendAuthorized(a_.NewInvite("030123"));
  EXPECT_EQ(a_.Receive().status(), 100);
  bed_.agent().OnUndelivered(carrier_phone_.Receive().Serialize(), bed_.now());
  const sip::Message at_other = InviteAt(other_phone_);
  EXPECT_TRUE(bed_.health().IsDown(TriedServer::At(carrier_phone_.hop())));
  other_phone_.Send(other_phone_.Answer(at_other, 486));
  EXPECT_EQ(other_phone_.Receive().method(), sip::Method::kAck);
  const sip::Message response = a_.Receive();
  EXPECT_EQ(response.status(), 486);
  a_.Send(a_.AckOf(invite, response));
}

TEST_F(AgentTrunkTest, PassesOverATrunkThatIsFull) {
  carrier_.limits.calls = 1;
  UsePlan();
  const auto call = Establish();
  const sip::Message invite = a_.SendAuthorized(a_.NewInvite("030124"));
  EXPECT_EQ(a_.Receive().status(), 100);
  const sip::Message at_other = InviteAt(other_phone_);
  EXPECT_FALSE(bed_.network().Has(carrier_phone_.hop().remote));
  EXPECT_EQ(bed_.limiter().UsageOf(CallLimiter::TrunkKey("carrier")).refused, 1u);
  other_phone_.Send(other_phone_.Answer(at_other, 486));
  other_phone_.Receive();
  const sip::Message response = a_.Receive();
  a_.Send(a_.AckOf(invite, response));
  HangUp(call);
}

TEST_F(AgentTrunkTest, FindsTheServersOfATrunkByName) {
  bed_.dns().Set("_sip._udp.carrier.example", dns::RecordType::kSrv,
                 {.services = {{1, 0, 5060, "a.example"}, {2, 0, 5060, "b.example"}}});
  bed_.dns().Set("a.example", dns::RecordType::kA, {.addresses = {*sip::Endpoint::Make("198.18.3.1", 0)}});
  bed_.dns().Set("b.example", dns::RecordType::kA, {.addresses = {*sip::Endpoint::Make("198.18.3.9", 0)}});
  carrier_.peers = {{std::nullopt, "carrier.example", 0}};
  UsePlan();
  const sip::Message invite = a_.SendAuthorized(a_.NewInvite("030123"));
  a_.Receive();
  const sip::Message at_first = carrier_phone_.Receive();
  EXPECT_EQ(at_first.request_uri(), "sip:+4930123@carrier.example");
  EXPECT_EQ(at_first.To()->uri.text(), "sip:+4930123@carrier.example");
  carrier_phone_.Send(carrier_phone_.Answer(at_first, 503));
  EXPECT_EQ(carrier_phone_.Receive().method(), sip::Method::kAck);
  Phone second = bed_.NewPhone("491", "198.18.3.9:5060", "198.18.3.9:5060");
  const sip::Message at_second = InviteAt(second);
  EXPECT_EQ(at_second.request_uri(), "sip:+4930123@carrier.example");
  EXPECT_EQ(bed_.Calls()[0].callee.account, "carrier");
  second.Send(second.Answer(at_second, 486));
  EXPECT_EQ(second.Receive().method(), sip::Method::kAck);
  const sip::Message response = a_.Receive();
  EXPECT_EQ(response.status(), 486);
  a_.Send(a_.AckOf(invite, response));
}

TEST_F(AgentTrunkTest, GoesToTheNextTrunkWhileTheNameOfOneIsUnknown) {
  bed_.dns().SetSlow(true);
  carrier_.peers = {{sip::Protocol::kUdp, "sip.carrier.example", 5060}};
  UsePlan();
  const sip::Message invite = a_.SendAuthorized(a_.NewInvite("030123"));
  a_.Receive();
  const sip::Message at_other = InviteAt(other_phone_);
  other_phone_.Send(other_phone_.Answer(at_other, 486));
  EXPECT_EQ(other_phone_.Receive().method(), sip::Method::kAck);
  a_.Send(a_.AckOf(invite, a_.Receive()));
}

TEST_F(AgentTrunkTest, RefusesACallWhenNoServerIsKnown) {
  carrier_.peers = {{sip::Protocol::kUdp, "sip.carrier.example", 5060}};
  has_other_ = false;
  UsePlan();
  EXPECT_EQ(RefusalOfA("030123"), 503);
  EXPECT_EQ(bed_.Records().front().sip_status, 503u);
}

TEST_F(AgentTrunkTest, PutsASilentServerBehindTheOthersUntilItAnswersAnOptions) {
  const sip::Message invite = a_.SendAuthorized(a_.NewInvite("030123"));
  a_.Receive();
  bed_.Pass(absl::Seconds(4));
  const TriedServer carrier = TriedServer::At(carrier_phone_.hop());
  EXPECT_TRUE(bed_.health().IsDown(carrier));
  while (bed_.network().Take(carrier.destination.address).has_value()) {
  }
  const sip::Message at_other = InviteAt(other_phone_);
  other_phone_.Send(other_phone_.Answer(at_other, 486));
  EXPECT_EQ(other_phone_.Receive().method(), sip::Method::kAck);
  a_.Send(a_.AckOf(invite, a_.Receive()));
  // The next call does not find out once more.
  const sip::Message next = a_.SendAuthorized(a_.NewInvite("030124"));
  a_.Receive();
  const sip::Message next_at_other = InviteAt(other_phone_);
  EXPECT_FALSE(bed_.network().Has(carrier.destination.address));
  other_phone_.Send(other_phone_.Answer(next_at_other, 486));
  EXPECT_EQ(other_phone_.Receive().method(), sip::Method::kAck);
  a_.Send(a_.AckOf(next, a_.Receive()));

  bed_.Pass(absl::Seconds(5));
  sip::Message probe = carrier_phone_.Receive();
  // The INVITE that it has not answered is sent until Timer B, so that it can be told that nobody wants it any more.
  while (probe.method() == sip::Method::kInvite) probe = carrier_phone_.Receive();
  EXPECT_EQ(probe.StartLine(), "OPTIONS sip:198.18.3.1:5060 SIP/2.0");
  carrier_phone_.Send(sip::Message::ResponseTo(probe, 404, "tag"));
  EXPECT_FALSE(bed_.health().IsDown(carrier));
  HangUp(Establish());
}

TEST_F(AgentTrunkTest, RecordsACallAtItsEndThoughASilentServerMayStillAnswer) {
  const sip::Message invite = a_.SendAuthorized(a_.NewInvite("030123"));
  a_.Receive();
  bed_.Pass(absl::Seconds(4));
  const sip::Message at_other = InviteAt(other_phone_);
  other_phone_.Send(other_phone_.Answer(at_other, 200));
  EXPECT_EQ(other_phone_.Receive().method(), sip::Method::kAck);
  const sip::Message answer = a_.Receive();
  a_.Send(a_.AckOf(invite, answer));
  a_.Send(a_.InDialog("BYE", invite, answer));
  EXPECT_EQ(a_.Receive().status(), 200);
  const auto records = bed_.Records();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].ended_by, store::EndedBy::kCaller);
  EXPECT_EQ(records[0].sip_status, 200u);
  EXPECT_EQ(bed_.limiter().UsageOf(CallLimiter::AccountKey("20002230001")).calls, 0u);
  EXPECT_EQ(bed_.agent().remains().calls, 1u) << "whose BYE and INVITE are not answered yet";
  bed_.Pass(absl::Minutes(1));
  EXPECT_EQ(bed_.agent().remains().calls, 0u);
  EXPECT_EQ(bed_.Records().size(), 1u);
  while (bed_.network().Take(*sip::Endpoint::Parse(kCarrier)).has_value()) {
  }
}

TEST_F(AgentTrunkTest, LeavesAServerAloneForAsLongAsIts503Says) {
  const sip::Message invite = a_.SendAuthorized(a_.NewInvite("030123"));
  a_.Receive();
  sip::Message busy = carrier_phone_.Answer(carrier_phone_.Receive(), 503);
  busy.Add(sip::Header::kRetryAfter, "60");
  carrier_phone_.Send(busy);
  EXPECT_EQ(carrier_phone_.Receive().method(), sip::Method::kAck);
  EXPECT_TRUE(bed_.health().IsDown(TriedServer::At(carrier_phone_.hop())));
  const sip::Message at_other = InviteAt(other_phone_);
  other_phone_.Send(other_phone_.Answer(at_other, 486));
  EXPECT_EQ(other_phone_.Receive().method(), sip::Method::kAck);
  a_.Send(a_.AckOf(invite, a_.Receive()));
  bed_.Pass(absl::Seconds(59));
  EXPECT_FALSE(bed_.network().Has(carrier_phone_.hop().remote));
  bed_.Pass(absl::Seconds(1));
  carrier_phone_.Send(sip::Message::ResponseTo(carrier_phone_.Receive(), 200, "tag"));
  EXPECT_FALSE(bed_.health().IsDown(TriedServer::At(carrier_phone_.hop())));
}

TEST_F(AgentTrunkTest, LeavesAwayWhatAServerDoesNotWant) {
  carrier_.overload_control = true;
  UsePlan();
  const sip::Message invite = a_.SendAuthorized(a_.NewInvite("030123"));
  a_.Receive();
  const sip::Message at_carrier = InviteAt(carrier_phone_);
  EXPECT_TRUE(at_carrier.TopVia()->parameters.Has("oc"));
  EXPECT_EQ(at_carrier.TopVia()->parameters.GetText("oc-algo"), "loss");
  sip::Message busy = carrier_phone_.Answer(at_carrier, 486);
  busy.Set(sip::Header::kVia,
           absl::StrReplaceAll(busy.Get(sip::Header::kVia), {{";oc;", ";oc=100;oc-validity=5000;oc-seq=1.5;"}}));
  carrier_phone_.Send(busy);
  EXPECT_EQ(carrier_phone_.Receive().method(), sip::Method::kAck);
  a_.Send(a_.AckOf(invite, a_.Receive()));

  const sip::Message next = a_.SendAuthorized(a_.NewInvite("030124"));
  a_.Receive();
  const sip::Message at_other = InviteAt(other_phone_);
  EXPECT_FALSE(at_other.TopVia()->parameters.Has("oc"));
  EXPECT_FALSE(bed_.network().Has(carrier_phone_.hop().remote));
  other_phone_.Send(other_phone_.Answer(at_other, 486));
  EXPECT_EQ(other_phone_.Receive().method(), sip::Method::kAck);
  a_.Send(a_.AckOf(next, a_.Receive()));

  sip::Message urgent = a_.NewInvite("030125");
  urgent.Add("Resource-Priority", "esnet.0");
  urgent = a_.SendAuthorized(std::move(urgent));
  a_.Receive();
  carrier_phone_.Send(carrier_phone_.Answer(InviteAt(carrier_phone_), 486));
  EXPECT_EQ(carrier_phone_.Receive().method(), sip::Method::kAck);
  a_.Send(a_.AckOf(urgent, a_.Receive()));

  bed_.Pass(absl::Seconds(5));
  HangUp(Establish());
}

TEST_F(AgentTrunkTest, TakesCallsFromWhereverATrunksNameIsIfThatIsSaid) {
  EXPECT_EQ(b_.Register().status(), 200);
  bed_.dns().Set("sip.carrier.example", dns::RecordType::kA, {.addresses = {*sip::Endpoint::Make("198.18.3.7", 0)}});
  carrier_.peers = {{sip::Protocol::kUdp, "sip.carrier.example", 5060}};
  UsePlan();
  Phone caller = bed_.NewPhone("491", "198.18.3.7:5070", "198.18.3.7:5070");
  sip::Message invite = caller.NewInvite("4920002230000");
  caller.Send(invite);
  const sip::Message challenge = caller.Receive();
  EXPECT_EQ(challenge.status(), 407);
  caller.Send(caller.AckOf(invite, challenge));
  carrier_.sources_are_servers = true;
  UsePlan();
  invite = caller.NewInvite("4920002230000");
  caller.Send(invite);
  EXPECT_EQ(caller.Receive().status(), 100);
  const sip::Message at_b = b_.Receive();
  b_.Send(b_.Answer(at_b, 486));
  EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
  caller.Send(caller.AckOf(invite, caller.Receive()));
}

TEST_F(AgentTrunkTest, FollowsTheRedirectionOfATrunkByItsRightsThoughItNeverCalls) {
  EXPECT_EQ(b_.Register().status(), 200);
  carrier_.sources.clear();
  carrier_.follow_redirections = true;
  // No account of its name has anything to do with it.
  bed_.AddAccount("carrier", "secret");
  UsePlan();
  const sip::Message invite = a_.SendAuthorized(a_.NewInvite("030123"));
  EXPECT_EQ(a_.Receive().status(), 100);
  sip::Message redirection = carrier_phone_.Answer(InviteAt(carrier_phone_), 302);
  redirection.Set(sip::Header::kContact, "<sip:4920002230000@198.18.1.1>");
  carrier_phone_.Send(redirection);
  EXPECT_EQ(carrier_phone_.Receive().method(), sip::Method::kAck);
  const sip::Message at_b = b_.Receive();
  EXPECT_EQ(at_b.method(), sip::Method::kInvite);
  b_.Send(b_.Answer(at_b, 486));
  EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
  a_.Send(a_.AckOf(invite, a_.Receive()));
}

TEST_F(AgentTrunkTest, ReleasesMediaWhereTheRouteSaysSo) {
  released_ = true;
  UsePlan();
  const sip::Message invite = a_.SendAuthorized(a_.NewInvite("030123"));
  a_.Receive();
  const sip::Message at_carrier = InviteAt(carrier_phone_);
  EXPECT_EQ(at_carrier.body(), invite.body());
  EXPECT_TRUE(bed_.fleet().Sessions().empty());
  carrier_phone_.Send(carrier_phone_.Answer(at_carrier, 486));
  carrier_phone_.Receive();
  a_.Send(a_.AckOf(invite, a_.Receive()));
}

TEST_F(AgentTrunkTest, TakesCallsOfATrunkWithoutDigestToAnAccount) {
  EXPECT_EQ(b_.Register().status(), 200);
  const sip::Message invite = carrier_phone_.NewInvite("4920002230000");
  carrier_phone_.Send(invite);
  EXPECT_EQ(carrier_phone_.Receive().status(), 100);
  const sip::Message at_b = b_.Receive();
  EXPECT_EQ(at_b.method(), sip::Method::kInvite);
  EXPECT_EQ(at_b.From()->uri.DecodedUser(), "491");
  ASSERT_EQ(bed_.Calls().size(), 1u);
  EXPECT_EQ(bed_.Calls()[0].caller.account, "carrier");
  EXPECT_EQ(bed_.Calls()[0].callee.account, "20002230000");
  b_.Send(b_.Answer(at_b, 486));
  EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
  const sip::Message response = carrier_phone_.Receive();
  EXPECT_EQ(response.status(), 486);
  carrier_phone_.Send(carrier_phone_.AckOf(invite, response));
}

TEST_F(AgentTrunkTest, LeadsNoTrunkToAnotherOne) {
  const sip::Message invite = carrier_phone_.NewInvite("030123");
  carrier_phone_.Send(invite);
  const sip::Message response = carrier_phone_.Receive();
  EXPECT_EQ(response.status(), 404);
  carrier_phone_.Send(carrier_phone_.AckOf(invite, response));
}

TEST_F(AgentTrunkTest, BlocksWhatARouteRefuses) {
  EXPECT_EQ(RefusalOfA("0088112345"), 403);
  EXPECT_FALSE(bed_.network().Take(*sip::Endpoint::Parse(kCarrier)).has_value());
  const auto records = bed_.Records();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].sip_status, 403);
  EXPECT_EQ(records[0].text, "Number is blocked");
}

TEST_F(AgentTrunkTest, ChallengesAnotherPortOfATrunksAddress) {
  Phone stranger = bed_.NewPhone("491", "198.18.3.1:5061", "198.18.3.1:5061");
  const sip::Message invite = stranger.NewInvite("4920002230000");
  stranger.Send(invite);
  const sip::Message response = stranger.Receive();
  EXPECT_EQ(response.status(), 407);
  stranger.Send(stranger.AckOf(invite, response));
}

TEST_F(AgentTrunkTest, KeepsACallThatExistsThroughAReload) {
  const auto call = Establish();
  PresentOptions without;
  without.calls = std::make_shared<const call::CallOptions>();
  bed_.agent().SetPresentOptions(without, bed_.now());
  EXPECT_EQ(RefusalOfA("030124"), 404);
  HangUp(call);
}

TEST_F(AgentTrunkTest, RegistersAtATrunkAndTakesItBackWhenItIsGone) {
  carrier_.registers = true;
  carrier_.from_user = "user";
  UsePlan();
  EXPECT_EQ(bed_.trunks().Find("carrier").state, TrunkBook::State::kTrying);
  bed_.Pass(absl::ZeroDuration());
  const sip::Message request = carrier_phone_.Receive();
  EXPECT_EQ(request.method(), sip::Method::kRegister);
  EXPECT_EQ(request.Contact()->uri.text(), "sip:user@198.18.1.1:7080");
  sip::Message response = sip::Message::ResponseTo(request, 200, "tag");
  response.Add(sip::Header::kExpires, "100");
  carrier_phone_.Send(response);
  EXPECT_EQ(bed_.trunks().Find("carrier").state, TrunkBook::State::kRegistered);
  // A reload that does not change the trunk changes nothing.
  UsePlan();
  bed_.Pass(absl::Seconds(74));
  EXPECT_FALSE(bed_.network().Has(carrier_phone_.hop().remote));
  // In small steps, so that it is not sent again before it is seen.
  for (int i = 0; i < 170 && !bed_.network().Has(carrier_phone_.hop().remote); ++i) bed_.Pass(absl::Milliseconds(100));
  carrier_phone_.Send(sip::Message::ResponseTo(carrier_phone_.Receive(), 200, "tag"));
  carrier_.registers = false;
  UsePlan();
  const sip::Message last = carrier_phone_.Receive();
  EXPECT_EQ(last.Get(sip::Header::kExpires), "0");
  carrier_phone_.Send(sip::Message::ResponseTo(last, 200, "tag"));
  EXPECT_EQ(bed_.trunks().Find("carrier").state, TrunkBook::State::kNone);
}

TEST_F(AgentTrunkTest, SaysThatATrunkDoesNotAnswer) {
  carrier_.registers = true;
  carrier_.from_user = "user";
  UsePlan();
  bed_.Pass(absl::Seconds(33));
  EXPECT_EQ(bed_.trunks().Find("carrier").state, TrunkBook::State::kFailed);
  EXPECT_EQ(bed_.trunks().Find("carrier").text, "no answer");
  carrier_.registers = false;
  UsePlan();
}

TEST_F(AgentTrunkTest, LimitsTheCallsOfAnAccount) {
  account_limits_ = {.calls = 1, .calls_per_second = 2};
  UsePlan();
  const auto call = Establish();
  EXPECT_EQ(RefusalOfA("030124"), 486);
  HangUp(call);
  const auto second = Establish();
  HangUp(second);
  EXPECT_EQ(RefusalOfA("030124"), 503);
  bed_.Pass(absl::Seconds(1));
  HangUp(Establish());
}

}  // namespace
}  // namespace sluice::agent
