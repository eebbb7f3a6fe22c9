// DigestServer with DigestClient at the other end.

#include "signaling/sip/digest_server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "signaling/sip/digest_client.h"

namespace sluice::sip {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

class Registrar {
 public:
  explicit Registrar(const DigestServerOptions& options = {"Sluice"}) : server(options, std::string(32, 'k')) {}

  Message Request(absl::string_view method = "REGISTER", absl::string_view uri = "sip:sluice.example") {
    return Message::Request(method, uri);
  }
  Message Challenge(absl::Time now = kNow, bool stale = false) {
    Message response = Message::Response(401);
    for (const std::string& value : server.Challenges(stale, now)) response.Add(Header::kWwwAuthenticate, value);
    return response;
  }
  DigestOutcome Check(const Message& request, absl::Time now = kNow) {
    return server
        .Check(
            request, Header::kAuthorization,
            [this](absl::string_view user, DigestAlgorithm algorithm) -> std::optional<DigestSecret> {
              if (user != "alice") return std::nullopt;
              return DigestSecret{HashA1("alice", "Sluice", "secret", algorithm), allow_legacy};
            },
            now)
        .outcome;
  }
  // An answer in the old form, which DigestClient gives to a challenge without qop.
  Message LegacyRequest(absl::string_view method, const Message& challenge) {
    Message old = Message::Response(401);
    DigestChallenge parsed = *DigestChallenge::Parse(challenge.Get(Header::kWwwAuthenticate));
    parsed.qop.clear();
    parsed.algorithm.clear();
    old.Add(Header::kWwwAuthenticate, parsed.ToString());
    DigestClient client("alice", "secret");
    client.Accept(old);
    Message request = Request(method);
    client.Authorize(request, "");
    return request;
  }

