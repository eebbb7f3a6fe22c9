#include "signaling/sdp/offer_answer.h"

#include "gtest/gtest.h"

namespace sluice::sdp {
namespace {

bool Fits(absl::string_view offer, absl::string_view answer) {
  const std::string head = "v=0\r\nc=IN IP4 198.18.1.2\r\n";
  return CheckAnswer(*SessionDescription::Parse(head + std::string(offer)),
                     *SessionDescription::Parse(head + std::string(answer)))
      .ok();
}

TEST(CheckAnswer, WantsTheMediaLinesOfTheOfferInTheirOrder) {
  const absl::string_view offer = "m=audio 4000 RTP/AVP 0 8\r\nm=video 4002 RTP/AVP 31\r\n";
  EXPECT_TRUE(Fits(offer, "m=audio 5000 RTP/AVP 8\r\nm=video 5002 RTP/AVP 31\r\n"));
  EXPECT_TRUE(Fits(offer, "m=audio 5000 RTP/AVP 8\r\nm=video 0 RTP/AVP 31\r\n"));
  EXPECT_FALSE(Fits(offer, "m=audio 5000 RTP/AVP 8\r\n"));
  EXPECT_FALSE(Fits(offer, "m=video 5002 RTP/AVP 31\r\nm=audio 5000 RTP/AVP 8\r\n"));
}

TEST(CheckAnswer, TakesAnotherProfileOfRtpButNoOtherProtocol) {
  EXPECT_TRUE(Fits("m=audio 4000 RTP/AVPF 0\r\n", "m=audio 5000 RTP/AVP 0\r\n"));
  EXPECT_FALSE(Fits("m=image 4000 udptl t38\r\n", "m=image 5000 TCP t38\r\n"));
  EXPECT_FALSE(Fits("m=audio 4000 RTP/AVP 0\r\n", "m=audio 5000 udptl t38\r\n"));
}

}  // namespace
}  // namespace sluice::sdp
