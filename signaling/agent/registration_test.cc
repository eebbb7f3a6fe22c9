#include "signaling/agent/registration.h"

#include "gtest/gtest.h"

namespace sluice::agent {
namespace {

constexpr absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

sip::Message Register(absl::string_view fields) {
  const std::string text =
      "REGISTER sip:198.18.1.1 SIP/2.0\r\n"
      "Via: SIP/2.0/TCP 192.168.2.63:43518;branch=z9hG4bK1\r\n"
      "From: <sip:20002230000@198.18.1.1>;tag=b\r\n"
      "To: <sip:20002230000@198.18.1.1>\r\n"
      "Call-ID: reg-1\r\n"
      "CSeq: 7 REGISTER\r\n" +
      std::string(fields) + "\r\n";
  const sip::ParseResult result = sip::Message::Parse(text);
  EXPECT_TRUE(result.ok());
  return result.message;
}

registrar::Registration Read(absl::string_view fields) {
  const sip::Hop hop{.protocol = sip::Protocol::kTcp,
                     .local = *sip::Endpoint::Parse("198.18.2.1:7080"),
                     .remote = *sip::Endpoint::Parse("198.18.2.9:40000"),
                     .connection = 5};
  return ReadRegistration(Register(fields), hop, "20002230000");
}

TEST(Registration, SaysWhereTheRequestCameFrom) {
  const registrar::Registration registration = Read("User-Agent: Zed-3-PDA\r\n");
  EXPECT_EQ(registration.account, "20002230000");
  EXPECT_EQ(registration.call_id, "reg-1");
  EXPECT_EQ(registration.cseq, 7u);
  EXPECT_EQ(registration.transport, "tcp");
  EXPECT_EQ(registration.source, "198.18.2.9:40000");
  EXPECT_EQ(registration.local, "198.18.2.1:7080");
  EXPECT_EQ(registration.connection, 5u);
  EXPECT_EQ(registration.user_agent, "Zed-3-PDA");
  EXPECT_TRUE(registration.contacts.empty());
  EXPECT_FALSE(registration.expires.has_value());
}

TEST(Registration, ReadsEveryContactWithItsParameters) {
  const registrar::Registration registration = Read(
      "Contact: <sip:20002230000@192.168.2.63:43518;transport=tcp>;expires=120;q=0.7, "
      "<sip:20002230000@192.168.2.64>\r\n"
      "Contact: <sip:x@192.168.2.65>;+sip.instance=\"<urn:uuid:1>\";reg-id=1\r\n"
      "Expires: 600\r\nPath: <sip:edge1;lr>\r\nPath: <sip:edge2;lr>\r\n");
  ASSERT_EQ(registration.contacts.size(), 3u);
  EXPECT_EQ(registration.contacts[0].uri, "sip:20002230000@192.168.2.63:43518;transport=tcp");
  EXPECT_EQ(registration.contacts[0].expires, 120u);
  EXPECT_EQ(registration.contacts[0].priority, 700u);
  EXPECT_FALSE(registration.contacts[1].expires.has_value());
  EXPECT_EQ(registration.contacts[2].instance, "<urn:uuid:1>");
  EXPECT_EQ(registration.contacts[2].reg_id, 1u);
  EXPECT_EQ(registration.expires, 600u);
  EXPECT_EQ(registration.path, "<sip:edge1;lr>, <sip:edge2;lr>");
}

TEST(Registration, TellsTheWildcardFromAContact) {
  const registrar::Registration registration = Read("Contact: *\r\nExpires: 0\r\n");
  EXPECT_TRUE(registration.wildcard);
  EXPECT_TRUE(registration.contacts.empty());
}

TEST(Registration, AnswersAllContactsWithTheTimeThatEachHasLeft) {
  registrar::RegistrationResult result;
  result.bindings.push_back({.contact = "sip:b@192.168.2.63", .expire_time = kNow + absl::Seconds(60)});
  result.bindings.push_back({.contact = "sip:b@192.168.2.64",
                             .expire_time = kNow + absl::Seconds(3600),
                             .priority = 50,
                             .instance = "<urn:uuid:1>",
                             .reg_id = 1});
  const sip::Message response = MakeRegisterResponse(Register(""), result, "tag", kNow);
  EXPECT_EQ(response.status(), 200);
  EXPECT_EQ(response.ToTag(), "tag");
  const auto contacts = response.Elements(sip::Header::kContact);
  ASSERT_EQ(contacts.size(), 2u);
  EXPECT_EQ(contacts[0], "<sip:b@192.168.2.63>;expires=60");
  EXPECT_EQ(contacts[1], "<sip:b@192.168.2.64>;expires=3600;q=0.050;+sip.instance=\"<urn:uuid:1>\";reg-id=1");
}

TEST(Registration, SaysHowLongARegistrationHasToBeAtLeast) {
  registrar::RegistrationResult result{.status = 423, .reason = "Interval Too Brief", .min_expires = 60};
  const sip::Message response = MakeRegisterResponse(Register(""), result, "tag", kNow);
  EXPECT_EQ(response.status(), 423);
  EXPECT_EQ(response.Get(sip::Header::kMinExpires), "60");
}

TEST(Registration, GivesThePathBackToWhoSupportsIt) {
  const registrar::RegistrationResult result;
  EXPECT_EQ(MakeRegisterResponse(Register("Supported: path\r\nPath: <sip:edge;lr>\r\n"), result, "tag", kNow)
                .Get(sip::Header::kPath),
            "<sip:edge;lr>");
  EXPECT_FALSE(MakeRegisterResponse(Register("Path: <sip:edge;lr>\r\n"), result, "tag", kNow).Has(sip::Header::kPath));
}

}  // namespace
}  // namespace sluice::agent
