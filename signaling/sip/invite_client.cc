#include "signaling/sip/invite_client.h"

namespace sluice::sip {

InviteClient::InviteClient(const TransactionTimers& timers, bool reliable, absl::Time now)
    : timers_(&timers), reliable_(reliable) {
  if (!reliable) deadlines_.StartRetransmitting(timers.t1, now);  // Timer A.
  deadlines_.end = now + 64 * timers.t1;                          // Timer B.
}

Steps InviteClient::OnResponse(uint16_t status, absl::Time now) {
  switch (state_) {
    case State::kCalling:
      if (status < 200) {
        state_ = State::kProceeding;
        deadlines_ = {};
      }
      [[fallthrough]];
    case State::kProceeding:
      if (status >= 200) return OnFirstFinal(status, now);
      if (status > 100) return kTell;
      if (told_100_) return kNoStep;
      told_100_ = true;
      return kTell;
    case State::kCompleted:
      return status >= 300 ? kSendAck : kNoStep;
    case State::kAccepted:
      return status >= 200 && status < 300 ? kTell : kNoStep;
  }
  return kNoStep;
}

Steps InviteClient::OnFirstFinal(uint16_t status, absl::Time now) {
  deadlines_ = {};
  if (status < 300) {
    state_ = State::kAccepted;
    deadlines_.end = now + 64 * timers_->t1;  // Timer M.
    return kTell;
  }
  state_ = State::kCompleted;
  if (reliable_) return kSendAck | kTell | kEnd;
  deadlines_.end = now + 64 * timers_->t1;  // Timer D.
  return kSendAck | kTell;
}

void InviteClient::OnCancelSent(absl::Time now) {
  if (state_ == State::kProceeding) deadlines_.end = now + 64 * timers_->t1;
}

Steps InviteClient::OnTimer(absl::Time now) {
  if (now >= deadlines_.end) {
    return state_ == State::kCompleted || state_ == State::kAccepted ? kEnd : kEnd | kTellMissing;
  }
  if (now < deadlines_.retransmit) return kNoStep;
  deadlines_.Double(absl::InfiniteDuration(), now);
  return kSendKept;
}

}  // namespace sluice::sip
