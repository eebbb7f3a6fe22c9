#include "signaling/agent/authenticator.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "signaling/sip/digest.h"
#include "signaling/sip/digest_client.h"
#include "signaling/store/sqlite_store.h"

namespace sluice::agent {
namespace {

constexpr absl::string_view kRealm = "ASG Switch";
constexpr absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

sip::Message Request(absl::string_view method) {
  sip::Message request = sip::Message::Request(method, "sip:20002230000@198.18.1.1");
  request.Add(sip::Header::kVia, "SIP/2.0/UDP 198.18.1.2:45426;branch=z9hG4bK1");
  request.Add(sip::Header::kFrom, "<sip:20002230001@198.18.1.1>;tag=a");
  request.Add(sip::Header::kTo, "<sip:20002230000@198.18.1.1>");
  request.Add(sip::Header::kCallId, "1");
  request.Add(sip::Header::kCSeq, std::string("1 ") + std::string(method));
  return request;
}

class AuthenticatorTest : public testing::Test {
 protected:
  AuthenticatorTest() : store_(*store::OpenSqliteStore({.file = ":memory:"})) {
    store::Account account{.name = "20002230001", .create_time = kStart};
    for (const auto algorithm : {sip::DigestAlgorithm::kMd5, sip::DigestAlgorithm::kSha256}) {
      account.digests.push_back({std::string(kRealm), std::string(sip::DigestAlgorithmName(algorithm)),
                                 sip::HashA1(account.name, kRealm, "secret", algorithm)});
    }
    EXPECT_TRUE(store_->CreateAccount(account).ok());
    hop_.remote = *sip::Endpoint::Parse("198.18.1.2:45426");
  }

  Authenticator::Result Try(const sip::Message& request, absl::Time now = kStart) {
    return authenticator_.Authenticate(request, hop_, "tag", now);
  }

  // Asks, and answers the challenge.
  Authenticator::Result Call(absl::string_view user, absl::string_view password, absl::string_view method = "INVITE") {
    sip::Message request = Request(method);
    Authenticator::Result challenged = Try(request);
    sip::DigestClient client(user, password);
    EXPECT_TRUE(client.Accept(*challenged.refusal));
    client.Authorize(request, "c0ffee");
    return Try(request);
  }

  static uint16_t StatusOf(const Authenticator::Result& result) {
    return result.refusal.has_value() ? result.refusal->status() : 0;
  }

