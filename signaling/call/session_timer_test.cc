#include "signaling/call/session_timer.h"

#include "gtest/gtest.h"

namespace sluice::call {
namespace {

using sip::Header;

const absl::Time kNow = absl::FromUnixSeconds(1700000000);

sip::Message Request(absl::string_view session_expires, absl::string_view supported = "timer") {
  sip::Message request = sip::Message::Request("INVITE", "sip:b@example.org");
  if (!session_expires.empty()) request.Add(Header::kSessionExpires, session_expires);
  if (!supported.empty()) request.Add(Header::kSupported, supported);
  return request;
}

sip::Message Success(absl::string_view session_expires = "") {
  sip::Message success = sip::Message::Response(200);
  if (!session_expires.empty()) success.Add(Header::kSessionExpires, session_expires);
  return success;
}

TEST(SessionTimer, RefusesLessThanNinetySecondsOfThoseWhoUnderstandThat) {
  EXPECT_TRUE(SessionTimer::IsTooShort(Request("89")));
  EXPECT_FALSE(SessionTimer::IsTooShort(Request("90")));
  EXPECT_FALSE(SessionTimer::IsTooShort(Request("89", ""))) << "RFC 4028 9";
  EXPECT_FALSE(SessionTimer::IsTooShort(Request("")));
}

TEST(SessionTimer, NeverRunsWhereNobodyAskedForIt) {
  SessionTimer timer;
  timer.OnAnswer(Success(), absl::ZeroDuration(), kNow);
  EXPECT_EQ(timer.refresh_at(), absl::InfiniteFuture());
  EXPECT_EQ(timer.expires_at(), absl::InfiniteFuture());
}

TEST(SessionTimer, IsRefreshedByUsAtHalfTimeWhereThePeerKnowsNothingOfIt) {
  SessionTimer timer;
  timer.OnAnswer(Success(), absl::Seconds(1800), kNow);
  EXPECT_EQ(timer.refresh_at(), kNow + absl::Seconds(900));
  EXPECT_EQ(timer.expires_at(), kNow + absl::Seconds(1768)) << "32 s ahead (RFC 4028 10)";
  EXPECT_EQ(timer.RefreshValue(), "1800;refresher=uac");
}

TEST(SessionTimer, IsLeftToThePeerThatTakesItOn) {
  SessionTimer timer;
  timer.OnAnswer(Success("90;refresher=uas"), absl::Seconds(1800), kNow);
  EXPECT_EQ(timer.interval(), absl::Seconds(90));
  EXPECT_EQ(timer.refresh_at(), absl::InfiniteFuture());
  EXPECT_EQ(timer.expires_at(), kNow + absl::Seconds(60)) << "a third ahead where that is less than 32 s";
  EXPECT_EQ(timer.RefreshValue(), "90;refresher=uas");
}

TEST(SessionTimer, DoesNotLiveShorterThanNinetySecondsWhateverThePeerSays) {
  SessionTimer timer;
  timer.OnAnswer(Success("1;refresher=uac"), absl::Seconds(1800), kNow);
  EXPECT_EQ(timer.interval(), absl::Seconds(90));
}

TEST(SessionTimer, AgreesOnTheShorterOfBothButNotBelowWhatThePeerCanTake) {
  struct Case {
    absl::string_view description;
    absl::string_view asked;
    absl::string_view min_se;
    absl::Duration ours;
    absl::string_view agreed;
    bool requires_timer;
  };
  const Case cases[] = {
      {"ours is shorter", "3600", "", absl::Seconds(1800), "1800;refresher=uas", false},
      {"theirs is shorter", "600", "", absl::Seconds(1800), "600;refresher=uas", false},
      {"theirs has a floor", "3600", "2000", absl::Seconds(1800), "2000;refresher=uas", false},
      {"we ask for none", "600", "", absl::ZeroDuration(), "600;refresher=uas", false},
      {"they refresh", "600;refresher=uac", "", absl::Seconds(1800), "600;refresher=uac", true},
      {"they leave it to us", "600;refresher=uas", "", absl::Seconds(1800), "600;refresher=uas", false},
      {"they support it only", "", "", absl::Seconds(1800), "1800;refresher=uas", false},
  };
  for (const Case& one : cases) {
    sip::Message request = Request(one.asked);
    if (!one.min_se.empty()) request.Add(Header::kMinSe, one.min_se);
    sip::Message success = Success();
    SessionTimer timer;
    timer.Answer(request, one.ours, kNow, success);
    EXPECT_EQ(success.Get(Header::kSessionExpires), one.agreed) << one.description;
    EXPECT_EQ(success.HasElement(Header::kRequire, "timer"), one.requires_timer) << one.description;
    EXPECT_EQ(timer.refresh_at() == absl::InfiniteFuture(), one.requires_timer) << one.description;
  }
}

TEST(SessionTimer, SaysNothingToAPeerThatNeitherAsksForItNorKnowsIt) {
  sip::Message success = Success();
  SessionTimer timer;
  timer.Answer(Request("", ""), absl::Seconds(1800), kNow, success);
  EXPECT_FALSE(success.Has(Header::kSessionExpires));
  EXPECT_EQ(timer.expires_at(), absl::InfiniteFuture());
}

TEST(SessionTimer, StartsAnewWithAnyRequestThatIsAnswered) {
  SessionTimer timer;
  timer.OnAnswer(Success(), absl::Seconds(1800), kNow);
  sip::Message success = Success();
  timer.Answer(Request("", ""), absl::Seconds(1800), kNow + absl::Seconds(100), success);
  EXPECT_EQ(timer.refresh_at(), kNow + absl::Seconds(1000));
}

TEST(SessionTimer, AsksAtOnceForWhatA422Demands) {
  sip::Message refusal = sip::Message::Response(422);
  EXPECT_EQ(SessionTimer::Demanded(refusal), absl::ZeroDuration());
  refusal.Add(Header::kMinSe, "3000");
  SessionTimer timer;
  timer.OnAnswer(Success(), absl::Seconds(1800), kNow);
  timer.Demand(SessionTimer::Demanded(refusal), kNow + absl::Seconds(900));
  EXPECT_EQ(timer.refresh_at(), kNow + absl::Seconds(900));
  EXPECT_EQ(timer.RefreshValue(), "3000;refresher=uac");
  timer.Demand(absl::Seconds(10), kNow);
  EXPECT_EQ(timer.interval(), absl::Seconds(3000)) << "never less than before";
}

TEST(SessionTimer, WaitsWithARefreshWithoutLivingLonger) {
  SessionTimer timer;
  timer.OnAnswer(Success(), absl::Seconds(1800), kNow);
  const absl::Time expires_at = timer.expires_at();
  timer.Postpone(kNow + absl::Seconds(905));
  EXPECT_EQ(timer.refresh_at(), kNow + absl::Seconds(905));
  EXPECT_EQ(timer.expires_at(), expires_at);
}

}  // namespace
}  // namespace sluice::call
