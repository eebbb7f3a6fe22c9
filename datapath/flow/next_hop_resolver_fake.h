// A next-hop resolver for tests: every destination is reachable unless told otherwise, and references are counted.

#ifndef SLUICE_DATAPATH_FLOW_NEXT_HOP_RESOLVER_FAKE_H_
#define SLUICE_DATAPATH_FLOW_NEXT_HOP_RESOLVER_FAKE_H_

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "datapath/flow/next_hop_resolver.h"

namespace sluice::flow {

class NextHopResolverFake final : public NextHopResolver {
 public:
  absl::StatusOr<NextHopIndex> Resolve(std::string_view interface, const packet::IpAddress& destination) override {
    if (!failure_.ok()) return failure_;
    const auto [place, is_new] = indices_.try_emplace({std::string(interface), destination}, next_);
    if (is_new) ++next_;
    ++references_[place->second];
    return place->second;
  }
  void Release(NextHopIndex index) override { --references_[index]; }

  // Makes Resolve fail with `status` until it is told OK.
  void FailWith(absl::Status status) { failure_ = std::move(status); }

  // References given and not given back, of all indices.
  int references() const {
    int sum = 0;
    for (const auto& [index, count] : references_) sum += count;
    return sum;
  }

 private:
  absl::Status failure_;
  NextHopIndex next_ = 1;
  std::map<std::pair<std::string, packet::IpAddress>, NextHopIndex> indices_;
  std::map<NextHopIndex, int> references_;
};

}  // namespace sluice::flow

#endif  // SLUICE_DATAPATH_FLOW_NEXT_HOP_RESOLVER_FAKE_H_
