#include "datapath/rtp/rtcp_reader.h"

#include <cstring>

#include "datapath/packet/byte_order.h"

namespace sluice::rtp {
namespace {

constexpr size_t kHeaderSize = 4;
// A header and an SSRC. Shorter ones that the grammar allows (a BYE that names nobody) tell nothing and are what probes
// look like.
constexpr size_t kLeastDatagram = 8;
constexpr size_t kSenderInfoSize = 24;  // SSRC included.
constexpr size_t kBlockSize = 24;
constexpr uint8_t kVoipMetricsBlock = 7;
constexpr size_t kVoipMetricsSize = 32;  // Without the block's header of four bytes.

uint16_t Read16(const uint8_t* at) { return static_cast<uint16_t>(at[0] << 8 | at[1]); }

uint32_t Read32(const uint8_t* at) {
  uint32_t raw;
  std::memcpy(&raw, at, sizeof(raw));
  return packet::SwapBytes(raw);
}

// Where report blocks begin in a packet's body; 0 if the type has none.
size_t BlocksOffset(RtcpType type) {
  if (type == RtcpType::kSenderReport) return kSenderInfoSize;
  if (type == RtcpType::kReceiverReport) return 4;
  return 0;
}

}  // namespace

bool RtcpReader::Next(RtcpPacket& packet) {
  if (!ok_ || left_ == 0) return false;
  ok_ = false;
  if (left_ < kHeaderSize || (at_[0] & 0xc0) != 0x80 || at_[1] < 192 || at_[1] > 223) return false;
  const size_t size = 4 * (size_t{Read16(at_ + 2)} + 1);
  if (size > left_) return false;
  size_t padding = 0;
  if (at_[0] & 0x20) {  // Only the last packet of a compound may have padding (6.4.1).
    if (size != left_) return false;
    padding = at_[size - 1];
    if (padding == 0 || padding % 4 != 0 || padding > size - kHeaderSize) return false;
  }
  packet.type = static_cast<RtcpType>(at_[1]);
  packet.count = at_[0] & 0x1f;
  packet.body = at_ + kHeaderSize;
  packet.size = size - kHeaderSize - padding;
  at_ += size;
  left_ -= size;
  ok_ = true;
  return true;
}

bool IsValidRtcp(const uint8_t* datagram, size_t size) {
  if (size < kLeastDatagram) return false;
  RtcpReader reader(datagram, size);
  RtcpPacket packet;
  while (reader.Next(packet)) {
    const size_t blocks = BlocksOffset(packet.type);
    if (blocks != 0 && packet.size < blocks + kBlockSize * packet.count) return false;
  }
  return reader.ok();
}

bool ReadSenderInfo(const RtcpPacket& packet, SenderInfo& info) {
  if (packet.type != RtcpType::kSenderReport || packet.size < kSenderInfoSize) return false;
  info.ssrc = Read32(packet.body);
  info.ntp = uint64_t{Read32(packet.body + 4)} << 32 | Read32(packet.body + 8);
  info.rtp_timestamp = Read32(packet.body + 12);
  info.packets = Read32(packet.body + 16);
  info.octets = Read32(packet.body + 20);
  return true;
}

bool ReadReportBlock(const RtcpPacket& packet, unsigned index, ReportBlock& block) {
  const size_t offset = BlocksOffset(packet.type);
  if (offset == 0 || index >= packet.count || packet.size < offset + kBlockSize * (index + 1)) return false;
  const uint8_t* at = packet.body + offset + kBlockSize * index;
  block.ssrc = Read32(at);
  const uint32_t loss = Read32(at + 4);
  block.fraction_lost = static_cast<uint8_t>(loss >> 24);
  block.lost = static_cast<int32_t>(loss << 8) >> 8;
  block.highest = Read32(at + 8);
  block.jitter = Read32(at + 12);
  block.last_sender_report = Read32(at + 16);
  block.delay = Read32(at + 20);
  return true;
}

bool ReadVoipMetrics(const RtcpPacket& packet, VoipMetrics& metrics) {
  if (packet.type != RtcpType::kExtendedReport) return false;
  size_t offset = 4;  // The SSRC of the sender.
  while (offset + 4 <= packet.size) {
    const uint8_t* at = packet.body + offset;
    const size_t size = 4 * size_t{Read16(at + 2)};
    if (offset + 4 + size > packet.size) return false;
    if (at[0] == kVoipMetricsBlock && size == kVoipMetricsSize) {
      at += 4;
      metrics.ssrc = Read32(at);
      metrics.loss_rate = at[4];
      metrics.discard_rate = at[5];
      metrics.burst_density = at[6];
      metrics.gap_density = at[7];
      metrics.burst_duration_ms = Read16(at + 8);
      metrics.gap_duration_ms = Read16(at + 10);
      metrics.round_trip_ms = Read16(at + 12);
      metrics.end_system_delay_ms = Read16(at + 14);
      metrics.r_factor = at[20];
      metrics.mos_listening_times_10 = at[22];
      metrics.mos_conversational_times_10 = at[23];
      return true;
    }
    offset += 4 + size;
  }
  return false;
}

}  // namespace sluice::rtp
