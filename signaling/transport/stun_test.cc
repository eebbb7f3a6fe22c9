#include "signaling/transport/stun.h"

#include "gtest/gtest.h"

namespace sluice::transport {
namespace {

const std::string kTransaction = "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c";

std::string Message(const std::string& type, const std::string& attributes) {
  return type + std::string{0, static_cast<char>(attributes.size())} + "\x21\x12\xa4\x42" + kTransaction + attributes;
}

std::string Request(const std::string& attributes = "") { return Message(std::string("\x00\x01", 2), attributes); }

TEST(Stun, TellsAPhoneItsAddress) {
  // 198.18.2.9:43518 masked with 0x2112a442.
  const std::string mapped = std::string("\x00\x20\x00\x08\x00\x01", 6) + "\x88\xec" + "\xe7\x00\xa6\x4b"[0];
  const auto answer = AnswerStun(Request(), *sip::Endpoint::Parse("198.18.2.9:43518"));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->substr(0, 2), "\x01\x01");
  EXPECT_EQ(answer->substr(4, 16), "\x21\x12\xa4\x42" + kTransaction);
  EXPECT_EQ(answer->substr(20, 9), mapped);
  EXPECT_EQ(answer->substr(29), std::string("\x00\xa6\x4b", 3));
}

TEST(Stun, MasksIpv6WithTheTransactionToo) {
  const auto answer = AnswerStun(Request(), *sip::Endpoint::Parse("[2001:db8::1]:5060"));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->size(), 44u);
  EXPECT_EQ(answer->substr(28), std::string("\x01\x13\xa9\xfa", 4) + kTransaction.substr(0, 11) + "\x0d");
}

TEST(Stun, SaysWhichAttributesItDoesNotKnow) {
  const std::string unknown("\x00\x24\x00\x04\x00\x00\x00\x01", 8);
  const auto answer = AnswerStun(Request(unknown), *sip::Endpoint::Parse("198.18.2.9:43518"));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->substr(0, 2), "\x01\x11");
  EXPECT_NE(answer->find(std::string("\x00\x0a\x00\x02\x00\x24", 6)), std::string::npos);
}

TEST(Stun, PassesOverWhatMayBePassedOver) {
  const std::string software("\x80\x22\x00\x05phone\x00\x00\x00", 12);
  const auto answer = AnswerStun(Request(software), *sip::Endpoint::Parse("198.18.2.9:43518"));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->substr(0, 2), "\x01\x01");
}

TEST(Stun, AnswersNothingButRequestsThatAreWhole) {
  const sip::Endpoint source = *sip::Endpoint::Parse("198.18.2.9:43518");
  EXPECT_FALSE(AnswerStun(Message("\x01\x01", ""), source).has_value());
  EXPECT_FALSE(AnswerStun(Message(std::string("\x00\x11", 2), ""), source).has_value());
  EXPECT_FALSE(AnswerStun(Request() + "more", source).has_value());
  EXPECT_FALSE(AnswerStun(Request(std::string("\x80\x22\x00\x09phone\x00\x00\x00", 12)), source).has_value());
  const std::string whole = Request();
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(AnswerStun(whole.substr(0, size), source).has_value()) << size;
  }
}

TEST(Stun, IsToldFromSip) {
  EXPECT_TRUE(IsStun(Request()));
  EXPECT_FALSE(IsStun("OPTIONS sip:sluice SIP/2.0\r\n"));
  EXPECT_FALSE(IsStun("\r\n\r\n"));
}

}  // namespace
}  // namespace sluice::transport
