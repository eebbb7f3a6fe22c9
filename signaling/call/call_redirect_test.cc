// Callees that send the call on by 3xx.

#include "absl/strings/str_cat.h"
#include "signaling/call/call_test_bed.h"

namespace sluice::call {
namespace {

CallOptions Following() {
  CallOptions options = CallTestBed::DefaultOptions();
  options.follows_redirections = true;
  return options;
}

// A 302 to `targets`, each with its q.
sip::Message Moved(const SendRequest& invite, std::initializer_list<absl::string_view> targets, uint16_t status = 302) {
  sip::Message response = CallTestBed::Answer(invite, status);
  response.Remove(sip::Header::kContact);
  for (const absl::string_view target : targets) response.Add(sip::Header::kContact, target);
  return response;
}

SendRequest Begin(CallTestBed& bed) {
  bed.Start(CallTestBed::Invite());
  bed.Media();
  const SendRequest invite = bed.Take<SendRequest>();
  bed.Forget();
  return invite;
}

TEST(CallRedirect, InvitesTheTargetOfTheCallee) {
  CallTestBed bed(Following());
  const SendRequest invite = Begin(bed);
  bed.Reply(invite, Moved(invite, {"<sip:20002230009@198.18.1.1?Subject=x>"}));
  EXPECT_FALSE(bed.Has<Respond>()) << "the caller need not know";
  const FindTarget wanted = bed.Take<FindTarget>();
  EXPECT_EQ(wanted.leg, 1u);
  EXPECT_EQ(wanted.account, "20002230000") << "by the callee's rights";
  EXPECT_EQ(wanted.target, "sip:20002230009@198.18.1.1");
  bed.Do(bed.call().OnRoute(wanted.question, 0, {CallTestBed::Callee(2)}, bed.now));
  const SendRequest second = bed.Take<SendRequest>();
  EXPECT_EQ(second.leg, 2u);
  EXPECT_FALSE(second.message.body().empty()) << "with the caller's offer";
  bed.Reply(second, CallTestBed::Answer(second, 200, PhoneSdp("192.168.2.2")));
  bed.Media();
  const Respond answer = bed.Take<Respond>();
  EXPECT_EQ(answer.message.status(), 200);
}

TEST(CallRedirect, IsFollowedOrPassedOnAsTheCalleesOwnRightsSay) {
  for (const bool all : {false, true}) {
    for (const std::optional<bool> own :
         {std::optional<bool>(), std::optional<bool>(false), std::optional<bool>(true)}) {
      CallOptions options = CallTestBed::DefaultOptions();
      options.follows_redirections = all;
      CallTestBed bed(options);
      Party callee = CallTestBed::Callee();
      callee.follow_redirections = own;
      bed.Do(bed.call().Start(CallTestBed::Invite(), 1, CallTestBed::Caller(), {callee}, bed.now));
      bed.Media();
      const SendRequest invite = bed.Take<SendRequest>();
      bed.Forget();
      bed.Reply(invite, Moved(invite, {"<sip:20002230009@198.18.1.1>"}));
      if (own.value_or(all)) {
        EXPECT_TRUE(bed.Has<FindTarget>());
      } else {
        EXPECT_EQ(bed.Take<Respond>().message.Get(sip::Header::kContact), "<sip:20002230009@198.18.1.1>");
      }
    }
  }
}

TEST(CallRedirect, AsksForTheBestTargetFirstAndForEachOnce) {
  CallTestBed bed(Following());
  const SendRequest invite = Begin(bed);
  bed.Reply(invite, Moved(invite, {"<sip:2@198.18.1.1>;q=0.2", "<sip:9@198.18.1.1>;q=0.9", "<sip:2@198.18.1.1>"}));
  EXPECT_EQ(bed.Take<FindTarget>().target, "sip:2@198.18.1.1") << "without q it is 1";
  EXPECT_EQ(bed.Take<FindTarget>().target, "sip:9@198.18.1.1");
  EXPECT_FALSE(bed.Has<FindTarget>());
}

TEST(CallRedirect, TellsTheCallerWhyWhereTheTargetIsNobody) {
  CallTestBed bed(Following());
  const SendRequest invite = Begin(bed);
  bed.Reply(invite, Moved(invite, {"<sip:9@198.18.1.1>"}));
  bed.Do(bed.call().OnRoute(bed.Take<FindTarget>().question, 404, {}, bed.now));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 404);
  EXPECT_EQ(bed.TakeEnd().sip_status, 404);
}

TEST(CallRedirect, TellsTheCallerTheReasonOfARefusal) {
  CallTestBed bed(Following());
  const SendRequest invite = Begin(bed);
  bed.Reply(invite, Moved(invite, {"<sip:9@198.18.1.1>"}));
  const FindTarget wanted = bed.Take<FindTarget>();
  EXPECT_FALSE(wanted.is_transfer);
  bed.Do(bed.call().OnRoute(wanted.question, 402, {}, bed.now, "No credit"));
  EXPECT_EQ(bed.Take<Respond>().message.reason(), "No credit");
  EXPECT_EQ(bed.TakeEnd().text, "No credit");
}

TEST(CallRedirect, EndsALoop) {
  CallTestBed bed(Following());
  SendRequest invite = Begin(bed);
  for (int i = 0; i < 5; ++i) {
    bed.Reply(invite, Moved(invite, {absl::StrCat("<sip:", i, "@198.18.1.1>")}));
    bed.Do(bed.call().OnRoute(bed.Take<FindTarget>().question, 0, {CallTestBed::Callee(2)}, bed.now));
    invite = bed.Take<SendRequest>();
  }
  bed.Reply(invite, Moved(invite, {"<sip:6@198.18.1.1>"}));
  EXPECT_FALSE(bed.Has<FindTarget>());
  EXPECT_EQ(bed.Take<Respond>().message.status(), 302);

  CallTestBed circle(Following());
  invite = Begin(circle);
  circle.Reply(invite, Moved(invite, {"<sip:1@198.18.1.1>"}));
  circle.Do(circle.call().OnRoute(circle.Take<FindTarget>().question, 0, {CallTestBed::Callee(2)}, circle.now));
  invite = circle.Take<SendRequest>();
  circle.Reply(invite, Moved(invite, {"<sip:1@198.18.1.1>"}));
  EXPECT_FALSE(circle.Has<FindTarget>());
  EXPECT_EQ(circle.Take<Respond>().message.status(), 302);
}

TEST(CallRedirect, ForgetsTheQuestionWhenAnotherCalleeAnswers) {
  CallTestBed bed(Following());
  bed.Start(CallTestBed::Invite(), 2);
  bed.Media();
  const SendRequest first = bed.Take<SendRequest>();
  const SendRequest second = bed.Take<SendRequest>();
  bed.Reply(first, Moved(first, {"<sip:9@198.18.1.1>"}));
  const FindTarget wanted = bed.Take<FindTarget>();
  bed.Reply(second, CallTestBed::Answer(second, 200, PhoneSdp("192.168.2.2")));
  bed.Do(bed.call().OnRoute(wanted.question, 0, {CallTestBed::Callee(3)}, bed.now));
  EXPECT_FALSE(bed.Has<SendRequest>());
}

TEST(CallRedirect, WaitsForTheTargetWhenAllOthersHaveRefused) {
  CallTestBed bed(Following());
  bed.Start(CallTestBed::Invite(), 2);
  bed.Media();
  const SendRequest first = bed.Take<SendRequest>();
  const SendRequest second = bed.Take<SendRequest>();
  bed.Forget();
  bed.Reply(first, Moved(first, {"<sip:9@198.18.1.1>"}));
  bed.Reply(second, CallTestBed::Answer(second, 486));
  EXPECT_FALSE(bed.Has<Respond>());
  bed.Do(bed.call().OnRoute(bed.Take<FindTarget>().question, 480, {}, bed.now));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 486) << "it says more";
}

