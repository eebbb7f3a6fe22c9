#include "signaling/sip/non_invite_client.h"

namespace sluice::sip {

NonInviteClient::NonInviteClient(const TransactionTimers& timers, bool reliable, absl::Time now)
    : timers_(&timers), reliable_(reliable) {
  if (!reliable) deadlines_.StartRetransmitting(timers.t1, now);  // Timer E.
  deadlines_.end = now + 64 * timers.t1;                          // Timer F.
}

Steps NonInviteClient::OnResponse(uint16_t status, absl::Time now) {
  if (state_ == State::kCompleted) return kNoStep;
  if (status < 200) {
    state_ = State::kProceeding;
    if (status > 100) return kTell;
    if (told_100_) return kNoStep;
    told_100_ = true;
    return kTell;
  }
  state_ = State::kCompleted;
  deadlines_ = {};
  if (reliable_) return kTell | kEnd;
  deadlines_.end = now + timers_->t4;  // Timer K.
  return kTell;
}

Steps NonInviteClient::OnTimer(absl::Time now) {
  if (now >= deadlines_.end) return state_ == State::kCompleted ? kEnd : kEnd | kTellMissing;
  if (now < deadlines_.retransmit) return kNoStep;
  // Once a provisional response is here, T2 apart at once.
  if (state_ == State::kProceeding) deadlines_.interval = timers_->t2;
  deadlines_.Double(timers_->t2, now);
  return kSendKept;
}

}  // namespace sluice::sip
