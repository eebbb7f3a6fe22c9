#include "signaling/agent/trunk_prober.h"

#include <optional>

#include "signaling/agent/options_request.h"
#include "signaling/sip/uri.h"

namespace sluice::agent {

void TrunkProber::Advance(absl::Time now) {
  for (const TriedServer& tried : parts_.health.TakeDue(now)) {
    const std::optional<TrunkServer> server = parts_.servers.FindServer(tried);
    // A name has other addresses now, or a reload has taken the trunk away.
    if (!server.has_value()) {
      parts_.health.Forget(tried);
      continue;
    }
    const sip::Hop hop = HopTo(*server, parts_.network);
    const sip::Uri uri = sip::Uri::Sip("", hop.remote.Address(), hop.remote.port);
    sip::Message options = MakeOptions(uri.text(), parts_.network.Advertised(hop), user_agent_, parts_.ids);
    probes_[parts_.transactions.SendRequest(std::move(options), hop, now)] = tried;
  }
}

bool TrunkProber::OnResponse(sip::ClientTransactionId id, const sip::Message& response, absl::Time now) {
  const auto probe = probes_.find(id);
  if (probe == probes_.end()) return false;
  if (response.is_provisional()) return true;
  // 408: whoever stands before it has heard nothing from it.
  if (response.status() == 408 || response.status() == 503) {
    parts_.health.Failed(probe->second, now);
  } else {
    parts_.health.Worked(probe->second, now);
  }
  probes_.erase(probe);
  return true;
}

bool TrunkProber::OnFailure(sip::ClientTransactionId id, absl::Time now) {
  const auto probe = probes_.find(id);
  if (probe == probes_.end()) return false;
  parts_.health.Failed(probe->second, now);
  probes_.erase(probe);
  return true;
}

}  // namespace sluice::agent
