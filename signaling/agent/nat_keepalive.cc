#include "signaling/agent/nat_keepalive.h"

#include <algorithm>
#include <optional>

namespace sluice::agent {

std::vector<NatKeepalive::Ping> NatKeepalive::Due(absl::Time now) {
  std::vector<Ping> pings;
  if (now < NextDeadline()) return pings;
  next_ = now + absl::Seconds(1);
  if (token_.empty()) {
    if (now < next_round_) return pings;
    next_round_ = now + interval_;
    slice_ = 1 + store_.Statistics().bindings / std::max<int64_t>(1, absl::ToInt64Seconds(interval_));
  }
  store::Page<store::AccountBindings> page = store_.ListBindings("", slice_, token_);
  token_ = std::move(page.next_token);
  for (const store::AccountBindings& item : page.items) {
    const store::Binding& binding = item.binding;
    if (!binding.behind_nat || binding.transport != "udp" || binding.expire_time <= now) continue;
    const std::optional<sip::Endpoint> local = sip::Endpoint::Parse(binding.local);
    const std::optional<sip::Endpoint> remote = sip::Endpoint::Parse(binding.source);
    if (!local.has_value() || !remote.has_value()) continue;
    pings.push_back({binding.contact, {.protocol = sip::Protocol::kUdp, .local = *local, .remote = *remote}});
  }
  return pings;
}

}  // namespace sluice::agent
