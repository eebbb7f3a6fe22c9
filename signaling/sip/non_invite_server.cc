#include "signaling/sip/non_invite_server.h"

namespace sluice::sip {

NonInviteServer::NonInviteServer(const TransactionTimers& timers, bool reliable, absl::Time now)
    : timers_(&timers), reliable_(reliable) {
  deadlines_.end = now + 64 * timers.t1;
}

Steps NonInviteServer::OnRequestAgain() const { return state_ == State::kTrying ? kNoStep : kSendKept; }

Steps NonInviteServer::OnAnswer(uint16_t status, absl::Time now) {
  if (state_ == State::kCompleted) return kNoStep;
  if (status == 408) return kEnd;
  if (status < 200) {
    state_ = State::kProceeding;
    return kSendKept;
  }
  state_ = State::kCompleted;
  if (reliable_) return kSendKept | kEnd;
  deadlines_.end = now + 64 * timers_->t1;  // Timer J.
  return kSendKept;
}

Steps NonInviteServer::OnTimer(absl::Time now) { return now >= deadlines_.end ? kEnd : kNoStep; }

}  // namespace sluice::sip
