// The INVITE server transaction (RFC 3261 17.2.1 with RFC 6026 7.1): Proceeding, Completed, Confirmed, Accepted; and,
// for its user, the retransmission of a 2xx until its ACK (RFC 3261 13.3.1.4).
#ifndef SLUICE_SIGNALING_SIP_INVITE_SERVER_H_
#define SLUICE_SIGNALING_SIP_INVITE_SERVER_H_

#include <cstdint>

#include "absl/time/time.h"
#include "signaling/sip/transaction_timers.h"

namespace sluice::sip {

class InviteServer {
 public:
  enum class State : uint8_t { kProceeding, kCompleted, kConfirmed, kAccepted };

  // The INVITE has come. `timers` outlives the machine.
  InviteServer(const TransactionTimers& timers, bool reliable, absl::Time now);

  // The INVITE has come again.
  Steps OnRequestAgain() const;
  // The user answers. kSendKept: `status` is to be sent and kept; kNoStep: there was a final response before.
  Steps OnAnswer(uint16_t status, absl::Time now);
  // The user passes on a 2xx that another one sends, and repeats until its ACK: it goes out once each time (RFC
  // 6026 7.1).
  Steps OnPassedSuccess(absl::Time now);
  // kTell: the first ACK of a 2xx.
  Steps OnAck(absl::Time now);
  // kSendKept without an answer before: 100, since the user takes longer than 200 ms (17.2.1). kTellMissing: no ACK to
  // a 2xx.
  Steps OnTimer(absl::Time now);

  State state() const { return state_; }
  // Something has been answered.
  bool answered() const { return answered_; }
  bool acknowledged() const { return acknowledged_; }
  absl::Time deadline() const { return deadlines_.next(); }

 private:
  const TransactionTimers* timers_;
  Deadlines deadlines_;
  State state_ = State::kProceeding;
  bool reliable_;
  bool answered_ = false;
  bool acknowledged_ = false;
};

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_INVITE_SERVER_H_
