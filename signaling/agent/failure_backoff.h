// Makes those wait who fail too often, whatever they try: an address that guesses names and passwords, an account that
// many addresses guess at.
//
// After `failures` failures each further one is followed by a wait, 1 s at first and twice as long each time up to
// `longest_wait`. What is tried during a wait is refused unseen and does not count. A success clears nothing, or
// whoever has one account could guess at the others between two calls of his own; silence does, for `longest_wait` and
// five minutes.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_AGENT_FAILURE_BACKOFF_H_
#define SLUICE_SIGNALING_AGENT_FAILURE_BACKOFF_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/agent/failure_table.h"

namespace sluice::agent {

class FailureBackoff {
 public:
  // `failures`: at least 1. `capacity`: names that are known.
  FailureBackoff(uint32_t failures, absl::Duration longest_wait, size_t capacity)
      : allowed_(failures), longest_wait_(longest_wait), failures_(longest_wait + absl::Minutes(5), capacity) {}

  void Fail(absl::string_view name, absl::Time now) { failures_.Add(std::string(name), now); }
  bool MustWait(absl::string_view name, absl::Time now) const;

 private:
  const uint32_t allowed_;
  const absl::Duration longest_wait_;
  FailureTable failures_;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_FAILURE_BACKOFF_H_
