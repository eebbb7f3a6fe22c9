// The kernel's neighbours (ARP, RFC 826; neighbour discovery, RFC 4861) as they are told by netlink.
//
// How it works. All neighbours of the interfaces that count are read once (Read) and then kept by events (Take). The
// kernel resolves: Probe asks it to use a neighbour (NTF_USE), upon which it sends a request for one that is unknown or
// stale and leaves a fresh one alone.
//
// Threads: one.

#ifndef SLUICE_DATAPATH_IO_KERNEL_NEIGHBOURS_H_
#define SLUICE_DATAPATH_IO_KERNEL_NEIGHBOURS_H_

#include <compare>
#include <map>
#include <optional>
#include <set>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "datapath/io/netlink_socket.h"
#include "datapath/packet/ip_address.h"
#include "datapath/packet/mac_address.h"

namespace sluice::io {

struct NeighbourKey {
  unsigned interface = 0;  // The kernel's index.
  packet::IpAddress address;

  friend auto operator<=>(const NeighbourKey&, const NeighbourKey&) = default;
};

struct Neighbour {
  packet::MacAddress mac_address;
  bool is_stale = false;  // It will be good until it is proven wrong, but has to be asked for.
};

class KernelNeighbours {
 public:
  // Of the interfaces with these indices.
  static absl::StatusOr<KernelNeighbours> Open(std::set<unsigned> interfaces);

  // Reads all anew.
  absl::Status Read();
  // Takes over an event if it is one of neighbours. Returns which neighbour it may have changed.
  std::optional<NeighbourKey> Take(nlmsghdr* message);

  // None while its MAC address is not known.
  std::optional<Neighbour> Find(const NeighbourKey& key) const;

  // Has the kernel resolve or confirm it; the answer comes as an event.
  absl::Status Probe(const NeighbourKey& key);

 private:
  KernelNeighbours(NetlinkSocket socket, std::set<unsigned> interfaces)
      : socket_(std::move(socket)), interfaces_(std::move(interfaces)) {}

  NetlinkSocket socket_;
  std::set<unsigned> interfaces_;
  std::map<NeighbourKey, Neighbour> neighbours_;
};

}  // namespace sluice::io

#endif  // SLUICE_DATAPATH_IO_KERNEL_NEIGHBOURS_H_
