// Who knows the next hop to a destination: the seam between sessions and the kernel's routes and neighbours.
//
// datapath/io follows routes and neighbours by netlink and keeps the next-hop table; sessions only ask for an index.
//
// Threads: as the implementation says; Resolve and Release may be called from the control thread.

#ifndef SLUICE_DATAPATH_FLOW_NEXT_HOP_RESOLVER_H_
#define SLUICE_DATAPATH_FLOW_NEXT_HOP_RESOLVER_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "datapath/flow/flow_entry.h"
#include "datapath/packet/ip_address.h"

namespace sluice::flow {

class NextHopResolver {
 public:
  virtual ~NextHopResolver() = default;

  // The index of the next hop towards `destination` by `interface` (its name in the relay's config). The index is
  // followed: it becomes reachable when the neighbour does, and changes with the route. Each answer is one reference. A
  // destination without a route gets an index too: packets drop with `no_neighbour` until there is one. NOT_FOUND for
  // an interface that is not configured, RESOURCE_EXHAUSTED if the table is full.
  virtual absl::StatusOr<NextHopIndex> Resolve(std::string_view interface, const packet::IpAddress& destination) = 0;

  // Gives one reference back, when no published flow uses it any more; the resolver keeps the index for a grace period
  // itself.
  virtual void Release(NextHopIndex index) = 0;
};

}  // namespace sluice::flow

#endif  // SLUICE_DATAPATH_FLOW_NEXT_HOP_RESOLVER_H_
