#include "signaling/agent/trunk_registration.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace sluice::agent {
namespace {

using State = TrunkBook::State;

constexpr absl::string_view kAdvertised = "198.18.1.1:5060";
constexpr absl::string_view kContact = "<sip:user@198.18.1.1:5060>";
const TrunkServer kServer = {{sip::Protocol::kUdp, *sip::Endpoint::Parse("198.18.3.1:5060")}, "198.18.3.1", 5060};

class TrunkRegistrationTest : public testing::Test {
 protected:
  static std::shared_ptr<const routing::Trunk> MakeTrunk() {
    routing::Trunk trunk;
    trunk.name = "carrier";
    trunk.domain = "carrier.example.net";
    trunk.username = "login";
    trunk.password = "secret";
    trunk.realm = "carrier";
    trunk.from_user = "user";
    trunk.registers = true;
    return std::make_shared<const routing::Trunk>(std::move(trunk));
  }

  // Sends the one that is due.
  sip::Message Next() {
    EXPECT_LE(registration_.due(), now_);
    sip::Message request = registration_.Next(kServer, kAdvertised);
    EXPECT_EQ(registration_.due(), absl::InfiniteFuture());
    return request;
  }
  void Answer(const sip::Message& request, uint16_t status, absl::string_view name = "", absl::string_view value = "") {
    sip::Message response = sip::Message::ResponseTo(request, status, "tag");
    if (!name.empty()) response.Add(name, value);
    registration_.OnResponse(response, now_);
  }
  void Challenge(const sip::Message& request, absl::string_view realm = "carrier", absl::string_view more = "") {
    Answer(request, 401, "WWW-Authenticate",
           absl::StrCat("Digest realm=\"", realm, "\", nonce=\"n\", qop=\"auth\"", more));
  }
  absl::Duration Wait() const { return registration_.due() - now_; }

  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  uint64_t random_ = 0;
  TrunkRegistration registration_{MakeTrunk(), {"call-id", "from-tag"}, [this] { return random_; }};
};

TEST_F(TrunkRegistrationTest, RegistersAtOnceUnderItsUser) {
  EXPECT_EQ(registration_.state().state, State::kTrying);
  const sip::Message request = Next();
  EXPECT_EQ(request.StartLine(), "REGISTER sip:carrier.example.net SIP/2.0");
  EXPECT_EQ(request.Get(sip::Header::kTo), "<sip:user@carrier.example.net>");
  EXPECT_EQ(request.Get(sip::Header::kFrom), "<sip:user@carrier.example.net>;tag=from-tag");
  EXPECT_EQ(request.Get(sip::Header::kContact), kContact);
  EXPECT_EQ(request.Get(sip::Header::kExpires), "600");
  EXPECT_FALSE(request.Has(sip::Header::kAuthorization));
}

TEST_F(TrunkRegistrationTest, AnswersTheChallengeAtOnceAndTheNextTimeBeforeItIsAsked) {
  Challenge(Next());
  const sip::Message second = Next();
  EXPECT_TRUE(absl::StrContains(second.Get(sip::Header::kAuthorization), "username=\"login\""));
  EXPECT_EQ(second.CSeqNumber(), 2u);
  EXPECT_EQ(second.CallId(), "call-id");
  Answer(second, 200, "Contact", absl::StrCat(kContact, ";expires=100"));
  EXPECT_EQ(registration_.state().state, State::kRegistered);
  now_ = registration_.due();
  const sip::Message refresh = Next();
  EXPECT_TRUE(absl::StrContains(refresh.Get(sip::Header::kAuthorization), "nc=00000002"));
  // Its nonce has grown old, and the trunk does not say that this is all.
  Challenge(refresh);
  EXPECT_EQ(Wait(), absl::ZeroDuration());
}

TEST_F(TrunkRegistrationTest, ComesAgainAfterThreeQuartersToNineTenthsOfWhatWasGranted) {
  Answer(Next(), 200, "Contact", absl::StrCat("<sip:other@198.18.1.9>;expires=9, ", kContact, ";expires=100"));
  EXPECT_EQ(Wait(), absl::Seconds(75));
  EXPECT_EQ(registration_.state().expire_time, now_ + absl::Seconds(100));
  now_ = registration_.due();
  random_ = ~uint64_t{0};
  Answer(Next(), 200, "Expires", "200");
  EXPECT_NEAR(absl::ToDoubleSeconds(Wait()), 180, 0.01);
}

TEST_F(TrunkRegistrationTest, DoesNotComeEverySecondBecauseATrunkGrantsNoMore) {
  Answer(Next(), 200, "Expires", "0");
  EXPECT_GE(Wait(), absl::Seconds(7));
}

TEST_F(TrunkRegistrationTest, AsksForAsMuchAsTheTrunkWantsAtLeast) {
  Answer(Next(), 423, "Min-Expires", "1800");
  const sip::Message second = Next();
  EXPECT_EQ(second.Get(sip::Header::kExpires), "1800");
  // The same once more would go on for ever.
  Answer(second, 423, "Min-Expires", "1800");
  EXPECT_EQ(registration_.state().state, State::kFailed);
}

TEST_F(TrunkRegistrationTest, StaysAwayAsLongAsRetryAfterSays) {
  Answer(Next(), 503, "Retry-After", "120");
  EXPECT_EQ(Wait(), absl::Seconds(120));
  EXPECT_EQ(registration_.state().state, State::kFailed);
  EXPECT_EQ(registration_.state().text, "503 Service Unavailable");
}

TEST_F(TrunkRegistrationTest, StaysAwayLongerWithEachFailureAndTriesTheOtherServer) {
  for (const int seconds : {15, 30, 60, 120, 240, 480, 900, 900}) {
    const size_t before = registration_.turn();
    Next();
    registration_.OnFailure("no answer", now_);
    EXPECT_EQ(Wait(), absl::Seconds(seconds));
    EXPECT_EQ(registration_.turn(), before + 1);
    now_ = registration_.due();
  }
  Answer(Next(), 200);
  EXPECT_EQ(registration_.state().state, State::kRegistered);
}

TEST_F(TrunkRegistrationTest, TellsNobodyAnythingInAnotherRealm) {
  Challenge(Next(), "thief");
  EXPECT_EQ(registration_.state().state, State::kFailed);
  EXPECT_EQ(registration_.state().text, "401 Unauthorized");
}

TEST_F(TrunkRegistrationTest, GivesUpForAWhileWhenItsPasswordIsWrongOrEveryAnswerStale) {
  Challenge(Next());
  Challenge(Next());
  EXPECT_EQ(registration_.state().state, State::kFailed);
  now_ = registration_.due();
  for (int i = 0; i < 3; ++i) Challenge(Next(), "carrier", ", stale=true");
  EXPECT_EQ(Wait(), absl::ZeroDuration());
  Challenge(Next(), "carrier", ", stale=true");
  EXPECT_GT(Wait(), absl::Seconds(10));
}

TEST_F(TrunkRegistrationTest, WaitsForASecondWhenNoServerIsKnown) {
  registration_.Wait(now_);
  EXPECT_EQ(Wait(), absl::Seconds(1));
  EXPECT_EQ(registration_.state().state, State::kTrying);
  EXPECT_EQ(registration_.state().text, "its name has no address");
}

TEST_F(TrunkRegistrationTest, TakesItsContactBack) {
  Answer(Next(), 200);
  EXPECT_EQ(registration_.Last(kServer, kAdvertised).Get(sip::Header::kExpires), "0");
}

}  // namespace
}  // namespace sluice::agent
