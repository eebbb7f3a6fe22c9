// The RTP fixed header (RFC 3550 5.1), read safely.
//
// Theory of operation.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   |V=2|P|X|  CC   |M|     PT      |       sequence number         |
//   |                           timestamp                           |
//   |           synchronization source (SSRC) identifier            |
//   |            contributing sources (CC words)                    |
//   |   extension: profile (16 bits), length in words (16 bits)     |
//
// RTP and RTCP on one port (RFC 5761 4): a second byte of 192 to 223 is an RTCP packet type, and payload types 64 to 95
// are not used for RTP.
//
// Threads: pure functions.

#ifndef SLUICE_DATAPATH_RTP_RTP_HEADER_H_
#define SLUICE_DATAPATH_RTP_RTP_HEADER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "datapath/packet/byte_order.h"

namespace sluice::rtp {

struct RtpHeader {
  uint32_t ssrc = 0;
  uint32_t timestamp = 0;
  uint16_t sequence = 0;
  uint8_t payload_type = 0;
  // Where the payload begins, and its size without padding.
  uint16_t payload_offset = 0;
  uint16_t payload_size = 0;

  friend bool operator==(const RtpHeader&, const RtpHeader&) = default;
};

inline constexpr size_t kRtpHeaderSize = 12;

// Whether a datagram on a port with RTP/RTCP multiplexing is RTCP. `size` at least 2.
inline bool IsRtcp(const uint8_t* datagram) { return datagram[1] >= 192 && datagram[1] <= 223; }

// Reads the header of a datagram of `size` bytes. False if it is not RTP version 2 or a length points outside.
inline bool ReadRtpHeader(const uint8_t* datagram, size_t size, RtpHeader& header) {
  if (size < kRtpHeaderSize || size > 0xffff) return false;
  uint64_t first;
  std::memcpy(&first, datagram, sizeof(first));
  const uint8_t bits = datagram[0];
  if ((bits & 0xc0) != 0x80) return false;
  header.payload_type = datagram[1] & 0x7f;
  header.sequence = packet::SwapBytes(static_cast<uint16_t>(first >> 16));
  header.timestamp = packet::SwapBytes(static_cast<uint32_t>(first >> 32));
  uint32_t ssrc;
  std::memcpy(&ssrc, datagram + 8, sizeof(ssrc));
  header.ssrc = packet::SwapBytes(ssrc);
  size_t offset = kRtpHeaderSize + 4 * (bits & 0x0f);
  if (bits & 0x10) {  // Extension (5.3.1).
    if (offset + 4 > size) return false;
    offset += 4 + 4 * (static_cast<size_t>(datagram[offset + 2]) << 8 | datagram[offset + 3]);
  }
  if (offset > size) return false;
  size_t padding = 0;
  if (bits & 0x20) {
    padding = datagram[size - 1];
    if (padding == 0 || offset + padding > size) return false;
  }
  header.payload_offset = static_cast<uint16_t>(offset);
  header.payload_size = static_cast<uint16_t>(size - offset - padding);
  return true;
}

// The same for a header without CSRCs and padding, as nearly all have. False for all others, right or wrong.
[[gnu::always_inline]] inline bool ReadOrdinaryRtpHeader(const uint8_t* datagram, size_t size, RtpHeader& header) {
  constexpr uint8_t kNothingElse = 0x80, kExtension = 0x90;
  if (size < kRtpHeaderSize || size > 0xffff) return false;
  size_t offset = kRtpHeaderSize;
  if (datagram[0] != kNothingElse) {
    if (datagram[0] != kExtension || size < offset + 4) return false;
    offset += 4 + 4 * size_t{packet::Load<packet::BigEndian16>(datagram + offset + 2).ToHost()};
    if (offset > size) return false;
  }
  const uint64_t first = packet::Load<uint64_t>(datagram);
  header.payload_type = datagram[1] & 0x7f;
  header.sequence = packet::SwapBytes(static_cast<uint16_t>(first >> 16));
  header.timestamp = packet::SwapBytes(static_cast<uint32_t>(first >> 32));
  header.ssrc = packet::Load<packet::BigEndian32>(datagram + 8).ToHost();
  header.payload_offset = static_cast<uint16_t>(offset);
  header.payload_size = static_cast<uint16_t>(size - offset);
  return true;
}

}  // namespace sluice::rtp

#endif  // SLUICE_DATAPATH_RTP_RTP_HEADER_H_
