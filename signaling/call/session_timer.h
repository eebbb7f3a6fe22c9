// The session timer of one leg (RFC 4028): how long the session lives without a refresh, and who refreshes.
//
// A peer that knows nothing of session timers is refreshed by us all the same where we asked for a timer, so that a
// phone that vanished is noticed.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_CALL_SESSION_TIMER_H_
#define SLUICE_SIGNALING_CALL_SESSION_TIMER_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "signaling/sip/message.h"

namespace sluice::call {

class SessionTimer {
 public:
  // The least that we take (RFC 4028 5) and what Min-SE of a 422 says.
  static constexpr uint32_t kMinSeconds = 90;

  struct State {
    // Zero: off.
    absl::Duration interval = absl::ZeroDuration();
    bool we_refresh = false;
    absl::Time refresh_at = absl::InfiniteFuture();
    absl::Time expires_at = absl::InfiniteFuture();
  };
  SessionTimer() = default;
  explicit SessionTimer(const State& state) : state_(state) {}
  const State& state() const { return state_; }

  // True if `request` asks for less: 422 with Min-SE.
  static bool IsTooShort(const sip::Message& request);

  // The 2xx to a request of ours that asked for `asked` (zero: for none).
  void OnAnswer(const sip::Message& success, absl::Duration asked, absl::Time now);
  // Our 2xx to a request of the peer's: agrees on an interval of at most `ours` (zero: what the peer asks for, if it
  // does) and writes Session-Expires and Require. Peers without support for timers get none.
  void Answer(const sip::Message& request, absl::Duration ours, absl::Time now, sip::Message& success);

  // The 422 of the peer's: the interval that it takes. Zero: it does not say.
  static absl::Duration Demanded(const sip::Message& refusal);

  // A refresh was refused with 422: the next, at once, asks for `interval`.
  void Demand(absl::Duration interval, absl::Time now);

  // Session-Expires of a refresh that we send.
  std::string RefreshValue() const;
  // Tries again at `when`, because a refresh could not be sent or was refused for now.
  void Postpone(absl::Time when) { state_.refresh_at = when; }

  absl::Duration interval() const { return state_.interval; }
  // The session ends unless somebody refreshes it; unless we do.
  bool is_running() const { return state_.interval != absl::ZeroDuration(); }
  bool is_ours() const { return state_.we_refresh && is_running(); }
  // InfiniteFuture: never.
  absl::Time refresh_at() const { return state_.refresh_at; }
  absl::Time expires_at() const { return state_.expires_at; }

 private:
  void Set(absl::Duration interval, bool we_refresh, absl::Time now);

  State state_;
};

}  // namespace sluice::call

#endif  // SLUICE_SIGNALING_CALL_SESSION_TIMER_H_
