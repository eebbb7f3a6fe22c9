// The server transaction of all requests but INVITE and ACK (RFC 3261 17.2.2 with RFC 4320): Trying, Proceeding,
// Completed.
#ifndef SLUICE_SIGNALING_SIP_NON_INVITE_SERVER_H_
#define SLUICE_SIGNALING_SIP_NON_INVITE_SERVER_H_

#include <cstdint>

#include "absl/time/time.h"
#include "signaling/sip/transaction_timers.h"

namespace sluice::sip {

class NonInviteServer {
 public:
  enum class State : uint8_t { kTrying, kProceeding, kCompleted };

  // The request has come. `timers` outlives the machine.
  NonInviteServer(const TransactionTimers& timers, bool reliable, absl::Time now);

  // The request has come again.
  Steps OnRequestAgain() const;
  // The user answers. A 408 is never sent: it would come too late to mean anything (RFC 4320 4.2).
  Steps OnAnswer(uint16_t status, absl::Time now);
  // Ends also what the user did not answer in time: its client has given up.
  Steps OnTimer(absl::Time now);

  State state() const { return state_; }
  absl::Time deadline() const { return deadlines_.next(); }

 private:
  const TransactionTimers* timers_;
  Deadlines deadlines_;
  State state_ = State::kTrying;
  bool reliable_;
};

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_NON_INVITE_SERVER_H_
