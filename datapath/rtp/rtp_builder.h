// Builds RTP and RTCP datagrams for tests and benchmarks.

#ifndef SLUICE_DATAPATH_RTP_RTP_BUILDER_H_
#define SLUICE_DATAPATH_RTP_RTP_BUILDER_H_

#include <cstdint>
#include <vector>

#include "datapath/rtp/rtcp_reader.h"

namespace sluice::rtp {

// An RTP packet with `payload_size` bytes that count up.
std::vector<uint8_t> RtpDatagram(uint8_t payload_type, uint16_t sequence, uint32_t timestamp, uint32_t ssrc,
                                 size_t payload_size = 160);

// A sender report with the given blocks; a receiver report.
std::vector<uint8_t> SenderReport(const SenderInfo& info, const std::vector<ReportBlock>& blocks = {});
std::vector<uint8_t> ReceiverReport(uint32_t ssrc, const std::vector<ReportBlock>& blocks = {});

}  // namespace sluice::rtp

#endif  // SLUICE_DATAPATH_RTP_RTP_BUILDER_H_
