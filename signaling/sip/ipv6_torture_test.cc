// The cases of RFC 5118, by its sections: IPv6 addresses in URIs, in Via and in Contact.

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "signaling/sip/message.h"
#include "signaling/sip/via.h"

namespace sluice::sip {
namespace {

std::string Request(absl::string_view uri, absl::string_view via = "[2001:db8::9:1]",
                    absl::string_view contact = "<sip:phone@[2001:db8::9:1]>") {
  return absl::StrCat("REGISTER ", uri, " SIP/2.0\r\nVia: SIP/2.0/UDP ", via,
                      ";branch=z9hG4bKas3\r\nMax-Forwards: 70\r\nFrom: <sip:phone@example.com>;tag=81x2\r\n"
                      "To: <sip:phone@example.com>\r\nCall-ID: one\r\nCSeq: 1 REGISTER\r\nContact: ",
                      contact, "\r\nContent-Length: 0\r\n\r\n");
}

// Of the Request-URI; empty: it names no address.
std::string AddressIn(const std::string& bytes) {
  const ParseResult parsed = Message::Parse(bytes);
  EXPECT_TRUE(parsed.ok()) << parsed.error->text;
  const std::optional<Uri> uri = parsed.message.RequestUri();
  const std::optional<Endpoint> address = uri.has_value() ? uri->Address() : std::nullopt;
  return address.has_value() ? address->ToString() : "";
}

TEST(Rfc5118, Section41And47TakesAReferenceInUriViaAndContact) {
  const ParseResult parsed = Message::Parse(Request("sip:[2001:db8::10]", "[2001:db8::9:1]:6050"));
  ASSERT_TRUE(parsed.ok()) << parsed.error->text;
  EXPECT_EQ(AddressIn(parsed.message.Serialize()), "[2001:db8::10]:5060");
  EXPECT_EQ(parsed.message.TopVia()->host, "[2001:db8::9:1]");
  EXPECT_EQ(parsed.message.TopVia()->port, 6050);
  EXPECT_EQ(parsed.message.Addresses(Header::kContact)[0].uri.host(), "[2001:db8::9:1]");
  EXPECT_EQ(AddressIn(Request("sip:198.18.1.1", "198.18.1.2;received=2001:db8::1")), "198.18.1.1:5060");
}

TEST(Rfc5118, Section42RefusesAReferenceWithoutBrackets) {
  const ParseResult parsed = Message::Parse(Request("sip:2001:db8::10"));
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.error->status, 400);
}

TEST(Rfc5118, Section43And44TakesAPortFromBehindTheBracketsOnly) {
  EXPECT_EQ(AddressIn(Request("sip:[2001:db8::10:5070]")), "[2001:db8::10:5070]:5060");
  EXPECT_EQ(AddressIn(Request("sip:[2001:db8::10]:5070")), "[2001:db8::10]:5070");
}

TEST(Rfc5118, Section45TakesReceivedWithBracketsAndWithout) {
  for (const absl::string_view received : {"[2001:db8::9:255]", "2001:db8::9:255"}) {
    const ParseResult parsed =
        Message::Parse(Request("sip:[2001:db8::10]", absl::StrCat("[2001:db8::9:1]:5070;received=", received)));
    ASSERT_TRUE(parsed.ok()) << parsed.error->text;
    EXPECT_EQ(parsed.message.TopVia()->parameters.Get("received"), received);
  }
}

TEST(Rfc5118, Section45WritesReceivedWithoutBrackets) {
  Via via = *Via::Parse("SIP/2.0/UDP [2001:db8::9:1]:5070;branch=z9hG4bKas3");
  via.SetSource(*Endpoint::Parse("[2001:db8::9:255]:5070"), false);
  EXPECT_EQ(via.parameters.Get("received"), "2001:db8::9:255");
  // Another way to write the same address.
  via = *Via::Parse("SIP/2.0/UDP [2001:0DB8:0::9:ff]:5070;branch=z9hG4bKas3");
  via.SetSource(*Endpoint::Parse("[2001:db8::9:ff]:5070"), false);
  EXPECT_FALSE(via.parameters.Has("received"));
}

TEST(Rfc5118, Section49TakesMappedAddresses) {
  const ParseResult parsed =
      Message::Parse(Request("sip:[::ffff:192.0.2.1]", "[::ffff:192.0.2.10]:19823", "<sip:phone@[::ffff:192.0.2.2]>"));
  ASSERT_TRUE(parsed.ok()) << parsed.error->text;
  EXPECT_EQ(AddressIn(parsed.message.Serialize()), "[::ffff:192.0.2.1]:5060");
  EXPECT_EQ(parsed.message.TopVia()->host, "[::ffff:192.0.2.10]");
  EXPECT_EQ(parsed.message.Addresses(Header::kContact)[0].uri.host(), "[::ffff:192.0.2.2]");
}

TEST(Rfc5118, Section410TakesTheColonTooManyOfRfc3261) {
  EXPECT_EQ(AddressIn(Request("sip:phone@[2001:db8:::192.0.2.1]")), "[2001:db8::c000:201]:5060");
  EXPECT_EQ(AddressIn(Request("sip:phone@[2001:db8::192.0.2.1]")), "[2001:db8::c000:201]:5060");
  // Nothing else is repaired.
  for (const absl::string_view host : {"[2001:db8:::1]", "[2001:db8::::192.0.2.1]", "[2001:db8:::192.0.2.1:::1]"}) {
    EXPECT_EQ(AddressIn(Request(absl::StrCat("sip:phone@", host))), "") << host;
  }
}

}  // namespace
}  // namespace sluice::sip
