// How often somebody has answered a challenge wrongly, by source address and account name.
//
// A wrong answer gets another challenge, the third in a row a refusal, and so does each further one until there was
// silence for `window`. A right answer is always taken and clears the count, so nobody can lock a phone out from
// another address, and a phone whose password was corrected works at once. Bounded: with `capacity` pairs known, the
// one that failed longest ago is forgotten.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_AGENT_FAILURE_LIMITER_H_
#define SLUICE_SIGNALING_AGENT_FAILURE_LIMITER_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/agent/failure_table.h"

namespace sluice::agent {

class FailureLimiter {
 public:
  FailureLimiter(uint32_t tries, absl::Duration window, size_t capacity) : tries_(tries), failures_(window, capacity) {}

  // True if this failure is to be answered by a refusal, false if by another challenge.
  bool Fail(absl::string_view address, absl::string_view account, absl::Time now);
  void Succeed(absl::string_view address, absl::string_view account);

  size_t size() const { return failures_.size(); }

 private:
  const uint32_t tries_;
  FailureTable failures_;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_FAILURE_LIMITER_H_
