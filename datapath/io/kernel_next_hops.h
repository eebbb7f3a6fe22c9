// Next hops from the kernel: routes and neighbours by netlink, followed live.
//
// How it works. Each destination that sessions ask for gets an index of the next-hop table. Its route is looked up in
// the kernel: first among the routes of the interface that was named, then, if that has none, among all, since a route
// may have moved to another of the relay's interfaces. The gateway (or the destination itself) is then looked up among
// the neighbours, which are read once and followed by events. A change of routes, addresses, rules or links has every
// destination looked up again; a change of a neighbour is one write a destination behind it. If the kernel's events
// overflow the socket, everything is read again.
//
// Media does not pass the kernel, so it would let the neighbours grow stale: a neighbour in use that is stale, and one
// that workers found missing (flow::NextHopTable::Want), is probed by asking the kernel to use it (NTF_USE), which
// makes it send ARP or neighbour solicitations. Nothing of this outlives the process.
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
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "datapath/flow/flow_entry.h"
#include "datapath/flow/next_hop_resolver.h"
#include "datapath/flow/next_hop_table.h"
#include "datapath/io/interfaces.h"
#include "datapath/packet/ip_address.h"

namespace sluice::io {

class KernelNextHops final : public flow::NextHopResolver {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Adds an egress to `table` for each interface. `table` outlives the result.
  static absl::StatusOr<std::unique_ptr<KernelNextHops>> Open(const std::vector<Interface>& interfaces,
                                                              flow::NextHopTable& table);
  ~KernelNextHops() override;

  absl::StatusOr<flow::NextHopIndex> Resolve(std::string_view interface, const packet::IpAddress& destination) override;
  void Release(flow::NextHopIndex index) override;

  // Readable when the kernel has told something.
  int fd() const;

  // Takes over what the kernel told, has wanted and stale neighbours probed, frees released indices.
  void Service(Time now);

 private:
  class Core;
  explicit KernelNextHops(std::unique_ptr<Core> core);

  std::unique_ptr<Core> core_;
};

}  // namespace sluice::io

#endif  // SLUICE_DATAPATH_IO_KERNEL_NEXT_HOPS_H_
