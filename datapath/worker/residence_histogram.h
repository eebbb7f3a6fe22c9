// How long packets stay in a worker: a log-linear histogram of durations in ticks.
//
// How it works. Each power of two is cut into 16 equal buckets, so a percentile is at most 1/16 too high, whatever its
// size; values below 16 have a bucket each. The 40 powers reach from a tick to minutes. The worker records one sample a
// burst: the time from after the receive call to after the send call, which every packet of the burst shares. Time in
// a device's queues is not in it.
//
// ResidenceRecorder is the worker's, ResidenceHistogram a copy of it for everybody else.
//
// Threads: Record from one worker, Snapshot from any thread (each bucket is whole, the set may be a sample apart).
// ResidenceHistogram is a value.

#ifndef SLUICE_DATAPATH_WORKER_RESIDENCE_HISTOGRAM_H_
#define SLUICE_DATAPATH_WORKER_RESIDENCE_HISTOGRAM_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "datapath/rtp/single_writer.h"

namespace sluice::worker {

class ResidenceHistogram {
 public:
  static constexpr int kSubBits = 4;
  static constexpr uint64_t kSubBuckets = 1u << kSubBits;
  static constexpr int kPowers = 40;
  static constexpr size_t kBuckets = kSubBuckets * (kPowers - kSubBits + 1);

  // The bucket of a duration. Longer ones than the last bucket's are in the last.
  static constexpr size_t BucketOf(uint64_t ticks) {
    if (ticks < kSubBuckets) return ticks;
    const int power = std::bit_width(ticks) - 1;
    const size_t bucket =
        static_cast<size_t>(power - kSubBits + 1) * kSubBuckets + ((ticks >> (power - kSubBits)) & (kSubBuckets - 1));
    return bucket < kBuckets ? bucket : kBuckets - 1;
  }
  // The longest duration in a bucket.
  static constexpr uint64_t HighestOf(size_t bucket) {
    if (bucket < kSubBuckets) return bucket;
    const int shift = static_cast<int>(bucket / kSubBuckets) - 1;
    return ((kSubBuckets + bucket % kSubBuckets + 1) << shift) - 1;
  }

  // `ticks_per_second` turns ticks into nanoseconds.
  explicit ResidenceHistogram(uint64_t ticks_per_second) : ticks_per_second_(ticks_per_second) {}

  void Add(size_t bucket, uint64_t samples);
  void RaiseMax(uint64_t ticks) { max_ticks_ = ticks > max_ticks_ ? ticks : max_ticks_; }
  // Adds another worker's samples.
  void Merge(const ResidenceHistogram& other);

  uint64_t samples() const { return samples_; }
  // In nanoseconds: the value that the share `q` (0 to 1) of all samples does not exceed, at most 1/16 too high and
  // never above the longest. 0 without samples.
  uint64_t Percentile(double q) const;
  uint64_t max() const { return ToNanoseconds(max_ticks_); }

 private:
  uint64_t ToNanoseconds(uint64_t ticks) const;

  uint64_t ticks_per_second_;
  uint64_t samples_ = 0;
  uint64_t max_ticks_ = 0;
  std::array<uint64_t, kBuckets> counts_ = {};
};

class ResidenceRecorder {
 public:
  void Record(uint64_t ticks) {
    counts_[ResidenceHistogram::BucketOf(ticks)].Add(1);
    if (ticks > max_.Load()) max_.Store(ticks);
  }

  ResidenceHistogram Snapshot(uint64_t ticks_per_second) const;

 private:
  rtp::SingleWriter<uint64_t> max_;
  std::array<rtp::SingleWriter<uint64_t>, ResidenceHistogram::kBuckets> counts_;
};

}  // namespace sluice::worker

#endif  // SLUICE_DATAPATH_WORKER_RESIDENCE_HISTOGRAM_H_
