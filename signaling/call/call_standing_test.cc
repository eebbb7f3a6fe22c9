// Calls that outlive the controller.

#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "signaling/call/call_test_bed.h"
#include "sluice/state/v1/standing_call.pb.h"

namespace sluice::call {
namespace {

using sip::Header;

constexpr absl::string_view kTimer = "Session-Expires: 100;refresher=uac\r\nRequire: timer\r\nAllow: UPDATE\r\n";

std::string Held(const std::string& sdp) {
  return absl::StrReplaceAll(sdp, {{"t=0 0\r\n", "t=0 0\r\na=sendonly\r\n"}});
}

// The version in the o-line.
uint64_t VersionOf(const sip::Message& message) {
  const std::string body(message.body());
  const size_t line = body.find("o=");
  const size_t end = body.find(" IN ", line);
  return std::stoull(body.substr(body.rfind(' ', end - 1) + 1));
}

TEST(StandingCall, IsToldAsItWas) {
  CallTestBed bed;
  bed.Establish();
  bed.Restart();
  const AdoptMedia media = bed.Take<AdoptMedia>();
  ASSERT_EQ(media.session.streams.size(), 2u);
  EXPECT_EQ(media.session.streams[0].legs[0].address, "198.18.1.2");
  EXPECT_EQ(media.session.streams[0].legs[1].sip_address, "198.18.2.9");
  EXPECT_EQ(media.session.streams[0].legs[0].payload_types.at(0).encoding, "AMR");
  ASSERT_EQ(media.ports.size(), 2u);
  EXPECT_EQ(media.ports[0].legs[1].port, 20010);
  const DialogMade caller = bed.Take<DialogMade>();
  EXPECT_EQ(caller.leg, kCaller);
  EXPECT_EQ(caller.call_id, "509381976447");
  const DialogMade callee = bed.Take<DialogMade>();
  EXPECT_EQ(callee.leg, 1u);
  EXPECT_FALSE(callee.local_tag.empty());
  EXPECT_FALSE(bed.Has<SendRequest>());
}

TEST(StandingCall, IsEndedByEitherSide) {
  for (const LegNumber from : {kCaller, LegNumber{1}}) {
    CallTestBed bed;
    bed.Establish();
    bed.Restart();
    bed.Request(from, bed.InDialog(from, "BYE", 3));
    const Respond goodbye = bed.Take<Respond>();
    EXPECT_EQ(goodbye.leg, from);
    EXPECT_EQ(goodbye.message.status(), 200);
    const SendRequest bye = bed.Take<SendRequest>();
    EXPECT_EQ(bye.leg, 1 - from);
    EXPECT_EQ(bye.message.method(), sip::Method::kBye);
    EXPECT_EQ(bye.message.ToTag(), from == kCaller ? "callee1" : "z9hG4bK73846736");
    bed.Reply(bye, CallTestBed::Answer(bye, 200));
    EXPECT_EQ(bed.TakeEnd().by, from == kCaller ? Ended::By::kCaller : Ended::By::kCallee);
  }
}

TEST(StandingCall, GoesOnWithHoldAndResume) {
  for (const LegNumber from : {kCaller, LegNumber{1}}) {
    const std::string address = from == kCaller ? "198.18.1.2" : "192.168.2.63";
    const std::string other = from == kCaller ? "192.168.2.63" : "198.18.1.2";
    CallTestBed bed;
    const SendRequest invite = bed.Establish();
    bed.Restart();
    bed.Request(from, bed.InDialog(from, "INVITE", 3, "", Held(PhoneSdp(address))));
    EXPECT_EQ(bed.Take<Respond>().message.status(), 100);
    const SendRequest hold = bed.Take<SendRequest>();
    EXPECT_TRUE(absl::StrContains(hold.message.body(), from == kCaller ? "m=audio 20010 " : "m=audio 20000 "));
    if (from == kCaller) {
      EXPECT_GT(hold.message.CSeqNumber(), invite.message.CSeqNumber());
      EXPECT_GT(VersionOf(hold.message), VersionOf(invite.message));
    }
    bed.Reply(hold,
              CallTestBed::Answer(hold, 200, absl::StrReplaceAll(Held(PhoneSdp(other)), {{"sendonly", "recvonly"}})));
    EXPECT_EQ(bed.Take<UpdateMedia>().session.streams[0].legs[from].direction, MediaDirection::kSendOnly);
    bed.Media();
    EXPECT_EQ(bed.Take<Respond>().message.status(), 200);
    bed.Ack(from, bed.InDialog(from, "ACK", 3));
    bed.Forget();

    // The call is held all the same when the controller restarts once more.
    bed.Restart();
    EXPECT_EQ(bed.Take<AdoptMedia>().session.streams[0].legs[from].direction, MediaDirection::kSendOnly);
    bed.Request(from, bed.InDialog(from, "INVITE", 4, "", PhoneSdp(address)));
    bed.Take<Respond>();
    const SendRequest resume = bed.Take<SendRequest>();
    EXPECT_GT(resume.message.CSeqNumber(), hold.message.CSeqNumber());
    EXPECT_GT(VersionOf(resume.message), VersionOf(hold.message));
    bed.Reply(resume, CallTestBed::Answer(resume, 200, PhoneSdp(other)));
    EXPECT_EQ(bed.Take<UpdateMedia>().session.streams[0].legs[from].direction, MediaDirection::kSendRecv);
    bed.Media();
    EXPECT_EQ(bed.Take<Respond>().message.status(), 200);
  }
}

TEST(StandingCall, RefusesWhatComesOutOfOrder) {
  CallTestBed bed;
  bed.Establish();
  bed.Restart();
  bed.Request(kCaller, bed.InDialog(kCaller, "INFO", 2));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 500);
}

TEST(StandingCall, IsRefreshedWithinSecondsWhereThatFellDueMeanwhile) {
  CallTestBed bed;
  const SendRequest invite = bed.Establish(CallTestBed::Invite(), kTimer);
  bed.Restart(absl::Seconds(60));
  SetTimer refresh = bed.Take<SetTimer>();
  EXPECT_EQ(refresh.timer, CallTimer::kRefresh);
  // Not with all others that fell due.
  EXPECT_GE(refresh.after, absl::Seconds(1));
  EXPECT_LE(refresh.after, absl::Seconds(6));
  bed.Fire(CallTimer::kRefresh, refresh.after);
  const SendRequest update = bed.Take<SendRequest>();
  EXPECT_EQ(update.message.method(), sip::Method::kUpdate);
  EXPECT_GT(update.message.CSeqNumber(), invite.message.CSeqNumber());
  EXPECT_EQ(update.message.Get(Header::kSessionExpires), "100;refresher=uac");
}

TEST(StandingCall, EndsAtOnceWhenItsSessionHasExpiredMeanwhile) {
  CallTestBed bed;
  bed.Establish(CallTestBed::Invite(), kTimer);
  bed.Restart(absl::Seconds(200));
  bed.Fire(CallTimer::kSession);
  EXPECT_EQ(bed.Take<Ending>().how.by, Ended::By::kSessionTimer);
  EXPECT_EQ(bed.Count<DeleteMedia>(), 1);
  EXPECT_EQ(bed.Count<SendRequest>(), 2) << "both sides are told";
}

TEST(StandingCall, KeepsItsLongestDuration) {
  CallOptions options = CallTestBed::DefaultOptions();
  options.session_expires = absl::ZeroDuration();
  options.probe_interval = absl::ZeroDuration();
  options.max_duration = absl::Minutes(10);
  CallTestBed bed(options);
  bed.Establish();
  bed.now += absl::Minutes(3);
  bed.Restart(absl::Minutes(2));
  const SetTimer duration = bed.Take<SetTimer>();
  EXPECT_EQ(duration.timer, CallTimer::kDuration);
  EXPECT_EQ(duration.after, absl::Minutes(5));
  bed.Restart(absl::Minutes(20));
  EXPECT_EQ(bed.Take<SetTimer>().after, absl::ZeroDuration());
  bed.Fire(CallTimer::kDuration);
  EXPECT_EQ(bed.Take<Ending>().how.by, Ended::By::kController);
}

TEST(StandingCall, IsTransferredAndKeptAgain) {
  CallTestBed bed;
  bed.Establish();
  bed.Restart();
  bed.Forget();
  bed.Request(kCaller, bed.InDialog(kCaller, "REFER", 3, "Refer-To: <sip:20002230005@198.18.1.1>\r\n"));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 202);
  EXPECT_FALSE(bed.call().StandingState().has_value()) << "a transfer is under way";
  const SendRequest trying = bed.Take<SendRequest>();
  bed.Reply(trying, CallTestBed::Answer(trying, 200));
  bed.Do(bed.call().OnRoute(bed.Take<FindTarget>().question, 0, {CallTestBed::Callee(5)}, bed.now));
  const SendRequest invite = bed.Take<SendRequest>();
  EXPECT_EQ(invite.leg, 2u);
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.5")));
  bed.Media();
  const SendRequest join = bed.Take<SendRequest>();
  EXPECT_EQ(join.leg, 1u);
  bed.Reply(join, CallTestBed::Answer(join, 200, PhoneSdp("192.168.2.63")));
  bed.Media();
  while (bed.Has<SendRequest>()) {
    const SendRequest last = bed.Take<SendRequest>();
    EXPECT_EQ(last.leg, kCaller);
    bed.Reply(last, CallTestBed::Answer(last, 200));
  }
  bed.Forget();

