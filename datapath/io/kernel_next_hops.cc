#include "datapath/io/kernel_next_hops.h"

#include <linux/rtnetlink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace sluice::io {
namespace {

using flow::NextHop;
using flow::NextHopIndex;
using flow::NextHopState;

// Workers pass a quiescent state within milliseconds.
constexpr auto kGrace = std::chrono::seconds(1);
// The kernel itself repeats an unanswered request for three seconds.
constexpr auto kBetweenProbes = std::chrono::seconds(1);
// Of one call of Service, so that a change of everything does not stop the control thread.
constexpr size_t kMostLookups = 1024;
constexpr size_t kMostProbes = 64;

}  // namespace

absl::StatusOr<std::unique_ptr<KernelNextHops>> KernelNextHops::Open(const std::vector<Interface>& interfaces,
                                                                     flow::NextHopTable& table) {
  std::set<unsigned> indices;
  std::vector<Way> ways;
  for (const Interface& interface : interfaces) {
    const unsigned egress =
        table.AddEgress({.source = interface.mac_address, .port = interface.port.id, .vlan = interface.vlan});
    if (egress == flow::NextHopTable::kMaxEgresses) {
      return absl::ResourceExhaustedError(
          absl::StrCat("interfaces: at most ", flow::NextHopTable::kMaxEgresses, " are possible"));
    }
    ways.push_back({interface.name, static_cast<uint8_t>(egress), interface.kernel_index, interface.static_next_hop});
    if (interface.kernel_index != 0) indices.insert(interface.kernel_index);
  }
  auto events = NetlinkSocket::Open();
  if (!events.ok()) return events.status();
  auto routes = KernelRoutes::Open();
  if (!routes.ok()) return routes.status();
  auto neighbours = KernelNeighbours::Open(std::move(indices));
  if (!neighbours.ok()) return neighbours.status();
  // Events first, so that none falls between reading and following.
  if (auto status = events->Subscribe({RTNLGRP_NEIGH, RTNLGRP_LINK, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
                                       RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE});
      !status.ok()) {
    return status;
  }
  if (auto status = neighbours->Read(); !status.ok()) return status;
  return std::unique_ptr<KernelNextHops>(
      new KernelNextHops(table, std::move(ways), *std::move(events), *std::move(routes), *std::move(neighbours)));
}

KernelNextHops::KernelNextHops(flow::NextHopTable& table, std::vector<Way> ways, NetlinkSocket events,
                               KernelRoutes routes, KernelNeighbours neighbours)
    : table_(table),
      ways_(std::move(ways)),
      events_(std::move(events)),
      routes_(std::move(routes)),
      neighbours_(std::move(neighbours)),
      probes_left_(kMostProbes) {}

absl::StatusOr<NextHopIndex> KernelNextHops::Resolve(std::string_view interface, const packet::IpAddress& destination) {
  const auto way = std::find_if(ways_.begin(), ways_.end(), [&](const Way& way) { return way.name == interface; });
  if (way == ways_.end()) return absl::NotFoundError(absl::StrCat("no interface ", std::string(interface)));
  const DestinationKey key = {static_cast<size_t>(way - ways_.begin()), destination};
  if (const auto found = by_destination_.find(key); found != by_destination_.end()) {
    ++followed_.at(found->second).references;
    return found->second;
  }
  const NextHopIndex index = table_.Allocate();
  if (index == flow::kNoNextHop) {
    return absl::ResourceExhaustedError(absl::StrCat("next hops: all ", followed_.size(), " are in use"));
  }
  by_destination_.emplace(key, index);
  Followed& followed = followed_[index];
  followed.key = key;
  followed.references = 1;
  LookUp(index, followed);
  return index;
}

void KernelNextHops::Release(NextHopIndex index) {
  Followed& followed = followed_.at(index);
  if (--followed.references != 0) return;
  followed.released = now_;
  released_.push_back(index);
}

void KernelNextHops::Service(Time now) {
  now_ = now;
  probes_left_ = kMostProbes;
  TakeEvents();
  LookUpAgain();
  table_.TakeWanted([this](NextHopIndex index) {
    const auto found = followed_.find(index);
    if (found != followed_.end() && found->second.neighbour.has_value()) AskFor(*found->second.neighbour);
  });
  ProbeAskedFor();
  Forget();
}

void KernelNextHops::TakeEvents() {
  const absl::Status status = events_.Receive([this](nlmsghdr* message) {
    switch (message->nlmsg_type) {
      case RTM_NEWROUTE:
      case RTM_DELROUTE:
      // A link that goes down takes its IPv4 routes along without a word.
      case RTM_NEWLINK:
      case RTM_DELLINK:
      case RTM_NEWADDR:
      case RTM_DELADDR:
      case RTM_NEWRULE:
      case RTM_DELRULE:
        routes_changed_ = true;
        break;
      default:
        if (const auto key = neighbours_.Take(message); key.has_value()) PublishBehind(*key);
    }
  });
  if (status.ok()) return;
  if (status.code() != absl::StatusCode::kResourceExhausted) {
    spdlog::warn("next hops: {}", std::string(status.message()));
    return;
  }
  routes_changed_ = true;
  if (const auto read = neighbours_.Read(); !read.ok()) {
    spdlog::warn("next hops: cannot read the neighbours again: {}", std::string(read.message()));
  }
}

