// Where media may be sent.
//
// Never to loopback, link-local, multicast, broadcast or unspecified addresses, whatever was signalled or learned:
// those would reach the relay's own host, its neighbours or nobody. Private addresses are fine: many relays stand in
// private networks. Addresses of the relay itself and of the operator's list are the caller's to check.
//
// Threads: pure functions.

#ifndef SLUICE_DATAPATH_PACKET_DESTINATION_H_
#define SLUICE_DATAPATH_PACKET_DESTINATION_H_

#include <string_view>

#include "datapath/packet/ip_address.h"

namespace sluice::packet {

// Empty if media may go to `address`; else what it is: "unspecified", "loopback", "link-local", "multicast",
// "broadcast" or "reserved".
std::string_view DestinationFault(const IpAddress& address, bool allow_loopback = false);

}  // namespace sluice::packet

#endif  // SLUICE_DATAPATH_PACKET_DESTINATION_H_
