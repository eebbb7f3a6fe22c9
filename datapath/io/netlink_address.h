// IP addresses in netlink messages.
//
// Threads: pure functions.

#ifndef SLUICE_DATAPATH_IO_NETLINK_ADDRESS_H_
#define SLUICE_DATAPATH_IO_NETLINK_ADDRESS_H_

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstring>
#include <optional>

#include "datapath/packet/ip_address.h"

namespace sluice::io {

inline uint8_t FamilyOf(const packet::IpAddress& address) {
  return static_cast<uint8_t>(address.is_v4() ? AF_INET : AF_INET6);
}

// None for another family or a wrong size.
inline std::optional<packet::IpAddress> ReadAddress(int family, const void* data, size_t size) {
  if (family == AF_INET && size == 4) {
    uint32_t raw;
    std::memcpy(&raw, data, sizeof(raw));
    return packet::IpAddress::V4(packet::BigEndian32::FromRaw(raw));
  }
  if (family == AF_INET6 && size == 16) return packet::IpAddress::V6(data);
  return std::nullopt;
}

inline void PutAddress(nl_msg* message, int attribute, const packet::IpAddress& address) {
  if (address.is_v4()) {
    nla_put_u32(message, attribute, address.v4().raw());
  } else {
    nla_put(message, attribute, 16, address.bytes().data());
  }
}

}  // namespace sluice::io

#endif  // SLUICE_DATAPATH_IO_NETLINK_ADDRESS_H_
