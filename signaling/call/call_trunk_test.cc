// Calls to trunks: one after the other, with credentials, under names of their own, and with released media.

#include "absl/strings/match.h"
#include "signaling/call/call_test_bed.h"

namespace sluice::call {
namespace {

using sip::Header;

constexpr absl::string_view kChallenge = "Digest realm=\"carrier\", nonce=\"n1\", qop=\"auth\", algorithm=MD5";

constexpr absl::Duration kPatience = absl::Seconds(4);

// A trunk's server, `number` from 1 on, asked in turn.
Party TrunkAt(int number) {
  Party party = CallTestBed::Callee(number);
  party.behind_nat = false;
  party.target_uri = absl::StrCat("sip:+4930123@198.18.3.", number);
  party.account = absl::StrCat("carrier-", number);
  party.group = static_cast<uint32_t>(number);
  party.patience = kPatience;
  party.invitation = std::make_shared<const Invitation>(
      Invitation{.from = "\"Alice\" <sip:+49302@example.net>", .to = "<sip:+4930123@carrier.example.net>"});
  party.credentials = std::make_shared<const Credentials>(Credentials{"user", "secret", "carrier"});
  return party;
}

void StartToTrunks(CallTestBed& bed, int trunks) {
  std::vector<Party> parties;
  for (int number = 1; number <= trunks; ++number) parties.push_back(TrunkAt(number));
  bed.Do(bed.call().Start(CallTestBed::Invite(), 1, CallTestBed::Caller(), parties, bed.now));
}

// Until the first trunk is asked.
SendRequest AskTrunks(CallTestBed& bed, int trunks) {
  StartToTrunks(bed, trunks);
  bed.Media();
  bed.Take<Respond>();
  return bed.Take<SendRequest>();
}

SendRequest Challenge(CallTestBed& bed, const SendRequest& request, uint16_t status = 407,
                      absl::string_view challenge = kChallenge) {
  const absl::string_view name = status == 407 ? "Proxy-Authenticate" : "WWW-Authenticate";
  bed.Reply(request, CallTestBed::Answer(request, status, "", absl::StrCat(name, ": ", challenge, "\r\n")));
  return bed.Take<SendRequest>();
}

TEST(CallToTrunks, GoesToTheTrunkUnderItsNames) {
  CallTestBed bed;
  const SendRequest invite = AskTrunks(bed, 1);
  EXPECT_EQ(invite.message.request_uri(), "sip:+4930123@198.18.3.1");
  EXPECT_EQ(invite.message.From()->uri.text(), "sip:+49302@example.net");
  EXPECT_EQ(invite.message.From()->display_name, "Alice");
  EXPECT_FALSE(invite.message.FromTag().empty());
  EXPECT_EQ(invite.message.Get(Header::kTo), "<sip:+4930123@carrier.example.net>");
  EXPECT_FALSE(invite.message.Has(Header::kProxyAuthorization));
}

TEST(CallToTrunks, AsksTheNextOneWhenTheOneBeforeIsSilent) {
  CallTestBed bed;
  const SendRequest first = AskTrunks(bed, 2);
  bed.Fire(CallTimer::kPatience, kPatience);
  EXPECT_EQ(bed.Take<CancelRequest>().number, first.number);
  const LegEnded ended = bed.Take<LegEnded>();
  EXPECT_EQ(ended.leg, 1u);
  EXPECT_EQ(ended.by, Ended::By::kController);
  EXPECT_EQ(ended.q850_cause, 102);
  const SendRequest second = bed.Take<SendRequest>();
  EXPECT_EQ(second.leg, 2u);
  bed.Forget();
  // It was slow, not dead: its phone rings no longer than it must.
  bed.Reply(first, CallTestBed::Answer(first, 180));
  EXPECT_FALSE(bed.Has<Respond>());
  bed.Reply(first, CallTestBed::Answer(first, 200, PhoneSdp("198.18.3.1")));
  EXPECT_EQ(bed.Take<SendAck>().leg, 1u);
  EXPECT_EQ(bed.Take<SendRequest>().message.method(), sip::Method::kBye);
  EXPECT_FALSE(bed.Has<Respond>());
  bed.Reply(second, CallTestBed::Answer(second, 486));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 486);
}

TEST(CallToTrunks, HasPatienceWithWhoHasAnsweredAndWithTheLastOne) {
  CallTestBed bed;
  const SendRequest first = AskTrunks(bed, 2);
  bed.Reply(first, CallTestBed::Answer(first, 100));
  bed.Fire(CallTimer::kPatience, kPatience);
  EXPECT_FALSE(bed.Has<CancelRequest>());
  bed.Forget();
  bed.Reply(first, CallTestBed::Answer(first, 503));
  EXPECT_EQ(bed.Take<SendRequest>().leg, 2u);
  bed.Fire(CallTimer::kPatience, kPatience);
  EXPECT_FALSE(bed.Has<CancelRequest>());
}

TEST(CallToTrunks, AsksTheNextOneOnlyWhenTheOneBeforeIsOutOfService) {
  for (const uint16_t status : {408, 500, 502, 503, 504}) {
    CallTestBed bed;
    const SendRequest first = AskTrunks(bed, 2);
    EXPECT_FALSE(bed.Has<SendRequest>());
    bed.Reply(first, CallTestBed::Answer(first, status, "", "Reason: Q.850;cause=38\r\n"));
    const LegEnded ended = bed.Take<LegEnded>();
    EXPECT_EQ(ended.leg, 1u);
    EXPECT_EQ(ended.by, Ended::By::kCallee);
    EXPECT_EQ(ended.q850_cause, 38);
    const SendRequest second = bed.Take<SendRequest>();
    EXPECT_EQ(second.message.request_uri(), "sip:+4930123@198.18.3.2");
    EXPECT_NE(second.message.CallId(), first.message.CallId());
    bed.Reply(second, CallTestBed::Answer(second, 486));
    EXPECT_EQ(bed.Take<Respond>().message.status(), 486);
    EXPECT_EQ(bed.TakeEnd().sip_status, 486);
  }
}

TEST(CallToTrunks, TakesARefusalOfTheFirstForTheCallees) {
  for (const uint16_t status : {403, 404, 486, 603}) {
    CallTestBed bed;
    const SendRequest first = AskTrunks(bed, 2);
    bed.Reply(first, CallTestBed::Answer(first, status));
    EXPECT_FALSE(bed.Has<SendRequest>());
    EXPECT_EQ(bed.Take<Respond>().message.status(), status);
    EXPECT_EQ(bed.TakeEnd().sip_status, status);
  }
}

TEST(CallToTrunks, AnswersTheCallerWhenTheLastOneIsSilent) {
  CallTestBed bed;
  const SendRequest first = AskTrunks(bed, 2);
  bed.Do(bed.call().OnRequestFailed(first.leg, first.number, sip::TransactionFailure::kTooMany, bed.now));
  const SendRequest second = bed.Take<SendRequest>();
  bed.Do(bed.call().OnRequestFailed(second.leg, second.number, sip::TransactionFailure::kTimeout, bed.now));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 503);
  EXPECT_EQ(bed.TakeEnd().sip_status, 503);
}