  std::unique_ptr<store::Store> store_;
  sip::Hop hop_;
  Authenticator authenticator_{{.realm = std::string(kRealm)}, *store_, std::string(32, 'k')};
};

TEST_F(AuthenticatorTest, ChallengesARegisterBy401AndAnInviteBy407) {
  const Authenticator::Result registering = Try(Request("REGISTER"));
  EXPECT_EQ(StatusOf(registering), 401);
  EXPECT_TRUE(registering.refusal->Has(sip::Header::kWwwAuthenticate));
  const Authenticator::Result inviting = Try(Request("INVITE"));
  EXPECT_EQ(StatusOf(inviting), 407);
  EXPECT_TRUE(inviting.refusal->Has(sip::Header::kProxyAuthenticate));
  EXPECT_EQ(inviting.refusal->ToTag(), "tag");
}

TEST_F(AuthenticatorTest, KnowsWhoAnswersRightly) {
  const Authenticator::Result result = Call("20002230001", "secret");
  ASSERT_NE(result.account, nullptr);
  EXPECT_EQ(result.account->name, "20002230001");
  EXPECT_FALSE(result.refusal.has_value());
  EXPECT_NE(Call("20002230001", "secret", "REGISTER").account, nullptr);
}

TEST_F(AuthenticatorTest, RefusesTheThirdWrongPasswordInARow) {
  EXPECT_EQ(StatusOf(Call("20002230001", "guess 1")), 407);
  EXPECT_EQ(StatusOf(Call("20002230001", "guess 2")), 407);
  EXPECT_EQ(StatusOf(Call("20002230001", "guess 3")), 403);
  EXPECT_NE(Call("20002230001", "secret").account, nullptr);
  EXPECT_EQ(StatusOf(Call("20002230001", "guess 4")), 407);
}

TEST_F(AuthenticatorTest, AnswersForAnUnknownNumberAsForAWrongPasswordByteForByte) {
  const auto without_nonces = [](sip::Message response) {
    std::string text = response.Serialize();
    for (const absl::string_view value : response.Elements(sip::Header::kProxyAuthenticate)) {
      text = absl::StrReplaceAll(text, {{sip::DigestChallenge::Parse(value)->nonce, "NONCE"}});
    }
    return text;
  };
  for (const uint16_t status : {407, 407, 403}) {
    const Authenticator::Result known = Call("20002230001", "guess");
    const Authenticator::Result unknown = Call("29999999999", "guess");
    EXPECT_EQ(StatusOf(unknown), status);
    EXPECT_EQ(without_nonces(*known.refusal), without_nonces(*unknown.refusal));
  }
}

TEST_F(AuthenticatorTest, SaysThatANonceIsStaleWithoutCountingItAsWrong) {
  sip::Message request = Request("INVITE");
  sip::DigestClient client("20002230001", "secret");
  ASSERT_TRUE(client.Accept(*Try(request).refusal));
  client.Authorize(request, "c0ffee");
  const Authenticator::Result late = Try(request, kStart + absl::Minutes(10));
  EXPECT_EQ(StatusOf(late), 407);
  EXPECT_NE(late.refusal->Get(sip::Header::kProxyAuthenticate).find("stale=true"), absl::string_view::npos);
}

TEST_F(AuthenticatorTest, DoesNotTakeTheSameAnswerTwice) {
  sip::Message request = Request("INVITE");
  sip::DigestClient client("20002230001", "secret");
  ASSERT_TRUE(client.Accept(*Try(request).refusal));
  client.Authorize(request, "c0ffee");
  EXPECT_NE(Try(request).account, nullptr);
  EXPECT_EQ(StatusOf(Try(request)), 407);
}

TEST_F(AuthenticatorTest, MakesAnAddressWaitThatGuessesAtManyNames) {
  for (int i = 0; i < 20; ++i) EXPECT_EQ(StatusOf(Call(std::to_string(i), "guess")), 407);
  EXPECT_EQ(StatusOf(Call("20002230001", "secret")), 403);
  hop_.remote = *sip::Endpoint::Parse("198.18.1.3:45426");
  EXPECT_NE(Call("20002230001", "secret").account, nullptr);
}

TEST_F(AuthenticatorTest, MakesAnAccountWaitThatManyAddressesGuessAt) {
  for (uint16_t i = 0; i < 20; ++i) {
    hop_.remote = *sip::Endpoint::Make(absl::StrCat("198.18.9.", i), 5060);
    EXPECT_EQ(StatusOf(Call("20002230001", "guess")), 407);
  }
  hop_.remote = *sip::Endpoint::Parse("198.18.1.2:45426");
  EXPECT_EQ(StatusOf(Call("20002230001", "secret")), 403);
  // One that nobody has waits alike.
  for (uint16_t i = 0; i < 20; ++i) {
    hop_.remote = *sip::Endpoint::Make(absl::StrCat("198.18.10.", i), 5060);
    EXPECT_EQ(StatusOf(Call("29999999999", "guess")), 407);
  }
  EXPECT_EQ(StatusOf(Call("29999999999", "guess")), 403);
}

TEST_F(AuthenticatorTest, LetsARegisteredPhoneGoOnWhileOthersGuessAtItsAccount) {
  const auto before = store_->FindBindings("20002230001");
  ASSERT_TRUE(store_->ReplaceBindings("20002230001", before,
                                      {{.expire_time = kStart + absl::Hours(1), .source = hop_.remote.ToString()}}));
  for (uint16_t i = 0; i < 20; ++i) {
    hop_.remote = *sip::Endpoint::Make(absl::StrCat("198.18.9.", i), 5060);
    Call("20002230001", "guess");
  }
  EXPECT_EQ(StatusOf(Call("20002230001", "secret")), 403);
  hop_.remote = *sip::Endpoint::Parse("198.18.1.2:45426");
  EXPECT_NE(Call("20002230001", "secret").account, nullptr);
}

TEST_F(AuthenticatorTest, SaysWhatIsWrongWithDamagedCredentials) {
  sip::Message request = Request("INVITE");
  request.Add(sip::Header::kProxyAuthorization, "Digest username=\"20002230001\", realm=\"ASG Switch\"");
  EXPECT_EQ(StatusOf(Try(request)), 400);
}

}  // namespace
}  // namespace sluice::agent
