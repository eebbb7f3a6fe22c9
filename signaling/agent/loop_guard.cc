#include "signaling/agent/loop_guard.h"

#include <algorithm>
#include <optional>

#include "absl/hash/hash.h"
#include "signaling/sip/branch.h"
#include "signaling/sip/via.h"

namespace sluice::agent {

uint64_t LoopGuard::MarkOf(absl::string_view number) const {
  return std::max<uint64_t>(absl::HashOf(secret_, number), 1);
}

bool LoopGuard::HasCome(const sip::Message& request, uint64_t mark) {
  for (const absl::string_view element : request.Elements(sip::Header::kVia)) {
    const std::optional<sip::ViaParts> via = sip::ParseViaParts(element);
    const std::optional<sip::Branch> branch = via ? sip::Branch::Parse(via->branch()) : std::nullopt;
    if (branch && branch->mark == mark) return true;
  }
  return false;
}

}  // namespace sluice::agent
