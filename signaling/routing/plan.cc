#include "signaling/routing/plan.h"

#include <algorithm>
#include <utility>

namespace sluice::routing {

const Route* Plan::FindRoute(const Origin& origin, absl::string_view number) const {
  const auto found = std::find_if(routes_.begin(), routes_.end(), [&](const Route& route) {
    return route.from.Takes(origin) && route.number.Matches(number);
  });
  return found == routes_.end() ? nullptr : &*found;
}

std::string CertificateNameOf(const Trunk& trunk, const std::vector<std::string>& identities) {
  for (const std::string& name : trunk.certificate_names) {
    if (std::find(identities.begin(), identities.end(), name) != identities.end()) return name;
  }
  return "";
}

std::shared_ptr<const Trunk> Plan::FindSource(const sip::Endpoint& source, absl::string_view name) const {
  for (const std::shared_ptr<const Trunk>& trunk : trunks_) {
    if (!name.empty() && trunk->name != name) continue;
    for (const sip::Endpoint& known : trunk->sources) {
      if (known.SameAddress(source) && (known.port == 0 || known.port == source.port)) return trunk;
    }
  }
  return nullptr;
}

std::shared_ptr<const Trunk> Plan::FindCertificate(const std::vector<std::string>& identities) const {
  if (identities.empty()) return nullptr;
  const auto found = std::find_if(trunks_.begin(), trunks_.end(),
                                  [&](const auto& trunk) { return !CertificateNameOf(*trunk, identities).empty(); });
  return found == trunks_.end() ? nullptr : *found;
}

std::shared_ptr<const Trunk> Plan::FindTrunk(absl::string_view name) const {
  const auto found =
      std::find_if(trunks_.begin(), trunks_.end(), [&](const auto& trunk) { return trunk->name == name; });
  return found == trunks_.end() ? nullptr : *found;
}

std::vector<std::shared_ptr<const Trunk>> OrderToTry(std::vector<TrunkTarget> targets,
                                                     const std::function<uint64_t()>& random) {
  std::stable_sort(targets.begin(), targets.end(),
                   [](const TrunkTarget& a, const TrunkTarget& b) { return a.priority < b.priority; });
  std::vector<std::shared_ptr<const Trunk>> order;
  while (!targets.empty()) {
    const auto end = std::find_if(targets.begin(), targets.end(), [&](const TrunkTarget& target) {
      return target.priority != targets.front().priority;
    });
    uint64_t sum = 0;
    for (auto target = targets.begin(); target != end; ++target) sum += target->weight;
    uint64_t drawn = random() % sum;
    auto chosen = targets.begin();
    while (drawn >= chosen->weight) {
      drawn -= chosen->weight;
      ++chosen;
    }
    order.push_back(std::move(chosen->trunk));
    targets.erase(chosen);
  }
  return order;
}

}  // namespace sluice::routing
