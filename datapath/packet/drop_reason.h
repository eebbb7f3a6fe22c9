// Why a packet was not forwarded: one list for counters, gRPC, Prometheus and the documentation.
//
// The names are part of the API and do not change. Each reason is counted by the worker that met it; a reason that
// concerns a known flow is counted at the flow as well.

#ifndef SLUICE_DATAPATH_PACKET_DROP_REASON_H_
#define SLUICE_DATAPATH_PACKET_DROP_REASON_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::packet {

enum class DropReason : uint8_t {
  kNone,  // Forwarded.

  // Found while parsing.
  kNotIp,              // Neither IPv4 nor IPv6 behind Ethernet and at most one VLAN tag.
  kNotUdp,             // Another protocol than UDP.
  kBadLength,          // A length field disagrees with another or with the frame.
  kBadHeader,          // Wrong IP version.
  kBadHeaderChecksum,  // IPv4 header checksum is wrong.
  kIpOptions,          // IPv4 header longer than 20 bytes.
  kFragment,           // A fragment: carries no port, so it is never guessed whose it is.
  kV6Extension,        // IPv6 extension header other than a fragment header.
  kV6ZeroChecksum,     // IPv6 UDP without checksum (RFC 8200 8.1).

  // Found while looking up.
  kNotLocal,  // Destination is not one of the relay's media addresses.
  kNoFlow,    // Nobody uses this local port.

  // Found by the flow.
  kSourceMismatch,   // The source policy does not allow this source, or another one is locked.
  kSourceProbation,  // The source may be taken after more packets.
  kBadRtp,           // Not RTP or RTCP, though the flow carries it.
  kPayloadType,      // RTP payload type that was not negotiated.
  kDirection,        // The leg's peer may not send now (hold).
  kPoliced,          // Above the negotiated bandwidth.
  kNoDestination,    // The other leg's address is not known yet.
  kNoNeighbour,      // The next hop's MAC address is not known yet.

  // Found while sending.
  kTxFull,      // The transmit queue had no room.
  kNoBuffer,    // No packet buffer for a copy, or no room in front of the packet.
  kPuntLimited  // For the kernel, above the rate of the exception path.
};

inline constexpr std::array<std::string_view, 23> kDropReasonNames = {"none",
                                                                      "not_ip",
                                                                      "not_udp",
                                                                      "bad_length",
                                                                      "bad_header",
                                                                      "bad_header_checksum",
                                                                      "ip_options",
                                                                      "fragment",
                                                                      "v6_extension",
                                                                      "v6_zero_checksum",
                                                                      "not_local",
                                                                      "no_flow",
                                                                      "source_mismatch",
                                                                      "source_probation",
                                                                      "bad_rtp",
                                                                      "payload_type",
                                                                      "direction",
                                                                      "policed",
                                                                      "no_destination",
                                                                      "no_neighbour",
                                                                      "tx_full",
                                                                      "no_buffer",
                                                                      "punt_limited"};

inline constexpr size_t kDropReasonCount = kDropReasonNames.size();
static_assert(static_cast<size_t>(DropReason::kPuntLimited) + 1 == kDropReasonCount);

// The stable snake_case name.
constexpr std::string_view Name(DropReason reason) { return kDropReasonNames[static_cast<size_t>(reason)]; }

}  // namespace sluice::packet

#endif  // SLUICE_DATAPATH_PACKET_DROP_REASON_H_
