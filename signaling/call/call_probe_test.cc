// Sides that nothing else would find gone are asked whether they are there.

#include <cstdint>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "signaling/call/call_test_bed.h"
#include "sluice/state/v1/standing_call.pb.h"

namespace sluice::call {
namespace {

using sip::Header;

constexpr absl::Duration kInterval = absl::Seconds(300);

CallOptions WithoutSessionTimers() {
  CallOptions options = CallTestBed::DefaultOptions();
  options.session_expires = absl::ZeroDuration();
  options.probe_interval = kInterval;
  return options;
}

// A call whose sides have just been asked.
class AskedCall {
 public:
  explicit AskedCall(bool is_held = false) : bed(WithoutSessionTimers()) {
    bed.Establish();
    if (is_held) Hold();
    bed.Fire(CallTimer::kProbe, kInterval);
    probes[0] = bed.Take<SendRequest>();
    probes[1] = bed.Take<SendRequest>();
    bed.Forget();
  }

  void Reply(LegNumber leg, uint16_t status) { bed.Reply(probes[leg], CallTestBed::Answer(probes[leg], status)); }
  void Fail(LegNumber leg, sip::TransactionFailure failure) {
    bed.Do(bed.call().OnRequestFailed(leg, probes[leg].number, failure, bed.now));
  }

  void Hold() {
    const auto with = [](absl::string_view address, absl::string_view direction) {
      return absl::StrReplaceAll(PhoneSdp(address), {{"t=0 0\r\n", absl::StrCat("t=0 0\r\na=", direction, "\r\n")}});
    };
    bed.Request(kCaller, bed.InDialog(kCaller, "INVITE", 3, "", with("198.18.1.2", "sendonly")));
    const SendRequest hold = bed.Take<SendRequest>();
    bed.Reply(hold, CallTestBed::Answer(hold, 200, with("192.168.2.63", "recvonly")));
    bed.Media();
    bed.Ack(kCaller, bed.InDialog(kCaller, "ACK", 3));
    bed.Forget();
  }