TEST(CallToTrunks, IsHeardFromTheSecondWhenTheFirstHasFailedAfterEarlyMedia) {
  CallTestBed bed;
  const SendRequest first = AskTrunks(bed, 2);
  bed.Reply(first, CallTestBed::Answer(first, 183, PhoneSdp("198.18.3.1")));
  bed.Media();
  bed.Take<Respond>();
  bed.Reply(first, CallTestBed::Answer(first, 503));
  const SendRequest second = bed.Take<SendRequest>();
  bed.Reply(second, CallTestBed::Answer(second, 183, PhoneSdp("198.18.3.2", 23000)));
  bed.Media();
  EXPECT_FALSE(bed.Take<Respond>().message.body().empty());
  bed.Reply(second, CallTestBed::Answer(second, 200, PhoneSdp("198.18.3.2", 23000)));
  bed.Take<SendAck>();
}

TEST(CallToTrunks, LeavesThoseAloneThatItDoesNotNeed) {
  CallTestBed bed;
  const SendRequest first = AskTrunks(bed, 3);
  bed.Reply(first, CallTestBed::Answer(first, 200, PhoneSdp("198.18.3.1")));
  bed.Media();
  EXPECT_FALSE(bed.Has<CancelRequest>());
  EXPECT_FALSE(bed.Has<SendRequest>());
}

TEST(CallToTrunks, AnswersTheChallengeWithTheNextCSeqAndAcknowledgesWithTheSameCredentials) {
  CallTestBed bed;
  const SendRequest first = AskTrunks(bed, 1);
  const SendRequest second = Challenge(bed, first);
  EXPECT_EQ(second.message.CallId(), first.message.CallId());
  EXPECT_EQ(second.message.FromTag(), first.message.FromTag());
  EXPECT_EQ(second.message.CSeqNumber(), first.message.CSeqNumber() + 1);
  const std::string credentials(second.message.Get(Header::kProxyAuthorization));
  EXPECT_TRUE(absl::StrContains(credentials, "username=\"user\"")) << credentials;
  bed.Reply(second, CallTestBed::Answer(second, 200, PhoneSdp("198.18.3.1")));
  bed.Media();
  const SendAck ack = bed.Take<SendAck>();
  EXPECT_EQ(ack.message.Get(Header::kProxyAuthorization), credentials);
  EXPECT_EQ(ack.message.CSeqNumber(), second.message.CSeqNumber());
}