  bed.Restart();
  EXPECT_EQ(bed.call().next_leg(), 3u);
  EXPECT_FALSE(bed.call().FindReplacement(kCaller, "z9hG4bK73846736").has_value()) << "the transferor has gone";
  const auto replacement = bed.call().FindReplacement(2, "callee2");
  ASSERT_TRUE(replacement.has_value());
  EXPECT_EQ(replacement->party.target_uri, CallTestBed::Callee().target_uri);
  bed.Do(bed.call().HangUp(Ended::By::kOperator, "operator", bed.now));
  for (const LegNumber leg : {1u, 2u}) {
    const SendRequest bye = bed.Take<SendRequest>();
    EXPECT_EQ(bye.leg, leg);
    bed.Reply(bye, CallTestBed::Answer(bye, 200));
  }
  EXPECT_EQ(bed.TakeEnd().by, Ended::By::kOperator);
}

TEST(StandingCall, IsNoneAsLongAsSomethingIsAwaited) {
  CallTestBed bed;
  const auto is_kept = [&] { return bed.call().StandingState().has_value(); };
  EXPECT_FALSE(is_kept());
  bed.Start(CallTestBed::Invite(), 2);
  bed.Media();
  EXPECT_FALSE(is_kept());
  const SendRequest first = bed.Take<SendRequest>();
  const SendRequest second = bed.Take<SendRequest>();
  bed.Reply(first, CallTestBed::Answer(first, 200, PhoneSdp("192.168.2.63")));
  EXPECT_FALSE(is_kept()) << "the relay has not answered";
  bed.Media();
  bed.Ack(kCaller, bed.InDialog(kCaller, "ACK", 2));
  EXPECT_FALSE(is_kept()) << "the other callee has not answered the CANCEL";
  bed.Reply(second, CallTestBed::Answer(second, 487));
  EXPECT_TRUE(is_kept());
  bed.Request(1, bed.InDialog(1, "INFO", 3));
  EXPECT_FALSE(is_kept()) << "the caller has not answered";
  const SendRequest info = bed.Take<SendRequest>();
  bed.Reply(info, CallTestBed::Answer(info, 200));
  EXPECT_TRUE(is_kept());
  bed.Do(bed.call().HangUp(Ended::By::kOperator, "", bed.now));
  EXPECT_FALSE(is_kept());
}

