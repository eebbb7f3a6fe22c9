#include "datapath/worker/residence_histogram.h"

#include <algorithm>
#include <cmath>

namespace sluice::worker {

void ResidenceHistogram::Add(size_t bucket, uint64_t samples) {
  counts_[bucket] += samples;
  samples_ += samples;
}

void ResidenceHistogram::Merge(const ResidenceHistogram& other) {
  for (size_t bucket = 0; bucket < kBuckets; ++bucket) Add(bucket, other.counts_[bucket]);
  RaiseMax(other.max_ticks_);
}

uint64_t ResidenceHistogram::Percentile(double q) const {
  if (samples_ == 0) return 0;
  const uint64_t rank =
      std::clamp<uint64_t>(static_cast<uint64_t>(std::ceil(q * static_cast<double>(samples_))), 1, samples_);
  uint64_t below = 0;
  size_t bucket = 0;
  while ((below += counts_[bucket]) < rank) ++bucket;
  // The last bucket holds everything longer, too.
  const uint64_t highest = bucket + 1 < kBuckets ? HighestOf(bucket) : max_ticks_;
  return ToNanoseconds(std::min(highest, max_ticks_));
}

uint64_t ResidenceHistogram::ToNanoseconds(uint64_t ticks) const {
  return static_cast<uint64_t>(static_cast<unsigned __int128>(ticks) * 1'000'000'000 / ticks_per_second_);
}

ResidenceHistogram ResidenceRecorder::Snapshot(uint64_t ticks_per_second) const {
  ResidenceHistogram histogram(ticks_per_second);
  for (size_t bucket = 0; bucket < counts_.size(); ++bucket) histogram.Add(bucket, counts_[bucket].Load());
  // After the buckets: at least as high as every sample that was copied.
  histogram.RaiseMax(max_.Load());
  return histogram;
}

}  // namespace sluice::worker
