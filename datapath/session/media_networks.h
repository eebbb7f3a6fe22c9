// The relay's media networks: names that sessions use, their addresses, and the ports of these.
//
// A network has addresses of one interface, each with a port range of its own and what SDP shows instead of it. A leg
// gets its port from the least used address of its network that has the right family. Ports come in pairs for RTP and
// RTCP, or single where RTCP shares the port or there is none (flow/port_allocator.h).
//
// Threads: one control thread at a time. Time is passed in.

#ifndef SLUICE_DATAPATH_SESSION_MEDIA_NETWORKS_H_
#define SLUICE_DATAPATH_SESSION_MEDIA_NETWORKS_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "datapath/flow/flow_table.h"
#include "datapath/flow/port_allocator.h"
#include "datapath/packet/endpoint.h"
#include "datapath/session/session_spec.h"

namespace sluice::session {

struct NetworkOptions {
  std::string name;
  std::string interface;
  std::vector<packet::IpAddress> addresses;
  // What SDP shows instead, in the same order; empty: the same.
  std::vector<packet::IpAddress> advertised;
  uint16_t first_port = 16384;
  uint16_t last_port = 32767;
  std::vector<uint16_t> excluded_ports;
  uint8_t dscp = 46;
};

// Where a leg's peer sends to.
struct LocalPorts {
  uint8_t network = 0;
  uint8_t address = 0;    // Index in all addresses of the relay.
  bool has_pair = false;  // The next port is the leg's as well.
  uint16_t port = 0;      // 0: none.

  friend bool operator==(const LocalPorts&, const LocalPorts&) = default;
};

class MediaNetworks {
 public:
  // Makes all addresses local ones of `table`. INVALID_ARGUMENT names the network and what is wrong with it,
  // RESOURCE_EXHAUSTED if there are too many addresses or too little memory.
  static absl::StatusOr<std::unique_ptr<MediaNetworks>> Create(const std::vector<NetworkOptions>& options,
                                                               absl::Duration quarantine, flow::FlowTable& table);

  size_t size() const { return options_.size(); }
  const NetworkOptions& operator[](unsigned network) const { return options_[network]; }

  // The network that a leg names; with an empty name the first that has addresses of `version`. INVALID_ARGUMENT if
  // there is none.
  absl::StatusOr<unsigned> Find(const std::string& name, IpVersion version) const;

  // Ports in `network`: those of `requested` if it is set; else of `version`, or of that of the network's first
  // address. INVALID_ARGUMENT if no address fits, RESOURCE_EXHAUSTED if no port is free or the
  // requested one is not.
  absl::StatusOr<LocalPorts> Allocate(unsigned network, IpVersion version, const packet::Endpoint& requested, bool pair,
                                      absl::Time now);
  // Adds the next port to a single one. RESOURCE_EXHAUSTED if it is not free.
  absl::Status AddNextPort(LocalPorts& ports, absl::Time now);
  // Gives back all that `ports` has.
  void Release(const LocalPorts& ports, absl::Time now);
  // Gives back the next port only.
  void ReleaseNextPort(const LocalPorts& ports, absl::Time now);

  packet::Endpoint Local(const LocalPorts& ports) const { return {addresses_[ports.address].address, ports.port}; }
  packet::Endpoint Advertised(const LocalPorts& ports) const {
    return {addresses_[ports.address].advertised, ports.port};
  }

  struct Usage {
    uint64_t ports = 0;
    uint64_t used = 0;
    uint64_t quarantined = 0;
  };
  Usage usage(unsigned network, absl::Time now);

 private:
  struct Address {
    packet::IpAddress address;
    packet::IpAddress advertised;
    unsigned network;
    flow::PortAllocator ports;
  };

  MediaNetworks() = default;

  std::vector<NetworkOptions> options_;
  std::deque<Address> addresses_;
};

}  // namespace sluice::session

#endif  // SLUICE_DATAPATH_SESSION_MEDIA_NETWORKS_H_
