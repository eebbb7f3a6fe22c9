// RTCP (RFC 3550 6), read safely.
//
// Theory of operation. A datagram is a compound of packets, each with a header of four bytes: version, padding bit and
// a count of five bits; packet type; length in 32-bit words less one. A compound begins with a sender or receiver
// report (RFC 3550 6.1), or with anything where reduced-size RTCP is in use (RFC 5506). A sender report (200) has the
// sender's SSRC, NTP and RTP timestamps and counts, then report blocks of 24 bytes; a receiver report (201) only the
// SSRC and blocks. An extended report (207, RFC 3611) has blocks of its own, of which receiver reference time (4), DLRR
// (5) and VoIP metrics (7) matter here.
//
// Threads: pure functions, nothing is allocated.

#ifndef SLUICE_DATAPATH_RTP_RTCP_READER_H_
#define SLUICE_DATAPATH_RTP_RTCP_READER_H_

#include <cstddef>
#include <cstdint>

namespace sluice::rtp {

enum class RtcpType : uint8_t {
  kSenderReport = 200,
  kReceiverReport = 201,
  kSourceDescription = 202,
  kBye = 203,
  kApplication = 204,
  kTransportFeedback = 205,  // RFC 4585.
  kPayloadFeedback = 206,    // RFC 4585.
  kExtendedReport = 207      // RFC 3611.
};

// One packet of a compound.
struct RtcpPacket {
  RtcpType type = RtcpType::kSenderReport;
  uint8_t count = 0;  // Report blocks, or whatever the type counts.
  // What follows the header of four bytes, without padding.
  const uint8_t* body = nullptr;
  size_t size = 0;
};

struct SenderInfo {
  uint32_t ssrc = 0;
  uint64_t ntp = 0;
  uint32_t rtp_timestamp = 0;
  uint32_t packets = 0;
  uint32_t octets = 0;

  // What a report block calls LSR.
  uint32_t compact_ntp() const { return static_cast<uint32_t>(ntp >> 16); }
};

struct ReportBlock {
  uint32_t ssrc = 0;  // About whom.
  uint8_t fraction_lost = 0;
  int32_t lost = 0;  // 24 bits, signed.
  uint32_t highest = 0;
  uint32_t jitter = 0;
  uint32_t last_sender_report = 0;
  uint32_t delay = 0;  // Since that one, in 1/65536 s.
};

// The VoIP metrics block (RFC 3611 4.7). 127 is "not available" for the last three.
struct VoipMetrics {
  uint32_t ssrc = 0;
  uint8_t loss_rate = 0;
  uint8_t discard_rate = 0;
  uint8_t burst_density = 0;
  uint8_t gap_density = 0;
  uint16_t burst_duration_ms = 0;
  uint16_t gap_duration_ms = 0;
  uint16_t round_trip_ms = 0;
  uint16_t end_system_delay_ms = 0;
  uint8_t r_factor = 127;
  uint8_t mos_listening_times_10 = 127;
  uint8_t mos_conversational_times_10 = 127;
};

// Walks a compound. Use: while (reader.Next(packet)) ...; then ok().
class RtcpReader {
 public:
  RtcpReader(const uint8_t* datagram, size_t size) : at_(datagram), left_(size), ok_(size > 0) {}

  // False at the end, or at a packet whose version or length is wrong, or that is not RTCP: then ok() is false.
  bool Next(RtcpPacket& packet);

  bool ok() const { return ok_; }

 private:
  const uint8_t* at_;
  size_t left_;
  bool ok_;
};

// Whether the whole datagram is RTCP: at least a header and an SSRC, every packet's header is right and the lengths add
// up, reports hold as many blocks as they count.
bool IsValidRtcp(const uint8_t* datagram, size_t size);

// Reads a sender report's own part. False if the packet is another or too short.
bool ReadSenderInfo(const RtcpPacket& packet, SenderInfo& info);

// Reads block `index` (below packet.count) of a sender or receiver report. False if there is none.
bool ReadReportBlock(const RtcpPacket& packet, unsigned index, ReportBlock& block);

// Finds the first VoIP metrics block in an extended report. False if there is none.
bool ReadVoipMetrics(const RtcpPacket& packet, VoipMetrics& metrics);

}  // namespace sluice::rtp

#endif  // SLUICE_DATAPATH_RTP_RTCP_READER_H_
