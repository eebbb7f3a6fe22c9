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

#include <cstdint>
#include <list>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sluice::agent {

class FailureLimiter {
 public:
  FailureLimiter(uint32_t tries, absl::Duration window, size_t capacity)
      : tries_(tries), window_(window), capacity_(capacity) {}

  // True if this failure is to be answered by a refusal, false if by another challenge.
  bool Fail(absl::string_view address, absl::string_view account, absl::Time now);
  void Succeed(absl::string_view address, absl::string_view account);

  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string key;
    uint32_t failures = 0;
    absl::Time last;
  };

  const uint32_t tries_;
  const absl::Duration window_;
  const size_t capacity_;
  // The one that failed last in front.
  std::list<Entry> entries_;
  absl::flat_hash_map<absl::string_view, std::list<Entry>::iterator> by_key_;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_FAILURE_LIMITER_H_
