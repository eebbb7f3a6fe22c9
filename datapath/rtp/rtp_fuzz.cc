// Any bytes as RTP and as RTCP: nothing is read outside, and what is taken is consistent.

#include <cstdint>
#include <cstdlib>

#include "datapath/rtp/dtmf_recognizer.h"
#include "datapath/rtp/rtcp_reader.h"
#include "datapath/rtp/rtcp_round_trip.h"
#include "datapath/rtp/rtp_header.h"

namespace {

void Check(bool right) {
  if (!right) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::rtp;
  RtpHeader header;
  const bool is_rtp = ReadRtpHeader(data, size, header);
  // Never another opinion.
  if (RtpHeader ordinary; ReadOrdinaryRtpHeader(data, size, ordinary)) Check(is_rtp && ordinary == header);
  if (is_rtp) {
    Check(header.payload_offset >= kRtpHeaderSize);
    Check(size_t{header.payload_offset} + header.payload_size <= size);
    DtmfRecognizer dtmf;
    dtmf.OnPacket(header.timestamp, data + header.payload_offset, header.payload_size);
    dtmf.OnPacket(header.timestamp + 1, data + header.payload_offset, header.payload_size);
  }

  if (!IsValidRtcp(data, size)) return 0;
  RtcpReader reader(data, size);
  RtcpPacket packet;
  size_t bytes = 0;
  while (reader.Next(packet)) {
    Check(packet.body >= data && packet.body + packet.size <= data + size);
    bytes += packet.size;
    SenderInfo info;
    ReadSenderInfo(packet, info);
    ReportBlock block;
    unsigned blocks = 0;
    while (ReadReportBlock(packet, blocks, block)) ++blocks;
    Check(blocks <= packet.count);
    VoipMetrics metrics;
    ReadVoipMetrics(packet, metrics);
  }
  Check(reader.ok() && bytes < size);
  RtcpState state;
  RtcpState opposite;
  RtcpRoundTrip::OnPacket(data, size, 2'000'000'000, 1'000'000'000, state, &opposite);
  RtcpRoundTrip::OnPacket(data, size, 3'000'000'000, 1'000'000'000, opposite, &state);
  Check(state.packets.Load() == 1);
  return 0;
}
