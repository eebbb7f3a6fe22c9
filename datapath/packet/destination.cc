#include "datapath/packet/destination.h"

namespace sluice::packet {

std::string_view DestinationFault(const IpAddress& address, bool allow_loopback) {
  if (address.is_unspecified()) return "unspecified";
  if (address.is_v4()) {
    const uint32_t host = address.v4().ToHost();
    if (host >> 24 == 127) return allow_loopback ? "" : "loopback";
    if (host >> 24 == 0) return "reserved";  // "This network" (RFC 6890).
    if (host >> 16 == 0xa9fe) return "link-local";
    if (host >> 28 == 0xe) return "multicast";
    if (host == 0xffffffff) return "broadcast";
    if (host >> 28 == 0xf) return "reserved";
    return "";
  }
  const uint64_t high = SwapBytes(address.raw_high());
  const uint64_t low = SwapBytes(address.raw_low());
  if (high == 0 && low == 1) return allow_loopback ? "" : "loopback";
  if (high == 0) return "reserved";              // IPv4-compatible and the like (RFC 4291 2.5.5).
  if (high >> 54 == 0x3fa) return "link-local";  // fe80::/10.
  if (high >> 56 == 0xff) return "multicast";
  return "";
}

}  // namespace sluice::packet
