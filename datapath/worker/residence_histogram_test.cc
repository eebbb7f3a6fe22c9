#include "datapath/worker/residence_histogram.h"

#include <gtest/gtest.h>

#include <random>

namespace sluice::worker {
namespace {

constexpr uint64_t kTicksPerSecond = 1'000'000'000;  // So that ticks are nanoseconds.

ResidenceHistogram Of(const ResidenceRecorder& recorder) { return recorder.Snapshot(kTicksPerSecond); }

TEST(ResidenceHistogram, PutsEveryDurationIntoABucketAtMostASixteenthTooHigh) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100000; ++i) {
    const uint64_t ticks = random() >> (24 + random() % 40);
    const size_t bucket = ResidenceHistogram::BucketOf(ticks);
    const uint64_t highest = ResidenceHistogram::HighestOf(bucket);
    ASSERT_GE(highest, ticks);
    ASSERT_LE(highest - ticks, ticks / 16) << ticks;
  }
}

TEST(ResidenceHistogram, HasBucketsWithoutGapsOrOverlaps) {
  for (size_t bucket = 0; bucket + 1 < ResidenceHistogram::kBuckets; ++bucket) {
    ASSERT_EQ(ResidenceHistogram::BucketOf(ResidenceHistogram::HighestOf(bucket)), bucket);
    ASSERT_EQ(ResidenceHistogram::BucketOf(ResidenceHistogram::HighestOf(bucket) + 1), bucket + 1);
  }
}

TEST(ResidenceHistogram, AnswersPercentilesOfAThousandSamples) {
  ResidenceRecorder recorder;
  for (uint64_t ticks = 1; ticks <= 1000; ++ticks) recorder.Record(ticks);
  const ResidenceHistogram histogram = Of(recorder);
  EXPECT_EQ(histogram.samples(), 1000u);
  EXPECT_NEAR(static_cast<double>(histogram.Percentile(0.5)), 500, 500 / 16.0);
  EXPECT_NEAR(static_cast<double>(histogram.Percentile(0.99)), 990, 990 / 16.0);
  EXPECT_EQ(histogram.Percentile(0), 1u);
  EXPECT_EQ(histogram.Percentile(1), 1000u);
  EXPECT_EQ(histogram.max(), 1000u);
}

TEST(ResidenceHistogram, TellsNanosecondsAtTheRateOfTheCounter) {
  ResidenceRecorder recorder;
  recorder.Record(2600);
  EXPECT_EQ(recorder.Snapshot(2'600'000'000).max(), 1000u);
  EXPECT_EQ(recorder.Snapshot(2'600'000'000).Percentile(0.5), 1000u);
}

TEST(ResidenceHistogram, KeepsTheMaximumOfDurationsBeyondItsLastBucket) {
  ResidenceRecorder recorder;
  recorder.Record(uint64_t{1} << 50);
  EXPECT_EQ(Of(recorder).Percentile(0.5), uint64_t{1} << 50);
}

TEST(ResidenceHistogram, MergesWorkers) {
  ResidenceRecorder fast, slow;
  for (int i = 0; i < 99; ++i) fast.Record(10);
  slow.Record(1000);
  ResidenceHistogram merged = Of(fast);
  merged.Merge(Of(slow));
  EXPECT_EQ(merged.samples(), 100u);
  EXPECT_EQ(merged.Percentile(0.99), 10u);
  EXPECT_EQ(merged.Percentile(1), 1000u);
}

TEST(ResidenceHistogram, IsZeroWithoutSamples) {
  EXPECT_EQ(Of(ResidenceRecorder()).Percentile(0.99), 0u);
  EXPECT_EQ(Of(ResidenceRecorder()).max(), 0u);
}

}  // namespace
}  // namespace sluice::worker
