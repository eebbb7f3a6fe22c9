// Next hops from the kernel: routes and neighbours by netlink, followed live.
//
// How it works. Each destination that sessions ask for gets an index of the next-hop table. Its route is looked up in
// the kernel: first among the routes of the interface that was named, then, if that has none, among all, since a route
// may have moved to another of the relay's interfaces. The gateway (or the destination itself) is then looked up among
// the neighbours, which are read once and followed by events. A change of routes, addresses, rules or links has every
// destination looked up again; a change of a neighbour is one write a destination behind it. If the kernel's events
// overflow the socket, everything is read again.
//
// Media does not pass the kernel, so it would let the neighbours grow stale. A neighbour is probed when a destination
// first needs it, when it is in use and stale, and when workers found it missing (flow::NextHopTable::Want): the kernel
// is asked to use it (NTF_USE), which makes it send ARP or neighbour solicitations, at most once a second each. Nothing
// of this outlives the process.
//
// Destinations that are the host's own, broadcast or multicast have no route. An interface with a static next hop
// reaches everything by it, one with neither kernel interface nor static next hop reaches nothing.
//
// Everything is in the network namespace of the thread that calls Open. IPv4 (RFC 826) and IPv6 (RFC 4861).
//
// Threads: one, the control thread: it polls fd() for reading and calls Service when there is something and at least
// ten times a second. Nothing blocks for longer than the kernel takes to answer.

#ifndef SLUICE_DATAPATH_IO_KERNEL_NEXT_HOPS_H_
#define SLUICE_DATAPATH_IO_KERNEL_NEXT_HOPS_H_

#include <chrono>
#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "datapath/flow/flow_entry.h"
#include "datapath/flow/next_hop_resolver.h"
#include "datapath/flow/next_hop_table.h"
#include "datapath/io/interfaces.h"
#include "datapath/io/kernel_neighbours.h"
#include "datapath/io/kernel_routes.h"
#include "datapath/io/netlink_socket.h"
#include "datapath/packet/ip_address.h"
#include "datapath/packet/mac_address.h"

namespace sluice::io {

class KernelNextHops final : public flow::NextHopResolver {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Adds an egress to `table` for each interface. `table` outlives the result.
  static absl::StatusOr<std::unique_ptr<KernelNextHops>> Open(const std::vector<Interface>& interfaces,
                                                              flow::NextHopTable& table);

  absl::StatusOr<flow::NextHopIndex> Resolve(std::string_view interface, const packet::IpAddress& destination) override;
  void Release(flow::NextHopIndex index) override;

  // Readable when the kernel has told something.
  int fd() const { return events_.fd(); }

  // Takes over what the kernel told, has wanted and stale neighbours probed, frees released indices.
  void Service(Time now);

 private:
  // An interface of the relay.
  struct Way {
    std::string name;
    uint8_t egress = 0;
    unsigned kernel_index = 0;
    std::optional<packet::MacAddress> static_next_hop;
  };
  struct DestinationKey {
    size_t way = 0;  // Of ways_, the one that was named.
    packet::IpAddress destination;

    friend auto operator<=>(const DestinationKey&, const DestinationKey&) = default;
  };
  // A destination with an index.
  struct Followed {
    DestinationKey key;
    uint32_t references = 0;
    Time released;
    uint8_t egress = 0;
    std::optional<NeighbourKey> neighbour;  // None: no route, or a static next hop.
  };
  // A neighbour that destinations are behind.
  struct Used {
    std::set<flow::NextHopIndex> indices;
    std::optional<Time> probed;
  };

  KernelNextHops(flow::NextHopTable& table, std::vector<Way> ways, NetlinkSocket events, KernelRoutes routes,
                 KernelNeighbours neighbours);

  void TakeEvents();
  // Looks destinations up whose routes may have changed.
  void LookUpAgain();
  void LookUp(flow::NextHopIndex index, Followed& followed);
  // Writes what is known into the table.
  void Publish(flow::NextHopIndex index, const Followed& followed);
  void PublishBehind(const NeighbourKey& key);
  // Has the neighbour probed, now or as soon as the rate allows.
  void AskFor(const NeighbourKey& key);
  // False if it is too early for it.
  bool ProbeNow(const NeighbourKey& key, Used& used);
  void ProbeAskedFor();
  void StopUsing(flow::NextHopIndex index, const Followed& followed);
  // Frees what was released long enough ago.
  void Forget();

  flow::NextHopTable& table_;
  const std::vector<Way> ways_;
  NetlinkSocket events_;
  KernelRoutes routes_;
  KernelNeighbours neighbours_;
  Time now_;
  std::map<DestinationKey, flow::NextHopIndex> by_destination_;
  std::unordered_map<flow::NextHopIndex, Followed> followed_;
  std::map<NeighbourKey, Used> used_;
  bool routes_changed_ = false;
  std::vector<flow::NextHopIndex> to_look_up_;
  std::set<NeighbourKey> asked_for_;
  size_t probes_left_ = 0;
  std::deque<flow::NextHopIndex> released_;  // Oldest first.
};

}  // namespace sluice::io

#endif  // SLUICE_DATAPATH_IO_KERNEL_NEXT_HOPS_H_