TEST(CallToTrunks, LeavesATrunkAloneThatCallsEveryAnswerStale) {
  CallTestBed bed;
  SendRequest invite = AskTrunks(bed, 1);
  const std::string stale = absl::StrCat(kChallenge, ", stale=true");
  for (int i = 0; i < 3; ++i) invite = Challenge(bed, invite, 407, stale);
  bed.Reply(invite, CallTestBed::Answer(invite, 407, "", absl::StrCat("Proxy-Authenticate: ", stale, "\r\n")));
  EXPECT_FALSE(bed.Has<SendRequest>());
  EXPECT_EQ(bed.TakeEnd().sip_status, 502);
}

TEST(CallToTrunks, AuthorizesItsByeBeforeItIsAskedAndOnceMoreWhenItsNonceHasGrownOld) {
  CallTestBed bed;
  const SendRequest invite = Challenge(bed, AskTrunks(bed, 1));
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("198.18.3.1")));
  bed.Media();
  bed.Take<Respond>();
  bed.Ack(kCaller, bed.InDialog(kCaller, "ACK", 2));
  bed.Forget();
  bed.Do(bed.call().HangUp(Ended::By::kOperator, "", bed.now));
  SendRequest to_trunk = bed.Take<SendRequest>();
  SendRequest to_caller = bed.Take<SendRequest>();
  if (to_trunk.leg == kCaller) std::swap(to_trunk, to_caller);
  EXPECT_TRUE(absl::StrContains(to_trunk.message.Get(Header::kProxyAuthorization), "nc=00000002"));
  EXPECT_FALSE(to_caller.message.Has(Header::kProxyAuthorization));
  const SendRequest again = Challenge(bed, to_trunk, 407, "Digest realm=\"carrier\", nonce=\"n2\", qop=\"auth\"");
  EXPECT_EQ(again.message.method(), sip::Method::kBye);
  EXPECT_EQ(again.message.CSeqNumber(), to_trunk.message.CSeqNumber() + 1);
  EXPECT_TRUE(absl::StrContains(again.message.Get(Header::kProxyAuthorization), "nonce=\"n2\""));
  bed.Reply(again, CallTestBed::Answer(again, 200));
  bed.Reply(to_caller, CallTestBed::Answer(to_caller, 200));
  EXPECT_EQ(bed.TakeEnd().by, Ended::By::kOperator);
}

TEST(CallToTrunks, TellsNobodyAnythingInAnotherRealm) {
  CallTestBed bed;
  const SendRequest invite = AskTrunks(bed, 1);
  bed.Reply(invite, CallTestBed::Answer(invite, 401, "", "WWW-Authenticate: Digest realm=\"thief\", nonce=\"n\"\r\n"));
  EXPECT_FALSE(bed.Has<SendRequest>());
  EXPECT_EQ(bed.Take<Respond>().message.status(), 502);
  EXPECT_EQ(bed.TakeEnd().sip_status, 502);
}

TEST(CallToTrunks, GivesUpWhenItsPasswordIsWrong) {
  CallTestBed bed;
  const SendRequest again = Challenge(bed, AskTrunks(bed, 1));
  bed.Reply(again, CallTestBed::Answer(again, 407, "", absl::StrCat("Proxy-Authenticate: ", kChallenge, "\r\n")));
  EXPECT_FALSE(bed.Has<SendRequest>());
  EXPECT_EQ(bed.TakeEnd().sip_status, 502);
}

TEST(CallToTrunks, DoesNotInviteAgainWhatWasCancelled) {
  CallTestBed bed;
  const SendRequest invite = AskTrunks(bed, 1);
  bed.Do(bed.call().HangUp(Ended::By::kOperator, "", bed.now));
  bed.Reply(invite, CallTestBed::Answer(invite, 407, "", absl::StrCat("Proxy-Authenticate: ", kChallenge, "\r\n")));
  EXPECT_FALSE(bed.Has<SendRequest>());
  EXPECT_EQ(bed.TakeEnd().by, Ended::By::kOperator);
}

TEST(CallWithReleasedMedia, PassesSdpAsItIsAndAsksNoRelay) {
  CallOptions options = CallTestBed::DefaultOptions();
  options.media_released = true;
  CallTestBed bed(options);
  bed.Start(CallTestBed::Invite("", PhoneSdp("198.18.1.2")));
  const SendRequest invite = bed.Take<SendRequest>();
  EXPECT_EQ(invite.message.body(), PhoneSdp("198.18.1.2"));
  bed.Take<Respond>();
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("198.18.2.9")));
  const sip::Message answer = bed.Take<Respond>().message;
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.body(), PhoneSdp("198.18.2.9"));
  EXPECT_FALSE(bed.Has<CreateMedia>());
  EXPECT_FALSE(bed.Has<UpdateMedia>());
  bed.Ack(kCaller, bed.InDialog(kCaller, "ACK", 2));
  bed.Request(kCaller, bed.InDialog(kCaller, "BYE", 3));
  EXPECT_FALSE(bed.Has<DeleteMedia>());
}

}  // namespace
}  // namespace sluice::call
