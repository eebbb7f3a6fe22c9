#include "signaling/agent/overload_control.h"

#include <cmath>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "signaling/sip/text.h"

namespace sluice::agent {
namespace {

// 4.3: when the server does not say how long.
constexpr uint64_t kDefaultValidity = 500;
constexpr uint64_t kLongestValidity = 3'600'000;

}  // namespace

void OverloadControl::OnResponse(const dns::Destination& server, const sip::Via& via, absl::Time now) {
  const std::optional<absl::string_view> oc = via.parameters.Get("oc");
  if (!oc.has_value()) return;
  // Ours comes back as it was, without a value, from a server that does not know it.
  const std::optional<uint64_t> loss = sip::ParseNumber(*oc, 100);
  const std::string algorithm = sip::Unquote(via.parameters.Get("oc-algo").value_or("loss"));
  const std::optional<uint64_t> validity = via.parameters.Has("oc-validity")
                                               ? sip::ParseNumber(*via.parameters.Get("oc-validity"), kLongestValidity)
                                               : std::optional<uint64_t>(kDefaultValidity);
  double sequence = 0;
  const bool in_sequence = absl::SimpleAtod(via.parameters.Get("oc-seq").value_or("0"), &sequence);
  if (!loss.has_value() || !validity.has_value() || !absl::EqualsIgnoreCase(algorithm, "loss") || !in_sequence ||
      !std::isfinite(sequence)) {
    return;
  }
  Demand& demand = demands_[server];
  // What was said has run out: a server that was restarted may count anew.
  if (sequence < demand.sequence && now < demand.until) return;
  demand = {static_cast<uint32_t>(*loss), now + absl::Milliseconds(static_cast<int64_t>(*validity)), sequence};
}

bool OverloadControl::LeavesAway(const dns::Destination& server, uint64_t random, absl::Time now) const {
  const auto found = demands_.find(server);
  return found != demands_.end() && now < found->second.until && random % 100 < found->second.loss;
}

}  // namespace sluice::agent
