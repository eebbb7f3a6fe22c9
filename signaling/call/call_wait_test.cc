// Calls that begin before it is known whom they go to.

#include "signaling/call/call_test_bed.h"

namespace sluice::call {
namespace {

using sip::Header;

// Nothing but a 100 has gone out.
void Begin(CallTestBed& bed, absl::string_view fields = "") {
  bed.Start(CallTestBed::Invite(fields), 0);
  EXPECT_EQ(bed.Take<Respond>().message.status(), 100);
  EXPECT_FALSE(bed.Has<CreateMedia>());
  EXPECT_FALSE(bed.Has<SendRequest>());
}

TEST(CallWait, InvitesItsCalleesWhenItIsTold) {
  CallTestBed bed;
  Begin(bed);
  bed.Do(bed.call().OnRoute(kCallersQuestion, 0, {CallTestBed::Callee()}, bed.now));
  bed.Media();
  const SendRequest invite = bed.Take<SendRequest>();
  EXPECT_EQ(invite.leg, 1u);
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.63")));
  bed.Media();
  EXPECT_EQ(bed.Take<Respond>().message.status(), 200);
}

TEST(CallWait, IsToldOnce) {
  CallTestBed bed;
  Begin(bed);
  bed.Do(bed.call().OnRoute(kCallersQuestion, 0, {CallTestBed::Callee()}, bed.now));
  bed.Media();
  bed.Forget();
  bed.Do(bed.call().OnRoute(kCallersQuestion, 0, {CallTestBed::Callee(2)}, bed.now));
  bed.Do(bed.call().OnRoute(kCallersQuestion, 403, {}, bed.now));
  EXPECT_FALSE(bed.Has<SendRequest>());
  EXPECT_FALSE(bed.Has<Respond>());
}

TEST(CallWait, EndsAsItIsToldWhereItGoesNowhere) {
  struct Case {
    uint16_t status;
    absl::string_view reason;
    absl::string_view phrase;
    absl::string_view retry_after;
  };
  for (const Case& one : {Case{402, "No credit", "No credit", ""}, Case{403, "", "Forbidden", ""},
                          Case{503, "Nobody knows", "Nobody knows", "5"}}) {
    CallTestBed bed;
    Begin(bed);
    bed.Do(bed.call().OnRoute(kCallersQuestion, one.status, {}, bed.now, one.reason));
    const sip::Message response = bed.Take<Respond>().message;
    EXPECT_EQ(response.status(), one.status);
    EXPECT_EQ(response.reason(), one.phrase);
    EXPECT_EQ(response.Get("Retry-After"), one.retry_after);
    const Ended end = bed.TakeEnd();
    EXPECT_EQ(end.by, Ended::By::kController);
    EXPECT_EQ(end.sip_status, one.status);
    EXPECT_EQ(end.text, one.phrase);
  }
}

TEST(CallWait, IsCancelledMeanwhile) {
  CallTestBed bed;
  Begin(bed);
  bed.Do(bed.call().OnCancel(kCaller, 1, CallTestBed::Invite(), bed.now));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 487);
  EXPECT_EQ(bed.TakeEnd().sip_status, 487);
  bed.Do(bed.call().OnRoute(kCallersQuestion, 0, {CallTestBed::Callee()}, bed.now));
  EXPECT_FALSE(bed.Has<CreateMedia>()) << "the answer comes too late";
}

TEST(CallWait, EndsWhenTheControllerStops) {
  CallTestBed bed;
  Begin(bed);
  bed.Do(bed.call().HangUp(Ended::By::kController, "stops", bed.now));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 480);
  EXPECT_EQ(bed.TakeEnd().text, "stops");
}

TEST(CallWait, IsRefusedAtOnceForWhatNoCalleeWouldChange) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite("Require: teleport\r\n"), 0);
  bed.Take<Respond>();
  EXPECT_EQ(bed.Take<Respond>().message.status(), 420);
  EXPECT_EQ(bed.TakeEnd().sip_status, 420);
  bed.Do(bed.call().OnRoute(kCallersQuestion, 0, {CallTestBed::Callee()}, bed.now));
  EXPECT_FALSE(bed.Has<CreateMedia>());
}

// The kDuration that a call of `options` has whose callee allows it `longest`.
absl::Duration LimitOf(CallOptions options, absl::Duration longest) {
  CallTestBed bed(std::move(options));
  Party callee = CallTestBed::Callee();
  callee.max_duration = longest;
  Begin(bed);
  bed.Do(bed.call().OnRoute(kCallersQuestion, 0, {callee}, bed.now));
  bed.Media();
  const SendRequest invite = bed.Take<SendRequest>();
  bed.now += absl::Seconds(10);
  bed.Forget();
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.63")));
  bed.Media();
  return bed.TakeLimit();
}

TEST(CallWait, LastsNoLongerFromItsAnswerOnThanItsCalleeAllows) {
  CallOptions hour = CallTestBed::DefaultOptions();
  hour.max_duration = absl::Hours(1);
  const CallOptions endless = CallTestBed::DefaultOptions();
  EXPECT_EQ(LimitOf(endless, absl::ZeroDuration()), absl::InfiniteDuration());
  EXPECT_EQ(LimitOf(endless, absl::Seconds(2)), absl::Seconds(2));
  EXPECT_EQ(LimitOf(hour, absl::Seconds(2)), absl::Seconds(2)) << "the shorter one holds";
  EXPECT_EQ(LimitOf(hour, absl::Hours(2)), absl::Hours(1)) << "the shorter one holds";
}

TEST(CallWait, KeepsTheLimitOfItsCalleeOverARestart) {
  CallOptions options = CallTestBed::DefaultOptions();
  options.session_expires = absl::ZeroDuration();
  CallTestBed bed(options);
  Party callee = CallTestBed::Callee();
  callee.max_duration = absl::Minutes(10);
  Begin(bed);
  bed.Do(bed.call().OnRoute(kCallersQuestion, 0, {callee}, bed.now));
  bed.Media();
  const SendRequest invite = bed.Take<SendRequest>();
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.63")));
  bed.Media();
  bed.Ack(kCaller, bed.InDialog(kCaller, "ACK", 2));
  bed.Forget();
  bed.now += absl::Minutes(3);
  bed.Restart(absl::Minutes(2));
  const SetTimer duration = bed.Take<SetTimer>();
  EXPECT_EQ(duration.timer, CallTimer::kDuration);
  EXPECT_EQ(duration.after, absl::Minutes(5));
}

}  // namespace
}  // namespace sluice::call
