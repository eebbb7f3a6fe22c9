// A routing table of any text, a route a line ("pattern sender strip prepend priority weight priority weight"), and the
// numbers of its last line: the first route that fits is found and no other, what it rewrites is a number or nothing,
// and its trunks are tried once each, by priority.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "signaling/routing/plan.h"

namespace routing = sluice::routing;

namespace {

constexpr size_t kMostRoutes = 32;
constexpr size_t kMostTrunks = 16;

uint32_t Number(absl::string_view text, uint32_t most) {
  uint32_t number = 0;
  return absl::SimpleAtoi(text, &number) ? number % most : 0;
}

// Nothing: the config would refuse it.
std::optional<routing::Route> ReadRoute(absl::string_view line) {
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
  if (words.size() < 4) return std::nullopt;
  auto pattern = routing::NumberPattern::Parse(words[0]);
  if (!pattern.ok() || words[3].find_first_not_of("0123456789+#") != absl::string_view::npos) return std::nullopt;
  routing::Route route = {
      .from = {words[1] != "trunks", words[1] != "accounts", words[1] == "carrier" ? "carrier" : ""},
      .number = *std::move(pattern)};
  route.called = {Number(words[2], 33), std::string(words[3])};
  for (size_t i = 4; i + 1 < words.size() && route.trunks.size() < kMostTrunks; i += 2) {
    routing::Trunk trunk;
    trunk.name = absl::StrCat(i);
    route.trunks.push_back({std::make_shared<const routing::Trunk>(std::move(trunk)), Number(words[i], 8),
                            1 + Number(words[i + 1], 65535)});
  }
  return route;
}

void CheckOrder(const routing::Route& route, uint64_t drawn) {
  const auto order = routing::OrderToTry(route.trunks, [&drawn] { return drawn = drawn * 6364136223846793005u + 1; });
  if (order.size() != route.trunks.size()) std::abort();
  uint32_t last = 0;
  for (const auto& trunk : order) {
    if (std::count(order.begin(), order.end(), trunk) != 1) std::abort();
    const auto target = std::find_if(route.trunks.begin(), route.trunks.end(),
                                     [&](const routing::TrunkTarget& other) { return other.trunk == trunk; });
    if (target == route.trunks.end() || target->priority < last) std::abort();
    last = target->priority;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  std::vector<routing::Route> routes;
  for (const absl::string_view line : lines) {
    std::optional<routing::Route> route = ReadRoute(line);
    if (route.has_value() && routes.size() < kMostRoutes) routes.push_back(*std::move(route));
  }
  const std::vector<routing::Route> kept = routes;
  const routing::Plan plan({}, std::move(routes));
  for (const absl::string_view number : absl::StrSplit(lines.back(), ' ')) {
    for (const auto& origin : {routing::Origin{routing::Origin::Kind::kAccount, "alice"},
                               routing::Origin{routing::Origin::Kind::kTrunk, "carrier"}}) {
      const auto first = std::find_if(kept.begin(), kept.end(), [&](const routing::Route& route) {
        return route.from.Takes(origin) && route.number.Matches(number);
      });
      const routing::Route* found = plan.FindRoute(origin, number);
      if ((found == nullptr) != (first == kept.end())) std::abort();
      if (found == nullptr) continue;
      if (found->number.text() != first->number.text()) std::abort();
      const std::string called = found->called.Apply(number);
      if (called.find_first_not_of("0123456789+*#") != std::string::npos) std::abort();
      CheckOrder(*found, size);
    }
  }
  return 0;
}
