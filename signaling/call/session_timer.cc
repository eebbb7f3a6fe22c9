#include "signaling/call/session_timer.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"

namespace sluice::call {

using Refresher = sip::SessionExpires::Refresher;

bool SessionTimer::IsTooShort(const sip::Message& request) {
  const std::optional<sip::SessionExpires> asked = request.SessionExpires();
  // Without support the 422 would not be understood; such a value is then ignored (RFC 4028 9).
  return asked && asked->seconds < kMinSeconds && request.HasElement(sip::Header::kSupported, "timer");
}

void SessionTimer::OnAnswer(const sip::Message& success, absl::Duration asked, absl::Time now) {
  if (const std::optional<sip::SessionExpires> agreed = success.SessionExpires()) {
    const uint32_t seconds = std::max(agreed->seconds, kMinSeconds);
    Set(absl::Seconds(seconds), agreed->refresher != Refresher::kUas, now);
  } else {
    Set(asked, true, now);
  }
}

void SessionTimer::Answer(const sip::Message& request, absl::Duration ours, absl::Time now, sip::Message& success) {
  const std::optional<sip::SessionExpires> asked = request.SessionExpires();
  const bool supported = request.HasElement(sip::Header::kSupported, "timer");
  if (!asked && (!supported || ours == absl::ZeroDuration())) {
    // A timer that runs is refreshed by any re-INVITE and UPDATE.
    Set(state_.interval, state_.we_refresh, now);
    return;
  }
  uint32_t seconds = asked ? std::max(asked->seconds, kMinSeconds) : static_cast<uint32_t>(absl::ToInt64Seconds(ours));
  const uint32_t least = std::max(request.MinSe().value_or(0), kMinSeconds);
  if (ours != absl::ZeroDuration()) {
    seconds = std::max(least, std::min(seconds, static_cast<uint32_t>(absl::ToInt64Seconds(ours))));
  }
  const bool peer_refreshes = supported && asked && asked->refresher == Refresher::kUac;
  Set(absl::Seconds(seconds), !peer_refreshes, now);
  sip::SessionExpires agreed;
  agreed.seconds = seconds;
  agreed.refresher = peer_refreshes ? Refresher::kUac : Refresher::kUas;
  success.Add(sip::Header::kSessionExpires, agreed.ToString());
  if (peer_refreshes) success.Add(sip::Header::kRequire, "timer");
}

absl::Duration SessionTimer::Demanded(const sip::Message& refusal) {
  return absl::Seconds(refusal.MinSe().value_or(0));
}

void SessionTimer::Demand(absl::Duration interval, absl::Time now) {
  state_.interval = std::max(state_.interval, interval);
  state_.refresh_at = now;
}

std::string SessionTimer::RefreshValue() const {
  sip::SessionExpires value;
  value.seconds = static_cast<uint32_t>(absl::ToInt64Seconds(state_.interval));
  value.refresher = state_.we_refresh ? Refresher::kUac : Refresher::kUas;
  return value.ToString();
}

void SessionTimer::Set(absl::Duration interval, bool we_refresh, absl::Time now) {
  state_.interval = interval;
  state_.we_refresh = we_refresh;
  if (interval == absl::ZeroDuration()) {
    state_.refresh_at = absl::InfiniteFuture();
    state_.expires_at = absl::InfiniteFuture();
    return;
  }
  state_.refresh_at = we_refresh ? now + interval / 2 : absl::InfiniteFuture();
  // RFC 4028 10: the BYE goes out a little before the end.
  state_.expires_at = now + interval - std::min(absl::Seconds(32), interval / 3);
}

}  // namespace sluice::call
