// Looks routes up in the kernel.
//
// Each look-up is a request (RTM_GETROUTE), so the kernel's whole policy counts: rules, tables, metrics, several next
// hops. It costs a few microseconds; who needs the answer for longer keeps it and asks again when routes change.
//
// Threads: one.

#ifndef SLUICE_DATAPATH_IO_KERNEL_ROUTES_H_
#define SLUICE_DATAPATH_IO_KERNEL_ROUTES_H_

#include <optional>

#include "absl/status/statusor.h"
#include "datapath/io/netlink_socket.h"
#include "datapath/packet/ip_address.h"

namespace sluice::io {

struct KernelRoute {
  unsigned interface = 0;      // The kernel's index.
  packet::IpAddress next_hop;  // The gateway, or the destination where it is on the link.
};

class KernelRoutes {
 public:
  static absl::StatusOr<KernelRoutes> Open();

  // The route to `destination` that leaves by `interface`, or by any if it is 0. None if there is none or it is no
  // unicast route: the host's own addresses, broadcast, multicast, blackholes.
  std::optional<KernelRoute> Find(const packet::IpAddress& destination, unsigned interface);

 private:
  struct Answer;
  explicit KernelRoutes(NetlinkSocket socket) : socket_(std::move(socket)) {}
  std::optional<Answer> Ask(const packet::IpAddress& destination, unsigned interface, bool match_table);

  NetlinkSocket socket_;
};

}  // namespace sluice::io

#endif  // SLUICE_DATAPATH_IO_KERNEL_ROUTES_H_
