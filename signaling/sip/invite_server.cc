#include "signaling/sip/invite_server.h"

namespace sluice::sip {
namespace {

// How long the user may take before a 100 goes out in its name (RFC 3261 17.2.1).
constexpr absl::Duration kTryingAfter = absl::Milliseconds(200);

}  // namespace

InviteServer::InviteServer(const TransactionTimers& timers, bool reliable, absl::Time now)
    : timers_(&timers), reliable_(reliable) {
  deadlines_.StartRetransmitting(kTryingAfter, now);
}

Steps InviteServer::OnRequestAgain() const {
  const bool repeats = state_ == State::kProceeding || state_ == State::kCompleted;
  return answered_ && repeats ? kSendKept : kNoStep;
}

Steps InviteServer::OnAnswer(uint16_t status, absl::Time now) {
  if (state_ != State::kProceeding) return kNoStep;
  answered_ = true;
  deadlines_ = {};
  if (status < 200) return kSendKept;
  deadlines_.end = now + 64 * timers_->t1;  // Timer L or H.
  if (status < 300) {
    // On every transport, since the ACK comes from the far end and not from the next hop.
    state_ = State::kAccepted;
    deadlines_.StartRetransmitting(timers_->t1, now);
  } else {
    state_ = State::kCompleted;
    if (!reliable_) deadlines_.StartRetransmitting(timers_->t1, now);  // Timer G.
  }
  return kSendKept;
}

Steps InviteServer::OnPassedSuccess(absl::Time now) {
  if (state_ == State::kAccepted) return acknowledged_ ? kNoStep : kSendKept;
  const Steps steps = OnAnswer(200, now);
  if (steps != kNoStep) deadlines_.StopRetransmitting();
  return steps;
}

Steps InviteServer::OnAck(absl::Time now) {
  if (state_ == State::kAccepted) {
    if (acknowledged_) return kNoStep;
    acknowledged_ = true;
    // Until timer L ends, copies of the INVITE are absorbed.
    deadlines_.StopRetransmitting();
    return kTell;
  }
  if (state_ != State::kCompleted) return kNoStep;
  state_ = State::kConfirmed;
  acknowledged_ = true;
  deadlines_ = {};
  if (reliable_) return kEnd;
  deadlines_.end = now + timers_->t4;  // Timer I.
  return kNoStep;
}

Steps InviteServer::OnTimer(absl::Time now) {
  if (now >= deadlines_.end) return state_ == State::kAccepted && !acknowledged_ ? kEnd | kTellMissing : kEnd;
  if (now < deadlines_.retransmit) return kNoStep;
  if (state_ == State::kProceeding) {
    answered_ = true;
    deadlines_.StopRetransmitting();
  } else {
    deadlines_.Double(timers_->t2, now);
  }
  return kSendKept;
}

}  // namespace sluice::sip