  CallTestBed bed;
  SendRequest probes[2];
};

TEST(CallProbe, IsAnOptionsInTheDialogOfEachSilentSide) {
  CallTestBed bed(WithoutSessionTimers());
  const SendRequest invite = bed.Establish();
  bed.Fire(CallTimer::kProbe, kInterval);
  for (const LegNumber leg : {kCaller, LegNumber{1}}) {
    const SendRequest probe = bed.Take<SendRequest>();
    EXPECT_EQ(probe.leg, leg);
    EXPECT_EQ(probe.message.method(), sip::Method::kOptions);
    EXPECT_EQ(probe.message.ToTag(), leg == kCaller ? "z9hG4bK73846736" : "callee1");
    EXPECT_EQ(probe.message.Get(Header::kMaxForwards), "70");
    EXPECT_EQ(probe.message.Get(Header::kAccept), "application/sdp");
    EXPECT_TRUE(absl::StrContains(probe.message.Get(Header::kContact), kControllerAddress));
    EXPECT_TRUE(probe.message.body().empty());
    if (leg == 1) {
      EXPECT_EQ(probe.message.CSeqNumber(), invite.message.CSeqNumber() + 1);
    }
    bed.Reply(probe, CallTestBed::Answer(probe, 200));
  }
  EXPECT_FALSE(bed.Has<Respond>()) << "the other side has not asked";
  const SetTimer next = bed.Take<SetTimer>();
  EXPECT_EQ(next.timer, CallTimer::kProbe);
  EXPECT_EQ(next.after, kInterval);
  bed.Fire(CallTimer::kProbe, next.after);
  EXPECT_EQ(bed.Count<SendRequest>(), 2) << "and once more after the same silence";
}

TEST(CallProbe, GoesOnlyToSidesWithoutSessionTimer) {
  CallOptions options = WithoutSessionTimers();
  options.session_expires = absl::Seconds(1800);
  CallTestBed bed(options);
  bed.Establish();
  bed.Fire(CallTimer::kProbe, kInterval);
  EXPECT_EQ(bed.Take<SendRequest>().leg, kCaller) << "the callee is refreshed";
  EXPECT_FALSE(bed.Has<SendRequest>());
}

TEST(CallProbe, SetsNoTimerWhereBothSidesHaveASessionTimerOrNobodyIsToBeAsked) {
  for (const bool is_off : {false, true}) {
    CallOptions options = CallTestBed::DefaultOptions();
    if (is_off) options.session_expires = options.probe_interval = absl::ZeroDuration();
    CallTestBed bed(options);
    bed.Start(CallTestBed::Invite(is_off ? "" : "Supported: timer\r\nSession-Expires: 90;refresher=uas\r\n"));
    bed.Media();
    const SendRequest invite = bed.Take<SendRequest>();
    bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.63")));
    bed.Media();
    while (bed.Has<SetTimer>()) EXPECT_NE(bed.Take<SetTimer>().timer, CallTimer::kProbe);
  }
}

TEST(CallProbe, WaitsForASilenceThatEveryMessageBeginsAnew) {
  CallTestBed bed(WithoutSessionTimers());
  bed.Establish();
  bed.now += absl::Seconds(100);
  bed.Request(kCaller, bed.InDialog(kCaller, "INFO", 3));
  const SendRequest info = bed.Take<SendRequest>();
  bed.now += absl::Seconds(20);
  bed.Reply(info, CallTestBed::Answer(info, 200));
  EXPECT_FALSE(bed.Has<SetTimer>()) << "a message costs no timer";
  bed.Fire(CallTimer::kProbe, absl::Seconds(180));
  EXPECT_FALSE(bed.Has<SendRequest>());
  EXPECT_EQ(bed.Take<SetTimer>().after, absl::Seconds(100));
  bed.Fire(CallTimer::kProbe, absl::Seconds(100));
  EXPECT_EQ(bed.Take<SendRequest>().leg, kCaller);
  EXPECT_FALSE(bed.Has<SendRequest>()) << "the callee has been heard of 20 s later";
  EXPECT_EQ(bed.Take<SetTimer>().after, absl::Seconds(20));
}

TEST(CallProbe, TakesAnyFinalAnswerForASignOfLife) {
  for (const uint16_t status : {200, 401, 404, 405, 407, 480, 486, 491, 500, 501, 503, 603}) {
    AskedCall call;
    call.Reply(kCaller, 100);
    EXPECT_FALSE(call.bed.call().StandingState().has_value()) << "an answer is awaited";
    call.Reply(kCaller, status);
    call.Reply(1, status);
    EXPECT_FALSE(call.bed.Has<SendRequest>()) << status;
    EXPECT_FALSE(call.bed.Has<Ending>()) << status;
    EXPECT_TRUE(call.bed.call().StandingState().has_value());
  }
}

TEST(CallProbe, EndsTheCallWhenASideDoesNotAnswer) {
  for (const LegNumber leg : {kCaller, LegNumber{1}}) {
    for (const bool is_told : {false, true}) {
      AskedCall call;
      call.Reply(1 - leg, 200);
      if (is_told) {
        call.Reply(leg, 408);
      } else {
        call.Fail(leg, sip::TransactionFailure::kTimeout);
      }
      const Ended how = call.bed.Take<Ending>().how;
      EXPECT_EQ(how.by, Ended::By::kUnreachable);
      EXPECT_EQ(how.sip_status, 200);
      EXPECT_EQ(how.q850_cause, 102);
      EXPECT_EQ(how.text,
                leg == kCaller ? "the caller does not answer any more" : "the callee does not answer any more");
      ASSERT_EQ(call.bed.Count<SendRequest>(), 2) << "both are told";
      for (int i = 0; i < 2; ++i) {
        const SendRequest bye = call.bed.Take<SendRequest>();
        EXPECT_EQ(bye.message.method(), sip::Method::kBye);
        EXPECT_TRUE(absl::StrContains(bye.message.Get(Header::kReason), how.text));
        call.bed.Reply(bye, CallTestBed::Answer(bye, 200));
      }
      call.bed.TakeEnd();
    }
  }
}

TEST(CallProbe, EndsTheCallWhenASideDoesNotKnowTheDialog) {
  AskedCall call;
  call.Reply(1, 481);
  EXPECT_EQ(call.bed.Take<Ending>().how.text, "the callee does not know the dialog any more");
  const SendRequest bye = call.bed.Take<SendRequest>();
  EXPECT_EQ(bye.leg, kCaller);
  EXPECT_FALSE(call.bed.Has<SendRequest>()) << "a BYE would be in no dialog";
  call.bed.Reply(bye, CallTestBed::Answer(bye, 200));
  EXPECT_EQ(call.bed.TakeEnd().by, Ended::By::kUnreachable);
}

TEST(CallProbe, LeavesASideThatCannotBeReachedAsLongAgainToComeBack) {
  for (const bool comes_back : {false, true}) {
    AskedCall call(true);
    call.Reply(1, 200);
    call.Fail(kCaller, sip::TransactionFailure::kUndelivered);
    EXPECT_FALSE(call.bed.Has<Ending>());
    call.bed.now += absl::Seconds(10);
    if (comes_back) {
      call.bed.Request(kCaller, call.bed.InDialog(kCaller, "INFO", 4));
      const SendRequest info = call.bed.Take<SendRequest>();
      call.bed.Reply(info, CallTestBed::Answer(info, 200));
      call.bed.Fire(CallTimer::kProbe, kInterval - absl::Seconds(10));
      EXPECT_FALSE(call.bed.Has<SendRequest>());
      continue;
    }
    call.bed.Fire(CallTimer::kProbe, kInterval - absl::Seconds(10));
    call.probes[0] = call.bed.Take<SendRequest>();
    EXPECT_EQ(call.probes[0].leg, kCaller);
    call.Fail(kCaller, sip::TransactionFailure::kUndelivered);
    EXPECT_EQ(call.bed.Take<Ending>().how.by, Ended::By::kUnreachable);
  }
}

TEST(CallProbe, LeavesASideThatCannotBeReachedWhileItsMediaIsWatched) {
  AskedCall call;
  call.Reply(1, 200);
  for (int i = 0; i < 10; ++i) {
    call.Fail(kCaller, sip::TransactionFailure::kUndelivered);
    EXPECT_FALSE(call.bed.Has<Ending>());
    call.bed.Fire(CallTimer::kProbe, kInterval);
    while (call.bed.Has<SendRequest>()) {
      const SendRequest probe = call.bed.Take<SendRequest>();
      if (probe.leg == kCaller)
        call.probes[0] = probe;
      else
        call.bed.Reply(probe, CallTestBed::Answer(probe, 200));
    }
  }
  // The relay says that nothing comes any more.
  call.bed.Do(call.bed.call().OnMediaTimeout("silence", call.bed.now));
  EXPECT_EQ(call.bed.Take<Ending>().how.by, Ended::By::kMediaTimeout);
}

TEST(CallProbe, DoesNotMeetAnotherRequestOfOurs) {
  CallTestBed bed(WithoutSessionTimers());
  bed.Establish();
  bed.now += absl::Seconds(290);
  bed.Request(kCaller, bed.InDialog(kCaller, "INFO", 3));
  const SendRequest info = bed.Take<SendRequest>();
  bed.Fire(CallTimer::kProbe, absl::Seconds(10));
  EXPECT_FALSE(bed.Has<SendRequest>()) << "the callee owes an answer already";
  EXPECT_EQ(bed.Take<SetTimer>().after, absl::Seconds(5));
  bed.Reply(info, CallTestBed::Answer(info, 200));
  bed.Forget();
  bed.Fire(CallTimer::kProbe, absl::Seconds(5));
  EXPECT_FALSE(bed.Has<SendRequest>());
}

TEST(CallProbe, OfACallThatIsOnHoldOutlivesTheControllerAtATimeOfItsOwn) {
  for (const uint64_t number : {0, 1000, 299999}) {
    CallTestBed bed(WithoutSessionTimers());
    bed.number = number;
    bed.Establish();
    bed.now += absl::Seconds(200);
    bed.Restart(absl::Hours(1));
    const SetTimer timer = bed.Take<SetTimer>();
    EXPECT_EQ(timer.timer, CallTimer::kProbe);
    EXPECT_GE(timer.after, absl::ZeroDuration());
    EXPECT_NEAR(absl::ToDoubleSeconds(timer.after), 300 - static_cast<double>(number) / 1000, 1);
    EXPECT_FALSE(bed.Has<SendRequest>());
    bed.Fire(CallTimer::kProbe, timer.after);
    EXPECT_EQ(bed.Count<SendRequest>(), 2);
  }
}

TEST(CallProbe, IsNotWhatAPeerHearsFirstOfAControllerThatItDoesNotKnow) {
  CallTestBed bed(WithoutSessionTimers());
  bed.Establish();
  state::v1::Call state = *bed.call().StandingState();
  state.mutable_legs(0)->set_has_moved(true);
  Call call(bed.options, bed);
  auto actions = call.Restore(
      state, [](const std::string&) { return nullptr; }, bed.now);
  ASSERT_TRUE(actions.ok()) << actions.status();
  bed.Forget();
  bed.now += kInterval;
  bed.Do(call.OnTimer(CallTimer::kProbe, bed.now));
  EXPECT_EQ(bed.Take<SendRequest>().leg, 1u);
  EXPECT_FALSE(bed.Has<SendRequest>());
}

}  // namespace
}  // namespace sluice::call
