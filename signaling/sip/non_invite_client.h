// The client transaction of all requests but INVITE and ACK (RFC 3261 17.1.2): Trying, Proceeding, Completed.
#ifndef SLUICE_SIGNALING_SIP_NON_INVITE_CLIENT_H_
#define SLUICE_SIGNALING_SIP_NON_INVITE_CLIENT_H_

#include <cstdint>

#include "absl/time/time.h"
#include "signaling/sip/transaction_timers.h"

namespace sluice::sip {

class NonInviteClient {
 public:
  enum class State : uint8_t { kTrying, kProceeding, kCompleted };

  // The request has been sent. `timers` outlives the machine.
  NonInviteClient(const TransactionTimers& timers, bool reliable, absl::Time now);

  Steps OnResponse(uint16_t status, absl::Time now);
  // kTellMissing: no answer (timer F).
  Steps OnTimer(absl::Time now);

  State state() const { return state_; }
  absl::Time deadline() const { return deadlines_.next(); }

 private:
  const TransactionTimers* timers_;
  Deadlines deadlines_;
  State state_ = State::kTrying;
  bool reliable_;
  bool told_100_ = false;
};

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_NON_INVITE_CLIENT_H_
