#include "signaling/sip/uri.h"

#include <gtest/gtest.h>

namespace sluice::sip {
namespace {

TEST(Uri, IsCutIntoItsParts) {
  const auto uri = Uri::Parse("sip:alice:pw@[2001:db8::1]:5070;transport=tcp;lr?Subject=a&Priority=b");
  ASSERT_TRUE(uri);
  EXPECT_EQ(uri->scheme(), Scheme::kSip);
  EXPECT_EQ(uri->user(), "alice");
  EXPECT_EQ(uri->password(), "pw");
  EXPECT_EQ(uri->host(), "[2001:db8::1]");
  EXPECT_EQ(uri->port(), 5070);
  EXPECT_EQ(uri->Parameter("TRANSPORT"), "tcp");
  EXPECT_TRUE(uri->HasParameter("lr"));
  EXPECT_EQ(uri->headers(), "Subject=a&Priority=b");
  EXPECT_EQ(uri->Transport(), Protocol::kTcp);
  EXPECT_EQ(uri->Address()->ToString(), "[2001:db8::1]:5070");
}

TEST(Uri, IsNoneWithoutSchemeHostOrWithCharactersThatMayNotBe) {
  for (const char* text :
       {"", "sip", "sip:", "sip:@h", "sip:a@", "sip:a@b@c", "sip:h:99999", "sip:h:0x10", "sip:h?", "sip:a b@h",
        "sip:<a>@h", "sip:a%4@h", "sip:a%zz@h", "sip:[2001:db8::1", "sip:[]", "1ab:c", "tel:", "sip:h:5060:5061"}) {
    EXPECT_FALSE(Uri::Parse(text)) << text;
  }
}

TEST(Uri, OfOtherSchemesIsCarriedWithoutBeingRead) {
  const auto uri = Uri::Parse("nobodyKnowsThisScheme:totally;opaque?x");
  ASSERT_TRUE(uri);
  EXPECT_EQ(uri->scheme(), Scheme::kOther);
  EXPECT_EQ(uri->text(), "nobodyKnowsThisScheme:totally;opaque?x");
}

TEST(Uri, DecodesItsUserAndLeavesVisualSeparatorsOutOfNumbers) {
  EXPECT_EQ(Uri::Parse("sip:%61l%69ce%20x@h")->DecodedUser(), "alice x");
  EXPECT_EQ(Uri::Parse("tel:+1-201.555(0123)")->DecodedUser(), "+12015550123");
}

TEST(Uri, GivesTheHeaderFieldsThatItCarries) {
  const Uri uri = *Uri::Parse("sip:c@198.18.1.1?Require=replaces&replaces=12%40x%3Bto-tag%3Da%3Bfrom-tag%3Db");
  EXPECT_EQ(uri.HeaderField("Replaces"), "12@x;to-tag=a;from-tag=b");
  EXPECT_EQ(uri.HeaderField("require"), "replaces");
  EXPECT_EQ(uri.HeaderField("Subject"), std::nullopt);
  EXPECT_EQ(Uri::Parse("sip:c@198.18.1.1")->HeaderField("Replaces"), std::nullopt);
}

// RFC 3261 19.1.4.
TEST(Uri, IsEquivalentAsTheRfcSays) {
  const char* equal[][2] = {
      {"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"},
      {"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"},
      {"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"},
      {"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
       "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"},
      {"sip:alice@atlanta.com?subject=project%20x&priority=urgent",
       "sip:alice@atlanta.com?priority=urgent&subject=project%20x"},
      {"tel:+1-201-555-0123", "tel:+12015550123"},
  };
  for (const auto& pair : equal) {
    EXPECT_EQ(*Uri::Parse(pair[0]), *Uri::Parse(pair[1])) << pair[0] << " " << pair[1];
  }
  const char* different[][2] = {
      {"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"},
      {"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"},
      {"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"},
      {"sip:bob@biloxi.com", "sips:bob@biloxi.com"},
      {"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"},
      {"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"},
      {"sip:a%40b@h", "sip:a@h"},
  };
  for (const auto& pair : different) {
    EXPECT_NE(*Uri::Parse(pair[0]), *Uri::Parse(pair[1])) << pair[0] << " " << pair[1];
  }
}

TEST(Uri, IsBuiltWithWhatItNeedsEscaped) {
  EXPECT_EQ(Uri::Sip("a@b c", "h", 5060).text(), "sip:a%40b%20c@h:5060");
  EXPECT_EQ(Uri::Sip("", "2001:db8::1").text(), "sip:[2001:db8::1]");
  EXPECT_EQ(Uri::SipAt("1000", "198.18.0.1:5060").text(), "sip:1000@198.18.0.1:5060");
}

TEST(Uri, IsEditedInPlace) {
  Uri uri = *Uri::Parse("sip:a@h;x=1;transport=udp;lr?S=1");
  uri.SetParameter("transport", "tcp");
  uri.RemoveParameter("X");
  uri.SetParameter("ob", "");
  EXPECT_EQ(uri.text(), "sip:a@h;transport=tcp;lr;ob?S=1");
  uri.RemoveHeaders();
  uri.SetUser("b");
  uri.SetHostPort("2001:db8::2", 6000);
  EXPECT_EQ(uri.text(), "sip:b@[2001:db8::2]:6000;transport=tcp;lr;ob");
}

}  // namespace
}  // namespace sluice::sip
