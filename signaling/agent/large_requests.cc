#include "signaling/agent/large_requests.h"

#include <cstddef>

#include "signaling/transport/sockaddr.h"

namespace sluice::agent {
namespace {

constexpr absl::Duration kSilence = absl::Minutes(30);
constexpr size_t kMostSilent = 10000;

}  // namespace

std::optional<sip::Hop> LargeRequests::StreamHop(const sip::Hop& hop, absl::Time now) const {
  if (hop.only_connection) return std::nullopt;
  const auto silent = silent_.find(hop.remote);
  if (silent != silent_.end() && now < silent->second) return std::nullopt;
  std::optional<sip::Hop> stream;
  for (const transport::Listener& listener : network_.listeners()) {
    const sip::Endpoint& address = listener.address;
    if (listener.protocol != sip::Protocol::kTcp || address.is_v6 != hop.remote.is_v6) continue;
    const bool is_for_all = transport::IsUnspecified(address);
    const bool same = is_for_all || address.SameAddress(hop.local);
    if (stream.has_value() && !same) continue;
    stream = sip::Hop{.protocol = sip::Protocol::kTcp,
                      .local = is_for_all ? transport::WithPort(hop.local, address.port) : address,
                      .remote = hop.remote};
    if (same) break;
  }
  return stream;
}

void LargeRequests::OnStreamSilent(const sip::Hop& hop, absl::Time now) {
  if (silent_.size() >= kMostSilent) {
    absl::erase_if(silent_, [now](const auto& place) { return place.second <= now; });
    if (silent_.size() >= kMostSilent) silent_.clear();
  }
  silent_[hop.remote] = now + kSilence;
}

}  // namespace sluice::agent
