// The relay's interfaces: DPDK ports made from options, configured and started together.
//
// How it works. Devices are made at run time, one an interface, whatever they are: a PCI address and a vdev string go
// the same way. Each gets an RX queue a worker and a TX queue a worker, RSS over the UDP 4-tuple where the device has
// it (several NICs hash addresses only unless told), and no offloads: checksums are the pipeline's, and it reads frames
// as they were on the wire. Promiscuous mode stays off: the device has the MAC address that the kernel answers ARP
// with.
//
// All ports share one pool of packet buffers a NUMA node, so that a packet goes from one to another without a copy.
//
// A device that the kernel does not know gets an exception path if its options name a TAP (exception_path.h).
//
// Before a device is opened its media ports are claimed, so that two relays never take the same ones
// (media_claims.h).
//
// Threads: the main thread, but Statistics from any.

#ifndef SLUICE_DATAPATH_IO_INTERFACES_H_
#define SLUICE_DATAPATH_IO_INTERFACES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "datapath/io/eal.h"
#include "datapath/io/exception_path.h"
#include "datapath/io/interface_options.h"
#include "datapath/io/media_claims.h"
#include "datapath/io/packet_pool.h"
#include "datapath/io/port.h"
#include "datapath/packet/mac_address.h"

namespace sluice::io {

// An interface that is open.
struct Interface {
  std::string name;
  std::string device;  // As EAL knows it, with its arguments.
  Port port;
  packet::MacAddress mac_address;
  uint16_t vlan = 0;
  // Of the kernel interface whose routes and neighbours count; 0: none.
  unsigned kernel_index = 0;
  std::optional<packet::MacAddress> static_next_hop;
};

struct InterfaceStatistics {
  uint64_t received_packets = 0;
  uint64_t received_bytes = 0;
  uint64_t sent_packets = 0;
  uint64_t sent_bytes = 0;
  uint64_t receive_missed = 0;   // The queues were full.
  uint64_t receive_no_mbuf = 0;  // The pool was empty.
  uint64_t receive_errors = 0;
  uint64_t send_errors = 0;
  // Of the exception path.
  uint64_t punted = 0;
  uint64_t punts_limited = 0;
  uint64_t injected = 0;
  bool link_up = false;
  uint32_t link_mbps = 0;  // 0: not known.
};

class Interfaces {
 public:
  // Opens and starts all; none stays open if one fails. `mbufs` of a pool; 0: enough for all queues and workers.
  // Errors are one line that names the interface and says what to do.
  static absl::StatusOr<std::unique_ptr<Interfaces>> Open(const Eal& eal, const std::vector<InterfaceOptions>& options,
                                                          uint32_t mbufs = 0);

  // Stops and closes the devices; kernel interfaces are as they were. No worker polls any more.
  ~Interfaces();
  Interfaces(const Interfaces&) = delete;
  Interfaces& operator=(const Interfaces&) = delete;

  // In the order of the options.
  const std::vector<Interface>& all() const { return interfaces_; }
  // The open ports, in the same order.
  std::vector<Port> ports() const;

  // Counters since Open of the interface at `index` of all().
  InterfaceStatistics Statistics(size_t index) const;

 private:
  Interfaces(uint16_t workers, uint32_t mbufs);
  // Opens and starts one; it is in interfaces_ as soon as there is something to close.
  absl::Status OpenOne(const InterfaceOptions& options);
  // Gives it what the kernel does for it, if it needs that, and finds the kernel interface that counts.
  absl::Status ConnectToKernel(const InterfaceOptions& options, Interface& interface);

  const uint16_t workers_;
  // Devices are closed before pools and claims go.
  MediaClaims claims_;
  PacketPools pools_;
  std::vector<std::unique_ptr<ExceptionPath>> exception_paths_;
  std::vector<Interface> interfaces_;
};

}  // namespace sluice::io

#endif  // SLUICE_DATAPATH_IO_INTERFACES_H_