TEST(StandingCall, FollowsAPeerBehindNatToWhereItComesFromNow) {
  CallTestBed bed;
  bed.Establish();
  bed.Restart();
  bed.Forget();
  sip::Hop hop = CallTestBed::Callee().hop;
  hop.protocol = sip::Protocol::kTcp;
  hop.connection = 7;
  bed.Do(bed.call().OnRequest(1, 500, bed.InDialog(1, "INFO", 3), hop, bed.now));
  bed.Forget();
  bed.Do(bed.call().HangUp(Ended::By::kOperator, "", bed.now));
  EXPECT_EQ(bed.Take<SendRequest>().leg, kCaller);
  EXPECT_EQ(bed.Take<SendRequest>().hop.connection, 7u);
}

TEST(StandingCall, AnswersChallengesWithWhatIsConfiguredNow) {
  CallTestBed bed;
  Party trunk = CallTestBed::Callee();
  trunk.account = "carrier";
  trunk.credentials = std::make_shared<const Credentials>(Credentials{"old", "old", "carrier"});
  bed.Do(bed.call().Start(CallTestBed::Invite(), 1, CallTestBed::Caller(), {trunk}, bed.now));
  bed.Media();
  const SendRequest invite = bed.Take<SendRequest>();
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.63")));
  bed.Media();
  bed.Ack(kCaller, bed.InDialog(kCaller, "ACK", 2));
  bed.Restart(absl::Seconds(1), [](const std::string& account) {
    EXPECT_EQ(account, "carrier");
    return std::make_shared<const Credentials>(Credentials{"user", "secret", "carrier"});
  });
  bed.Forget();
  bed.Request(kCaller, bed.InDialog(kCaller, "INFO", 3));
  const SendRequest info = bed.Take<SendRequest>();
  bed.Reply(info, CallTestBed::Answer(info, 407, "", "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"n1\"\r\n"));
  const SendRequest again = bed.Take<SendRequest>();
  EXPECT_TRUE(absl::StrContains(again.message.Get(Header::kProxyAuthorization), "username=\"user\""));
}

