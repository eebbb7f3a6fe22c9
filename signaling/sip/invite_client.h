// The INVITE client transaction (RFC 3261 17.1.1 with RFC 6026 7.2): Calling, Proceeding, Completed, Accepted.
#ifndef SLUICE_SIGNALING_SIP_INVITE_CLIENT_H_
#define SLUICE_SIGNALING_SIP_INVITE_CLIENT_H_

#include <cstdint>

#include "absl/time/time.h"
#include "signaling/sip/transaction_timers.h"

namespace sluice::sip {

class InviteClient {
 public:
  enum class State : uint8_t { kCalling, kProceeding, kCompleted, kAccepted };

  // The INVITE has been sent. `timers` outlives the machine.
  InviteClient(const TransactionTimers& timers, bool reliable, absl::Time now);

  // kTell: the response is for the user, unless it is a 2xx that came before (the caller knows the To tags).
  Steps OnResponse(uint16_t status, absl::Time now);
  // A CANCEL has been sent: a final response is waited for only so long (9.1).
  void OnCancelSent(absl::Time now);
  // kTellMissing: no answer (timer B, or after CANCEL).
  Steps OnTimer(absl::Time now);

  State state() const { return state_; }
  absl::Time deadline() const { return deadlines_.next(); }

 private:
  Steps OnFirstFinal(uint16_t status, absl::Time now);

  const TransactionTimers* timers_;
  Deadlines deadlines_;
  State state_ = State::kCalling;
  bool reliable_;
  bool told_100_ = false;
};

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_INVITE_CLIENT_H_
