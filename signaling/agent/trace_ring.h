// The latest SIP messages of a shard, as they were on the wire, in a fixed number of bytes.
//
// Ladders of calls point into it by position. A message stays until newer ones need its room, so standing calls cost
// nothing for messages that nobody asks for, and a burst of traffic cannot make it grow.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_AGENT_TRACE_RING_H_
#define SLUICE_SIGNALING_AGENT_TRACE_RING_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace sluice::agent {

class TraceRing {
 public:
  // Memory is taken from the system only as it is used.
  explicit TraceRing(size_t capacity);

  // Position of a message that is not kept.
  static constexpr uint64_t kNowhere = ~uint64_t{0};

  // Keeps the message; answers where. One that is longer than the ring is not kept.
  uint64_t Append(absl::string_view message);
  // The message of that position and size; empty once its room was needed.
  std::string Read(uint64_t position, size_t size) const;

 private:
  const size_t capacity_;
  // Not initialised, so that pages that were never written take no memory.
  const std::unique_ptr<char[]> bytes_;
  // Bytes ever appended.
  uint64_t end_ = 0;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_TRACE_RING_H_