void KernelNextHops::LookUpAgain() {
  if (std::exchange(routes_changed_, false)) {
    to_look_up_.clear();
    for (const auto& [index, followed] : followed_) to_look_up_.push_back(index);
  }
  for (size_t count = 0; count < kMostLookups && !to_look_up_.empty(); ++count) {
    const NextHopIndex index = to_look_up_.back();
    to_look_up_.pop_back();
    if (const auto found = followed_.find(index); found != followed_.end()) LookUp(index, found->second);
  }
}

void KernelNextHops::LookUp(NextHopIndex index, Followed& followed) {
  const Way& named = ways_[followed.key.way];
  const Way* way = &named;
  std::optional<NeighbourKey> neighbour;
  if (!named.static_next_hop.has_value() && named.kernel_index != 0) {
    auto route = routes_.Find(followed.key.destination, named.kernel_index);
    if (!route.has_value()) route = routes_.Find(followed.key.destination, 0);
    if (route.has_value()) {
      const auto found = std::find_if(ways_.begin(), ways_.end(),
                                      [&](const Way& way) { return way.kernel_index == route->interface; });
      if (found != ways_.end()) {
        way = &*found;
        neighbour = NeighbourKey{route->interface, route->next_hop};
      }
    }
  }
  followed.egress = way->egress;
  if (followed.neighbour != neighbour) {
    StopUsing(index, followed);
    followed.neighbour = neighbour;
    if (neighbour.has_value()) used_[*neighbour].indices.insert(index);
  }
  Publish(index, followed);
  // Before the first packet needs it. Later only if packets do, or a silent peer would be asked for without end.
  if (neighbour.has_value() && !neighbours_.Find(*neighbour).has_value()) AskFor(*neighbour);
}

void KernelNextHops::Publish(NextHopIndex index, const Followed& followed) {
  NextHop next_hop;
  next_hop.egress = followed.egress;
  if (const auto& always = ways_[followed.key.way].static_next_hop; always.has_value()) {
    next_hop.destination = *always;
    next_hop.state = NextHopState::kReachable;
  } else if (!followed.neighbour.has_value()) {
    next_hop.state = NextHopState::kNoRoute;
  } else if (const auto neighbour = neighbours_.Find(*followed.neighbour); neighbour.has_value()) {
    next_hop.destination = neighbour->mac_address;
    next_hop.state = NextHopState::kReachable;
    if (neighbour->is_stale) AskFor(*followed.neighbour);
  } else {
    next_hop.state = NextHopState::kUnresolved;
  }
  table_.Set(index, next_hop);
}

void KernelNextHops::PublishBehind(const NeighbourKey& key) {
  const auto found = used_.find(key);
  if (found == used_.end()) return;
  for (const NextHopIndex index : found->second.indices) Publish(index, followed_.at(index));
}

void KernelNextHops::AskFor(const NeighbourKey& key) {
  const auto found = used_.find(key);
  if (found != used_.end() && !ProbeNow(key, found->second)) asked_for_.insert(key);
}

bool KernelNextHops::ProbeNow(const NeighbourKey& key, Used& used) {
  if (probes_left_ == 0 || (used.probed.has_value() && now_ - *used.probed < kBetweenProbes)) return false;
  --probes_left_;
  used.probed = now_;
  // Where the kernel does not take it, the interface is going away, which is an event of its own.
  if (const auto status = neighbours_.Probe(key); !status.ok()) {
    spdlog::debug("next hops: cannot probe {}: {}", key.address.ToString(), std::string(status.message()));
  }
  return true;
}

void KernelNextHops::ProbeAskedFor() {
  for (auto next = asked_for_.begin(); next != asked_for_.end() && probes_left_ > 0;) {
    const auto found = used_.find(*next);
    const bool is_done = found == used_.end() || ProbeNow(*next, found->second);
    next = is_done ? asked_for_.erase(next) : std::next(next);
  }
}

void KernelNextHops::Forget() {
  while (!released_.empty()) {
    const auto found = followed_.find(released_.front());
    // It may be in use again, or have been released twice and be gone.
    if (found != followed_.end() && found->second.references == 0) {
      if (now_ - found->second.released < kGrace) return;
      StopUsing(found->first, found->second);
      by_destination_.erase(found->second.key);
      table_.Release(found->first);
      followed_.erase(found);
    }
    released_.pop_front();
  }
}

void KernelNextHops::StopUsing(NextHopIndex index, const Followed& followed) {
  if (!followed.neighbour.has_value()) return;
  const auto found = used_.find(*followed.neighbour);
  found->second.indices.erase(index);
  if (found->second.indices.empty()) used_.erase(found);
}

}  // namespace sluice::io
