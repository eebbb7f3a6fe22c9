#include "signaling/sip/digest.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::sip {
namespace {

// RFC 7616 3.9.1.
DigestCredentials RfcCredentials() {
  DigestCredentials credentials;
  credentials.username = "Mufasa";
  credentials.realm = "http-auth@example.org";
  credentials.uri = "/dir/index.html";
  credentials.nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
  credentials.nonce_count = 1;
  credentials.cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
  credentials.qop = "auth";
  return credentials;
}

TEST(DigestResponse, IsThatOfTheExamplesInRfc7616) {
  const DigestCredentials credentials = RfcCredentials();
  const auto response = [&credentials](DigestAlgorithm algorithm) {
    return DigestResponse(HashA1("Mufasa", credentials.realm, "Circle of Life", algorithm), "GET", credentials,
                          algorithm);
  };
  EXPECT_EQ(response(DigestAlgorithm::kMd5), "8ca523f5e9506fed4657c9700eebdbec");
  EXPECT_EQ(response(DigestAlgorithm::kSha256), "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

TEST(DigestResponse, WithoutQopIsThatOfRfc2069) {
  DigestCredentials credentials = RfcCredentials();
  credentials.qop.clear();
  // H(H(A1):nonce:H(A2)), computed by Python's hashlib.
  EXPECT_EQ(DigestResponse(HashA1("Mufasa", credentials.realm, "Circle of Life", DigestAlgorithm::kMd5), "GET",
                           credentials, DigestAlgorithm::kMd5),
            "7b2cc3b30e75b4777ea31027084363fd");
}

TEST(DigestCredentials, AreReadInAnyOrderAndSpelling) {
  const auto credentials = DigestCredentials::Parse(
      "DIGEST qop=auth,NC=0000001f , cnonce=\"a,b\\\"c\", username=\"al,ice\",realm=\"r\", "
      "nonce=\"n\",\turi=\"sip:b@h\", "
      "response=\"ABCDEF\", algorithm=\"MD5\", unknown=thing");
  ASSERT_TRUE(credentials);
  EXPECT_EQ(credentials->username, "al,ice");
  EXPECT_EQ(credentials->cnonce, "a,b\"c");
  EXPECT_EQ(credentials->nonce_count, 31);
  EXPECT_EQ(credentials->response, "abcdef");
  EXPECT_EQ(credentials->algorithm, "MD5");
}

TEST(DigestCredentials, AreReadBackAsTheyWereWritten) {
  DigestCredentials credentials = RfcCredentials();
  credentials.response = "0123456789abcdef";
  credentials.algorithm = "SHA-256";
  credentials.opaque = "o\"p";
  const std::string text = credentials.ToString();
  const auto again = DigestCredentials::Parse(text);
  ASSERT_TRUE(again) << text;
  EXPECT_EQ(again->ToString(), text);
  EXPECT_EQ(again->opaque, credentials.opaque);
}

TEST(DigestCredentials, AreRefusedIfTheyAreDamaged) {
  const std::string good = "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:h\", response=\"ab\"";
  ASSERT_TRUE(DigestCredentials::Parse(good));
  for (const char* more : {", qop=auth", ", qop=auth, cnonce=\"c\"", ", qop=auth, cnonce=\"c\", nc=1",
                           ", qop=auth, cnonce=\"c\", nc=00000000", ", qop=auth, cnonce=\"c\", nc=0000000g",
                           ", realm=\"other\"", ", opaque=\"open", ", =x", ", word", ", opaque=a\"b\""}) {
    EXPECT_FALSE(DigestCredentials::Parse(good + more)) << more;
  }
  for (const char* text : {"", "Digest", "Basic dTpw", "Digest username=\"u\"",
                           "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:h\"",
                           "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:h\", response=\"xyz\""}) {
    EXPECT_FALSE(DigestCredentials::Parse(text)) << text;
  }
}

TEST(DigestChallenge, IsReadBackAsItWasWritten) {
  DigestChallenge challenge;
  challenge.realm = "ASG \"Switch\"";
  challenge.nonce = "212a425d";
  challenge.qop = {"auth", "auth-int"};
  challenge.algorithm = "SHA-256";
  challenge.stale = true;
  const std::string text = challenge.ToString();
  EXPECT_EQ(text,
            "Digest realm=\"ASG \\\"Switch\\\"\", nonce=\"212a425d\", algorithm=SHA-256, qop=\"auth,auth-int\", "
            "stale=true");
  const auto again = DigestChallenge::Parse(text);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->ToString(), text);
}

TEST(DigestChallenge, NeedsRealmAndNonce) {
  EXPECT_TRUE(DigestChallenge::Parse("Digest realm=\"\", nonce=\"n\""));
  EXPECT_FALSE(DigestChallenge::Parse("Digest nonce=\"n\""));
  EXPECT_FALSE(DigestChallenge::Parse("Digest realm=\"r\""));
  EXPECT_FALSE(DigestChallenge::Parse("Basic realm=\"r\", nonce=\"n\""));
}

}  // namespace
}  // namespace sluice::sip
