#include "datapath/flow/port_allocator.h"

#include <algorithm>
#include <bit>

#include "absl/strings/str_cat.h"

namespace sluice::flow {

void PortAllocator::LowestFirstSet::Insert(uint32_t number) {
  const uint32_t word = number / 64;
  words_[word] |= uint64_t{1} << (number % 64);
  summary_[word / 64] |= uint64_t{1} << (word % 64);
}

void PortAllocator::LowestFirstSet::Erase(uint32_t number) {
  const uint32_t word = number / 64;
  words_[word] &= ~(uint64_t{1} << (number % 64));
  if (words_[word] == 0) summary_[word / 64] &= ~(uint64_t{1} << (word % 64));
}

int PortAllocator::LowestFirstSet::Lowest() const {
  for (size_t i = 0; i < summary_.size(); ++i) {
    if (summary_[i] == 0) continue;
    const size_t word = i * 64 + static_cast<size_t>(std::countr_zero(summary_[i]));
    return static_cast<int>(word * 64 + static_cast<size_t>(std::countr_zero(words_[word])));
  }
  return -1;
}

absl::Status PortAllocator::Check(const PortAllocatorOptions& options) {
  if (options.first_port < 1024) {
    return absl::InvalidArgumentError(absl::StrCat("first_port is ", options.first_port, ", allowed is 1024 to 65535"));
  }
  if (options.last_port <= options.first_port) {
    return absl::InvalidArgumentError(absl::StrCat("last_port is ", options.last_port, ", allowed is ",
                                                   options.first_port + 1, " to 65535 (above first_port)"));
  }
  if (options.quarantine < kMinQuarantine) {
    return absl::InvalidArgumentError(absl::StrCat("port_quarantine is ", absl::FormatDuration(options.quarantine),
                                                   ", allowed is ", absl::FormatDuration(kMinQuarantine), " and more"));
  }
  return absl::OkStatus();
}

PortAllocator::PortAllocator(const PortAllocatorOptions& options) : options_(options) {
  for (uint32_t port = options_.first_port; port <= options_.last_port; ++port) free_.Insert(port);
  for (const uint16_t port : options_.excluded) free_.Erase(port);
  for (uint32_t port = options_.first_port & ~1u; port <= options_.last_port; port += 2) {
    Classify(static_cast<uint16_t>(port));
    ports_ += free_.Contains(port) + free_.Contains(port + 1);
  }
}

absl::StatusOr<uint16_t> PortAllocator::AllocatePair(absl::Time now) {
  EndRests(now);
  const int half = free_pairs_.Lowest();
  if (half < 0) {
    return absl::ResourceExhaustedError(absl::StrCat("no free pair of media ports in ", options_.first_port, " to ",
                                                     options_.last_port, ": ", used_, " of ", ports_, " are in use, ",
                                                     rests_.size(), " rest"));
  }
  const uint16_t port = static_cast<uint16_t>(half * 2);
  Take(port);
  Take(static_cast<uint16_t>(port + 1));
  return port;
}

absl::StatusOr<uint16_t> PortAllocator::AllocateSingle(absl::Time now) {
  EndRests(now);
  int half = half_pairs_.Lowest();
  if (half < 0) half = free_pairs_.Lowest();
  if (half < 0) {
    return absl::ResourceExhaustedError(absl::StrCat("no free media port in ", options_.first_port, " to ",
                                                     options_.last_port, ": ", used_, " of ", ports_, " are in use, ",
                                                     rests_.size(), " rest"));
  }
  const uint32_t even = static_cast<uint32_t>(half) * 2;
  const uint16_t port = static_cast<uint16_t>(free_.Contains(even) ? even : even + 1);
  Take(port);
  return port;
}

absl::Status PortAllocator::AllocatePairAt(uint16_t port, absl::Time now) {
  EndRests(now);
  if (port % 2 != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("port ", port, " is odd: RTP with RTCP on the next port wants an even one"));
  }
  if (absl::Status status = Availability(port); !status.ok()) return status;
  if (absl::Status status = Availability(static_cast<uint16_t>(port + 1)); !status.ok()) return status;
  Take(port);
  Take(static_cast<uint16_t>(port + 1));
  return absl::OkStatus();
}

absl::Status PortAllocator::AllocateSingleAt(uint16_t port, absl::Time now) {
  EndRests(now);
  if (absl::Status status = Availability(port); !status.ok()) return status;
  Take(port);
  return absl::OkStatus();
}

void PortAllocator::ReleasePair(uint16_t port, absl::Time now) {
  ReleaseSingle(port, now);
  ReleaseSingle(static_cast<uint16_t>(port + 1), now);
}

void PortAllocator::ReleaseSingle(uint16_t port, absl::Time now) {
  --used_;
  resting_.Insert(port);
  rests_.push_back({now + options_.quarantine, port});
}

PortAllocator::Usage PortAllocator::usage(absl::Time now) {
  EndRests(now);
  return {ports_, used_, static_cast<uint32_t>(rests_.size())};
}

absl::Status PortAllocator::Availability(uint16_t port) const {
  if (port < options_.first_port || port > options_.last_port) {
    return absl::InvalidArgumentError(absl::StrCat("port ", port, " is outside of the media ports ",
                                                   options_.first_port, " to ", options_.last_port));
  }
  if (std::find(options_.excluded.begin(), options_.excluded.end(), port) != options_.excluded.end()) {
    return absl::InvalidArgumentError(absl::StrCat("port ", port, " is excluded from the media ports"));
  }
  if (free_.Contains(port)) return absl::OkStatus();
  if (resting_.Contains(port)) {
    return absl::ResourceExhaustedError(absl::StrCat("port ", port, " was freed less than ",
                                                     absl::FormatDuration(options_.quarantine), " ago and rests"));
  }
  return absl::AlreadyExistsError(absl::StrCat("port ", port, " is in use"));
}

void PortAllocator::Take(uint16_t port) {
  free_.Erase(port);
  ++used_;
  Classify(port);
}

void PortAllocator::EndRests(absl::Time now) {
  while (!rests_.empty() && rests_.front().until <= now) {
    const uint16_t port = rests_.front().port;
    rests_.pop_front();
    resting_.Erase(port);
    free_.Insert(port);
    Classify(port);
  }
}

void PortAllocator::Classify(uint16_t port) {
  const uint32_t even = port & ~1u;
  const int free = free_.Contains(even) + free_.Contains(even + 1);
  const uint32_t half = even / 2;
  if (free == 2) {
    free_pairs_.Insert(half);
  } else {
    free_pairs_.Erase(half);
  }
  if (free == 1) {
    half_pairs_.Insert(half);
  } else {
    half_pairs_.Erase(half);
  }
}

}  // namespace sluice::flow