// Our own disk, but still.
TEST(StandingCall, ThatIsDamagedIsRefusedOrHarmless) {
  CallTestBed bed;
  bed.Establish(CallTestBed::Invite(), kTimer);
  const std::string kept = bed.call().StandingState()->SerializeAsString();
  int refused = 0;
  int restored = 0;
  for (size_t place = 0; place < kept.size(); ++place) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = kept;
      damaged[place] = static_cast<char>(damaged[place] ^ (1 << bit));
      state::v1::Call state;
      if (!state.ParseFromString(damaged)) continue;
      Call call(bed.options, bed);
      const auto actions = call.Restore(
          state, [](const std::string&) { return nullptr; }, bed.now);
      if (!actions.ok()) {
        ++refused;
        EXPECT_TRUE(absl::StrContains(actions.status().message(), "damaged") ||
                    absl::StrContains(actions.status().message(), "missing"))
            << actions.status();
        continue;
      }
      ++restored;
      for (const LegNumber leg : {kCaller, LegNumber{1}}) {
        call.OnRequest(leg, 1, bed.InDialog(leg, "INVITE", 3, "", Held(PhoneSdp("198.18.1.2"))), {}, bed.now);
        call.OnRequest(leg, 2, bed.InDialog(leg, "REFER", 4, "Refer-To: <sip:1@198.18.1.1>\r\n"), {}, bed.now);
        call.FindReplacement(leg, leg == kCaller ? "z9hG4bK73846736" : "callee1");
      }
      call.OnTimer(CallTimer::kRefresh, bed.now + absl::Seconds(60));
      call.HangUp(Ended::By::kOperator, "operator", bed.now);
    }
  }
  EXPECT_GT(refused, 100);
  EXPECT_GT(restored, 1000);
}

}  // namespace
}  // namespace sluice::call
