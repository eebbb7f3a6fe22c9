// Tells a request that has come back to us from one that is merely related to another: loops and spirals (RFC 3261
// 16.3 item 4, RFC 5393).
//
// What goes out for a request has a mark in the branch of our Via: a hash of the number that it came for. A request
// that comes with a Via of ours and the mark of its number has only been on its way, and is a loop (482). With another
// mark somebody has changed its number meanwhile: a spiral, which goes on and is stopped by Max-Forwards if by nothing
// else.
//
// Marks are for nobody to guess. What belongs together has one Call-ID, so it comes back to the same shard.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_AGENT_LOOP_GUARD_H_
#define SLUICE_SIGNALING_AGENT_LOOP_GUARD_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "signaling/sip/message.h"

namespace sluice::agent {

class LoopGuard {
 public:
  // `secret`: random.
  explicit LoopGuard(uint64_t secret) : secret_(secret) {}

  // Of what comes for `number`; never 0.
  uint64_t MarkOf(absl::string_view number) const;

  // `request` has a Via of ours with this mark.
  static bool HasCome(const sip::Message& request, uint64_t mark);

 private:
  const uint64_t secret_;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_LOOP_GUARD_H_
