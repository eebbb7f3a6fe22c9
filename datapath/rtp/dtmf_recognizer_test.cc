#include "datapath/rtp/dtmf_recognizer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::rtp {
namespace {

struct EventPacket {
  uint32_t timestamp;
  uint8_t event;
  bool end;
  uint16_t duration;
};

std::string DigitsOf(DtmfRecognizer& recognizer, const std::vector<EventPacket>& packets) {
  std::string digits;
  for (const EventPacket& packet : packets) {
    const uint8_t payload[] = {packet.event, static_cast<uint8_t>(packet.end ? 0x8a : 0x0a),
                               static_cast<uint8_t>(packet.duration >> 8), static_cast<uint8_t>(packet.duration)};
    const DtmfDigit digit = recognizer.OnPacket(packet.timestamp, payload, sizeof(payload));
    if (digit.digit != 0) digits += digit.digit;
  }
  return digits;
}

TEST(DtmfRecognizer, TellsADigitOnceThoughItsEndIsSentThreeTimes) {
  DtmfRecognizer recognizer;
  EXPECT_EQ(DigitsOf(recognizer, {{1000, 5, false, 160},
                                  {1000, 5, false, 320},
                                  {1000, 5, true, 480},
                                  {1000, 5, true, 480},
                                  {1000, 5, true, 480}}),
            "5");
}

TEST(DtmfRecognizer, TellsItsDuration) {
  DtmfRecognizer recognizer;
  const uint8_t begin[] = {11, 0x0a, 0, 160};
  const uint8_t end[] = {11, 0x8a, 0x06, 0x40};
  EXPECT_EQ(recognizer.OnPacket(1000, begin, sizeof(begin)).digit, 0);
  const DtmfDigit digit = recognizer.OnPacket(1000, end, sizeof(end));
  EXPECT_EQ(digit.digit, '#');
  EXPECT_EQ(digit.duration, 1600);
}

TEST(DtmfRecognizer, TellsTheSameDigitTwiceWhenItIsPressedTwice) {
  DtmfRecognizer recognizer;
  EXPECT_EQ(
      DigitsOf(recognizer, {{1000, 1, true, 480}, {1000, 1, true, 480}, {3000, 1, false, 160}, {3000, 1, true, 480}}),
      "11");
}

TEST(DtmfRecognizer, TellsADigitWhoseEndsWereAllLostWhenTheNextBegins) {
  DtmfRecognizer recognizer;
  EXPECT_EQ(
      DigitsOf(recognizer, {{1000, 7, false, 160}, {1000, 7, false, 320}, {3000, 8, false, 160}, {3000, 8, true, 320}}),
      "78");
}

TEST(DtmfRecognizer, IgnoresLatePacketsOfAnEventThatIsOver) {
  DtmfRecognizer recognizer;
  EXPECT_EQ(DigitsOf(recognizer, {{1000, 7, true, 160}, {3000, 8, true, 160}, {1000, 7, true, 160}}), "78");
}

TEST(DtmfRecognizer, KnowsAllSixteenKeysAndFlash) {
  std::string digits;
  for (uint8_t event = 0; event < 20; ++event) {
    DtmfRecognizer recognizer;
    digits += DigitsOf(recognizer, {{1000, event, true, 160}});
  }
  EXPECT_EQ(digits, "0123456789*#ABCD!") << "other events are no digits";
}

TEST(DtmfRecognizer, IgnoresPayloadsThatAreTooShort) {
  DtmfRecognizer recognizer;
  const uint8_t payload[] = {5, 0x8a, 0};
  EXPECT_EQ(recognizer.OnPacket(1000, payload, sizeof(payload)).digit, 0);
}

TEST(DtmfRecognizer, SurvivesTheWrapOfTheTimestamp) {
  DtmfRecognizer recognizer;
  EXPECT_EQ(DigitsOf(recognizer, {{0xffffff00, 1, true, 160}, {0x00000100, 2, true, 160}}), "12");
}

}  // namespace
}  // namespace sluice::rtp
