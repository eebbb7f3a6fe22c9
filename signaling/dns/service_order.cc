#include "signaling/dns/service_order.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace sluice::dns {

std::vector<Service> OrderServices(std::vector<Service> services, const RandomFunction& random) {
  // Those of weight 0 first within a priority, so that they have a small chance too (RFC 2782, "Weight").
  std::stable_sort(services.begin(), services.end(), [](const Service& a, const Service& b) {
    return std::tuple(a.priority, a.weight != 0) < std::tuple(b.priority, b.weight != 0);
  });
  for (auto next = services.begin(); next != services.end(); ++next) {
    const auto end =
        std::find_if(next, services.end(), [&](const Service& other) { return other.priority != next->priority; });
    uint32_t sum = 0;
    for (auto service = next; service != end; ++service) sum += service->weight;
    uint32_t drawn = random(sum);
    auto chosen = next;
    while (chosen + 1 != end && drawn > chosen->weight) {
      drawn -= chosen->weight;
      ++chosen;
    }
    // What was passed over stays in its order.
    std::rotate(next, chosen, chosen + 1);
  }
  return services;
}

std::vector<ServicePointer> OrderPointers(std::vector<ServicePointer> pointers) {
  std::stable_sort(pointers.begin(), pointers.end(), [](const ServicePointer& a, const ServicePointer& b) {
    return std::tuple(a.order, a.preference) < std::tuple(b.order, b.preference);
  });
  return pointers;
}

}  // namespace sluice::dns
