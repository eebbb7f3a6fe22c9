#include "datapath/rtp/rtp_builder.h"

namespace sluice::rtp {
namespace {

void Append16(std::vector<uint8_t>& bytes, uint16_t value) {
  bytes.push_back(static_cast<uint8_t>(value >> 8));
  bytes.push_back(static_cast<uint8_t>(value));
}

void Append32(std::vector<uint8_t>& bytes, uint32_t value) {
  Append16(bytes, static_cast<uint16_t>(value >> 16));
  Append16(bytes, static_cast<uint16_t>(value));
}

void AppendHeader(std::vector<uint8_t>& bytes, RtcpType type, size_t blocks, size_t body_size) {
  bytes.push_back(static_cast<uint8_t>(0x80 | blocks));
  bytes.push_back(static_cast<uint8_t>(type));
  Append16(bytes, static_cast<uint16_t>(body_size / 4));
}

void AppendBlocks(std::vector<uint8_t>& bytes, const std::vector<ReportBlock>& blocks) {
  for (const ReportBlock& block : blocks) {
    Append32(bytes, block.ssrc);
    Append32(bytes, static_cast<uint32_t>(block.fraction_lost) << 24 | (static_cast<uint32_t>(block.lost) & 0xffffff));
    Append32(bytes, block.highest);
    Append32(bytes, block.jitter);
    Append32(bytes, block.last_sender_report);
    Append32(bytes, block.delay);
  }
}

}  // namespace

std::vector<uint8_t> RtpDatagram(uint8_t payload_type, uint16_t sequence, uint32_t timestamp, uint32_t ssrc,
                                 size_t payload_size) {
  std::vector<uint8_t> bytes = {0x80, payload_type};
  Append16(bytes, sequence);
  Append32(bytes, timestamp);
  Append32(bytes, ssrc);
  for (size_t i = 0; i < payload_size; ++i) bytes.push_back(static_cast<uint8_t>(i));
  return bytes;
}

std::vector<uint8_t> SenderReport(const SenderInfo& info, const std::vector<ReportBlock>& blocks) {
  std::vector<uint8_t> bytes;
  AppendHeader(bytes, RtcpType::kSenderReport, blocks.size(), 24 + 24 * blocks.size());
  Append32(bytes, info.ssrc);
  Append32(bytes, static_cast<uint32_t>(info.ntp >> 32));
  Append32(bytes, static_cast<uint32_t>(info.ntp));
  Append32(bytes, info.rtp_timestamp);
  Append32(bytes, info.packets);
  Append32(bytes, info.octets);
  AppendBlocks(bytes, blocks);
  return bytes;
}

std::vector<uint8_t> ReceiverReport(uint32_t ssrc, const std::vector<ReportBlock>& blocks) {
  std::vector<uint8_t> bytes;
  AppendHeader(bytes, RtcpType::kReceiverReport, blocks.size(), 4 + 24 * blocks.size());
  Append32(bytes, ssrc);
  AppendBlocks(bytes, blocks);
  return bytes;
}

}  // namespace sluice::rtp