  bool allow_legacy = false;
  DigestServer server;
};

TEST(DigestServer, OffersTheStrongestAlgorithmFirst) {
  Registrar registrar;
  const auto values = registrar.server.Challenges(false, kNow);
  ASSERT_EQ(values.size(), 2);
  EXPECT_TRUE(absl::StrContains(values[0], "algorithm=SHA-256, qop=\"auth\"")) << values[0];
  EXPECT_TRUE(absl::StrContains(values[1], "algorithm=MD5, qop=\"auth\"")) << values[1];
  EXPECT_NE(registrar.server.Challenges(false, kNow), values);
}

TEST(DigestServer, TakesARightAnswerOfEachAlgorithm) {
  for (const DigestAlgorithm algorithm :
       {DigestAlgorithm::kMd5, DigestAlgorithm::kSha256, DigestAlgorithm::kSha512_256}) {
    Registrar registrar({.realm = "Sluice", .algorithms = {algorithm}});
    DigestClient client("alice", "secret");
    ASSERT_TRUE(client.Accept(registrar.Challenge()));
    Message request = registrar.Request();
    client.Authorize(request, "c");
    EXPECT_EQ(registrar.Check(request), DigestOutcome::kOk) << DigestAlgorithmName(algorithm);
  }
}

TEST(DigestServer, TellsRequestsWithoutCredentialsForItsRealm) {
  Registrar registrar;
  Message request = registrar.Request();
  EXPECT_EQ(registrar.Check(request), DigestOutcome::kNoCredentials);
  request.Add(Header::kAuthorization, "NoOneKnowsThisScheme opaque-data=here");
  request.Add(Header::kAuthorization,
              "Digest username=\"a\", realm=\"elsewhere\", nonce=\"n\", uri=\"sip:h\", response=\"ab\"");
  EXPECT_EQ(registrar.Check(request), DigestOutcome::kNoCredentials);
}

TEST(DigestServer, RefusesAWrongPasswordAnUnknownUserAndAChangedRequestAlike) {
  Registrar registrar;
  DigestClient wrong("alice", "guess"), unknown("bob", "secret"), right("alice", "secret");
  for (DigestClient* client : {&wrong, &unknown}) {
    ASSERT_TRUE(client->Accept(registrar.Challenge()));
    Message request = registrar.Request();
    client->Authorize(request, "c");
    EXPECT_EQ(registrar.Check(request), DigestOutcome::kWrong);
  }
  ASSERT_TRUE(right.Accept(registrar.Challenge()));
  Message request = registrar.Request();
  right.Authorize(request, "c");
  Message changed = registrar.Request("INVITE");
  changed.Add(Header::kAuthorization, request.Get(Header::kAuthorization));
  EXPECT_EQ(registrar.Check(changed), DigestOutcome::kWrong);
}

TEST(DigestServer, TakesAsLongForAnUnknownUserAsForAWrongPassword) {
  Registrar registrar;
  // So long that hashing outweighs all else: whoever left it out would be seen from afar.
  const std::string uri = absl::StrCat("sip:", std::string(60000, 'a'), "@sluice.example");
  std::vector<Message> requests;
  for (const char* user : {"alice", "nobody"}) {
    DigestClient client(user, "guess");
    ASSERT_TRUE(client.Accept(registrar.Challenge()));
    requests.push_back(registrar.Request("REGISTER", uri));
    client.Authorize(requests.back(), "c");
  }
  // The shortest of many is what the work itself takes.
  std::vector<absl::Duration> shortest(requests.size(), absl::InfiniteDuration());
  for (int round = 0; round < 200; ++round) {
    for (size_t user = 0; user < requests.size(); ++user) {
      const absl::Time start = absl::Now();
      EXPECT_EQ(registrar.Check(requests[user]), DigestOutcome::kWrong);
      shortest[user] = std::min(shortest[user], absl::Now() - start);
    }
  }
  EXPECT_LT(shortest[0], shortest[1] * 1.25);
  EXPECT_LT(shortest[1], shortest[0] * 1.25);
}

TEST(DigestServer, TakesEachNonceCountOnceInAnyOrderWithinAWindow) {
  Registrar registrar;
  DigestClient client("alice", "secret");
  ASSERT_TRUE(client.Accept(registrar.Challenge()));
  std::vector<Message> requests;
  for (int i = 0; i < 100; ++i) {
    requests.push_back(registrar.Request());
    client.Authorize(requests.back(), "c");
  }
  EXPECT_EQ(registrar.Check(requests[2]), DigestOutcome::kOk);
  EXPECT_EQ(registrar.Check(requests[0]), DigestOutcome::kOk);
  EXPECT_EQ(registrar.Check(requests[0]), DigestOutcome::kReplayed);
  EXPECT_EQ(registrar.Check(requests[2]), DigestOutcome::kReplayed);
  EXPECT_EQ(registrar.Check(requests[99]), DigestOutcome::kOk);
  EXPECT_EQ(registrar.Check(requests[36]), DigestOutcome::kOk);
  // Behind the window nobody knows any more whether it was taken.
  EXPECT_EQ(registrar.Check(requests[35]), DigestOutcome::kReplayed);
}

TEST(DigestServer, CallsANonceStaleThatIsTooOldOrOfAnotherServer) {
  Registrar registrar;
  DigestClient client("alice", "secret");
  ASSERT_TRUE(client.Accept(registrar.Challenge()));
  Message request = registrar.Request();
  client.Authorize(request, "c");
  EXPECT_EQ(registrar.Check(request, kNow + absl::Minutes(5) + absl::Seconds(1)), DigestOutcome::kStale);
  EXPECT_EQ(registrar.Check(request, kNow + absl::Minutes(5)), DigestOutcome::kOk);

  DigestServer stranger({"Sluice"}, std::string(32, 'x'));
  Message challenge = Message::Response(401);
  challenge.Add(Header::kWwwAuthenticate, stranger.Challenges(false, kNow)[0]);
  DigestClient confused("alice", "secret");
  ASSERT_TRUE(confused.Accept(challenge));
  request = registrar.Request();
  confused.Authorize(request, "c");
  EXPECT_EQ(registrar.Check(request), DigestOutcome::kStale);
}

TEST(DigestServer, ForgetsTheOldestNoncesOnlyByCallingThemStale) {
  Registrar registrar({.realm = "Sluice", .max_used_nonces = 2});
  std::vector<Message> requests;
  for (int i = 0; i < 3; ++i) {
    DigestClient client("alice", "secret");
    ASSERT_TRUE(client.Accept(registrar.Challenge(kNow + absl::Seconds(i))));
    requests.push_back(registrar.Request());
    client.Authorize(requests.back(), "c");
    EXPECT_EQ(registrar.Check(requests.back(), kNow + absl::Seconds(i)), DigestOutcome::kOk);
  }
  EXPECT_EQ(registrar.Check(requests[0], kNow + absl::Seconds(3)), DigestOutcome::kStale);
  EXPECT_EQ(registrar.Check(requests[2], kNow + absl::Seconds(3)), DigestOutcome::kReplayed);
}

TEST(DigestServer, TakesTheOldFormWithoutQopOnlyWhereItIsAllowedAndOnceEach) {
  Registrar registrar;
  const Message challenge = registrar.Challenge(kNow);
  Message md5_challenge = Message::Response(401);
  md5_challenge.Add(Header::kWwwAuthenticate, challenge.Elements(Header::kWwwAuthenticate)[1]);
  const Message invite = registrar.LegacyRequest("INVITE", md5_challenge);
  EXPECT_EQ(registrar.Check(invite), DigestOutcome::kWrong);
  registrar.allow_legacy = true;
  EXPECT_EQ(registrar.Check(invite), DigestOutcome::kOk);
  EXPECT_EQ(registrar.Check(invite), DigestOutcome::kReplayed);
  EXPECT_EQ(registrar.Check(registrar.LegacyRequest("REGISTER", md5_challenge)), DigestOutcome::kOk);
}

TEST(DigestServer, NamesWhatIsDamaged) {
  Registrar registrar;
  DigestClient client("alice", "secret");
  ASSERT_TRUE(client.Accept(registrar.Challenge()));
  Message good = registrar.Request();
  client.Authorize(good, "c");
  const std::string value(good.Get(Header::kAuthorization));
  struct Damage {
    const char* from;
    const char* to;
    const char* text;
  };
  for (const Damage& damage : {
           Damage{"qop=auth", "qop=auth-int", "Authorization: a digest qop that was not offered"},
           Damage{"algorithm=SHA-256", "algorithm=SHA-256-sess",
                  "Authorization: a digest algorithm that was not offered"},
           Damage{"algorithm=SHA-256", "algorithm=MD5", "Authorization: digest response of a wrong length"},
           Damage{"sluice.example", "other.example", "Authorization: digest uri is not the Request-URI"},
           Damage{"nc=00000001", "nc=1", "Authorization: damaged digest credentials"},
       }) {
    Message request = registrar.Request();
    request.Add(Header::kAuthorization, absl::StrReplaceAll(value, {{damage.from, damage.to}}));
    const DigestVerdict verdict = registrar.server.Check(
        request, Header::kAuthorization,
        [](absl::string_view, DigestAlgorithm) -> std::optional<DigestSecret> { return std::nullopt; }, kNow);
    EXPECT_EQ(verdict.outcome, DigestOutcome::kMalformed) << damage.to;
    EXPECT_EQ(verdict.text, damage.text);
  }
}

TEST(DigestServer, LetsTheUriDifferInPortAndParameters) {
  Registrar registrar;
  DigestClient client("alice", "secret");
  ASSERT_TRUE(client.Accept(registrar.Challenge()));
  Message request = registrar.Request("INVITE", "sip:bob@sluice.example");
  client.Authorize(request, "c");
  request.SetRequestUri("sip:bob@SLUICE.example:5060;transport=udp");
  EXPECT_EQ(registrar.Check(request), DigestOutcome::kOk);
}

TEST(DigestClient, StopsWhenItsAnswerWasRefusedAndGoesOnWhenItWasStale) {
  Registrar registrar;
  DigestClient client("alice", "secret");
  Message request = registrar.Request();
  ASSERT_TRUE(client.Accept(registrar.Challenge()));
  client.Authorize(request, "c");
  EXPECT_TRUE(client.Accept(registrar.Challenge(kNow, true)));
  client.Authorize(request, "c");
  EXPECT_EQ(registrar.Check(request), DigestOutcome::kOk);
  EXPECT_FALSE(client.Accept(registrar.Challenge()));
}

TEST(DigestClient, TakesNoChallengeThatItCannotAnswer) {
  for (const char* value :
       {"Digest realm=\"r\", nonce=\"n\", algorithm=SHA-3", "Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"",
        "Basic realm=\"r\"", "Digest nonce=\"n\""}) {
    Message response = Message::Response(407);
    response.Add(Header::kProxyAuthenticate, value);
    DigestClient client("alice", "secret");
    EXPECT_FALSE(client.Accept(response)) << value;
  }
}

}  // namespace
}  // namespace sluice::sip
