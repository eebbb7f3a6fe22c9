// UDP ports of one local address for media.
//
// How it works. Bitmaps with a summary level, so the lowest free port or pair is found in a few words. RTP takes an
// even port and RTCP the next (RFC 3550 11); with RTCP multiplexing one port is enough, and half-used pairs are used
// first. Low ports come first, so that the flow table's live part stays dense. A freed port rests for the quarantine,
// so that late packets of a dead call do not enter a new one.
//
// Threads: one control thread at a time. Time is passed in and does not go back.

#ifndef SLUICE_DATAPATH_FLOW_PORT_ALLOCATOR_H_
#define SLUICE_DATAPATH_FLOW_PORT_ALLOCATOR_H_

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace sluice::flow {

struct PortAllocatorOptions {
  uint16_t first_port = 16384;
  uint16_t last_port = 32767;
  // Never given out.
  std::vector<uint16_t> excluded;
  // At least 2 s.
  absl::Duration quarantine = absl::Seconds(2);
};

class PortAllocator {
 public:
  static constexpr absl::Duration kMinQuarantine = absl::Seconds(2);

  // INVALID_ARGUMENT if the range is empty or begins below 1024, or the quarantine is too short.
  static absl::Status Check(const PortAllocatorOptions& options);

  // Options that pass Check.
  explicit PortAllocator(const PortAllocatorOptions& options);

  // An even port whose successor is taken as well. RESOURCE_EXHAUSTED if there is none.
  absl::StatusOr<uint16_t> AllocatePair(absl::Time now);
  // One port. RESOURCE_EXHAUSTED if there is none.
  absl::StatusOr<uint16_t> AllocateSingle(absl::Time now);

  // The same by name. INVALID_ARGUMENT if the port is odd (a pair), out of range or excluded; ALREADY_EXISTS if it is
  // in use; RESOURCE_EXHAUSTED while it rests.
  absl::Status AllocatePairAt(uint16_t port, absl::Time now);
  absl::Status AllocateSingleAt(uint16_t port, absl::Time now);

  // Gives back what was allocated; it rests until now + quarantine.
  void ReleasePair(uint16_t port, absl::Time now);
  void ReleaseSingle(uint16_t port, absl::Time now);

  struct Usage {
    uint32_t ports = 0;  // In the range, excluded ones not counted.
    uint32_t used = 0;
    uint32_t quarantined = 0;
  };
  Usage usage(absl::Time now);

 private:
  // A set of numbers below 65 536 that knows its lowest.
  class LowestFirstSet {
   public:
    void Insert(uint32_t number);
    void Erase(uint32_t number);
    bool Contains(uint32_t number) const { return words_[number / 64] >> (number % 64) & 1; }
    // -1 if empty.
    int Lowest() const;

   private:
    std::array<uint64_t, 1024> words_ = {};
    std::array<uint64_t, 16> summary_ = {};
  };
  struct Resting {
    absl::Time until;
    uint16_t port;
  };

  // Why `port` cannot be had now; OK if it can.
  absl::Status Availability(uint16_t port) const;
  void Take(uint16_t port);
  void EndRests(absl::Time now);
  // Puts the pair of `port` into the right set.
  void Classify(uint16_t port);

  PortAllocatorOptions options_;
  LowestFirstSet free_;        // Ports.
  LowestFirstSet free_pairs_;  // Halves of even ports with both free.
  LowestFirstSet half_pairs_;  // Halves of even ports with one free.
  LowestFirstSet resting_;     // Ports in quarantine.
  std::deque<Resting> rests_;  // In the order of their ends.
  uint32_t ports_ = 0;
  uint32_t used_ = 0;
};

}  // namespace sluice::flow

#endif  // SLUICE_DATAPATH_FLOW_PORT_ALLOCATOR_H_
