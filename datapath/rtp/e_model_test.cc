#include "datapath/rtp/e_model.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace sluice::rtp {
namespace {

struct Vector {
  std::string_view what;
  double ie, bpl, loss, burst, delay;
  double r_factor, mos;
};

// R and MOS as the formulae of G.107 give them, to two places.
const std::vector<Vector>& Vectors() {
  static const std::vector<Vector>* const vectors = new std::vector<Vector>{
      {"G.711 with PLC, no loss", 0, 25.1, 0, 1, 0, 93.20, 4.41},
      {"G.711 with PLC, 0.5 %", 0, 25.1, 0.5, 1, 0, 91.34, 4.37},
      {"G.711 with PLC, 1 %", 0, 25.1, 1, 1, 0, 89.56, 4.33},
      {"G.711 with PLC, 2 %", 0, 25.1, 2, 1, 0, 86.19, 4.23},
      {"G.711 with PLC, 3 %", 0, 25.1, 3, 1, 0, 83.06, 4.13},
      {"G.711 with PLC, 5 %", 0, 25.1, 5, 1, 0, 77.42, 3.92},
      {"G.711 with PLC, 10 %", 0, 25.1, 10, 1, 0, 66.13, 3.41},
      {"G.711 without PLC, 1 %", 0, 4.3, 1, 1, 0, 75.28, 3.83},
      {"G.711 without PLC, 2 %", 0, 4.3, 2, 1, 0, 63.04, 3.26},
      {"G.711 without PLC, 5 %", 0, 4.3, 5, 1, 0, 42.12, 2.17},
      {"G.729A, no loss", 11, 19, 0, 1, 0, 82.20, 4.10},
      {"G.729A, 1 %", 11, 19, 1, 1, 0, 78.00, 3.95},
      {"G.729A, 2 %", 11, 19, 2, 1, 0, 74.20, 3.79},
      {"G.729A, 5 %", 11, 19, 5, 1, 0, 64.70, 3.34},
      {"AMR 12.2, no loss", 5, 10, 0, 1, 0, 88.20, 4.29},
      {"AMR 12.2, 1 %", 5, 10, 1, 1, 0, 80.02, 4.02},
      {"AMR 12.2, 2 %", 5, 10, 2, 1, 0, 73.20, 3.74},
      {"AMR 12.2, 5 %", 5, 10, 5, 1, 0, 58.20, 3.01},
      {"G.711 with PLC, 3 % in bursts of 2, 150 ms", 0, 25.1, 3, 2, 150, 82.32, 4.11},
      {"G.729A, 2 %, 200 ms", 11, 19, 2, 1, 200, 71.16, 3.65},
      {"AMR 12.2, 1 %, 250 ms", 5, 10, 1, 1, 250, 71.10, 3.65},
  };
  return *vectors;
}

TEST(EModel, GivesTheTestVectorsWithinAHundredth) {
  for (const Vector& vector : Vectors()) {
    const QualityRating rating = Rate({.loss_percent = vector.loss,
                                       .burst_ratio = vector.burst,
                                       .ie = vector.ie,
                                       .bpl = vector.bpl,
                                       .one_way_delay_ms = vector.delay});
    EXPECT_NEAR(rating.r_factor, vector.r_factor, 0.01) << vector.what;
    EXPECT_NEAR(rating.mos, vector.mos, 0.01) << vector.what;
  }
}

TEST(EModel, ImpairsByDelayOnlyAboveAHundredMilliseconds) {
  EXPECT_EQ(DelayImpairment(0), 0);
  EXPECT_EQ(DelayImpairment(100), 0);
  EXPECT_NEAR(DelayImpairment(150), 0.16, 0.01);
  EXPECT_NEAR(DelayImpairment(177.3), 1.17, 0.01);
  EXPECT_NEAR(DelayImpairment(200), 3.04, 0.01);
  EXPECT_NEAR(DelayImpairment(250), 8.92, 0.01);
  EXPECT_NEAR(DelayImpairment(300), 14.76, 0.01);
  EXPECT_NEAR(DelayImpairment(400), 24.07, 0.01);
}

TEST(EModel, TurnsRatingsIntoTheOpinionScoresOfG109) {
  EXPECT_NEAR(MosOf(90), 4.34, 0.01);
  EXPECT_NEAR(MosOf(80), 4.02, 0.01);
  EXPECT_NEAR(MosOf(70), 3.60, 0.01);
  EXPECT_NEAR(MosOf(60), 3.10, 0.01);
  EXPECT_NEAR(MosOf(50), 2.58, 0.01);
}

TEST(EModel, NeverLeavesOneToFourAndAHalf) {
  EXPECT_EQ(MosOf(-5), 1);
  EXPECT_EQ(MosOf(0), 1);
  EXPECT_EQ(MosOf(3.2), 1) << "the cubic alone dips below";
  EXPECT_EQ(MosOf(100), 4.5);
  EXPECT_EQ(MosOf(120), 4.5);
  EXPECT_EQ(Rate({.loss_percent = 100, .ie = 20, .bpl = 1}).mos, 1);
}

TEST(EModel, HoldsTheBurstRatioBetweenOneAndEight) {
  EXPECT_EQ(Rate({.loss_percent = 5, .burst_ratio = 0.2}).r_factor, Rate({.loss_percent = 5}).r_factor);
  EXPECT_EQ(Rate({.loss_percent = 5, .burst_ratio = 80}).r_factor,
            Rate({.loss_percent = 5, .burst_ratio = 8}).r_factor);
}

TEST(EModel, KnowsTheCodecsByTheirRtpNames) {
  EXPECT_EQ(ImpairmentOf("pcmu").codec, "G.711+PLC");
  EXPECT_FALSE(ImpairmentOf("PCMA").is_approximation);
  EXPECT_EQ(ImpairmentOf("G729").ie, 11);
  EXPECT_EQ(ImpairmentOf("G723").ie, 15);
  EXPECT_EQ(ImpairmentOf("G723", 5300).ie, 19);
  EXPECT_EQ(ImpairmentOf("GSM").bpl, 43);
  EXPECT_EQ(ImpairmentOf("AMR").ie, 5);
  EXPECT_EQ(ImpairmentOf("AMR", 4750).ie, 21.3);
  EXPECT_EQ(ImpairmentOf("AMR", 7900).codec, "AMR 7.95");
}

TEST(EModel, RatesUnknownCodecsAsG711AndSaysSo) {
  EXPECT_TRUE(ImpairmentOf("opus").is_approximation);
  EXPECT_EQ(ImpairmentOf("opus").bpl, 25.1);
  EXPECT_TRUE(ImpairmentOf("G722").is_approximation);
}

}  // namespace
}  // namespace sluice::rtp