TEST(CallRedirect, IsNotForOther3xx) {
  CallTestBed bed(Following());
  const SendRequest invite = Begin(bed);
  bed.Reply(invite, Moved(invite, {"<sip:9@198.18.1.1>"}, 380));
  EXPECT_FALSE(bed.Has<FindTarget>());
  EXPECT_EQ(bed.Take<Respond>().message.status(), 380);
}

TEST(CallRedirect, LeadsATransferFurtherToo) {
  CallTestBed bed(Following());
  bed.Establish();
  bed.Request(kCaller, bed.InDialog(kCaller, "REFER", 3, "Refer-To: <sip:8@198.18.1.1>\r\n"));
  bed.Do(bed.call().OnRoute(bed.Take<FindTarget>().question, 0, {CallTestBed::Callee(2)}, bed.now));
  bed.Take<SendRequest>();
  const SendRequest invite = bed.Take<SendRequest>();
  bed.Reply(invite, Moved(invite, {"<sip:9@198.18.1.1>"}));
  bed.Do(bed.call().OnRoute(bed.Take<FindTarget>().question, 0, {CallTestBed::Callee(3)}, bed.now));
  const SendRequest second = bed.Take<SendRequest>();
  EXPECT_EQ(second.leg, 3u);
  EXPECT_TRUE(second.message.body().empty());
}

}  // namespace
}  // namespace sluice::call
