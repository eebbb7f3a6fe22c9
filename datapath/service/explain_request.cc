#include "datapath/service/explain_request.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "datapath/packet/packet_builder.h"
#include "datapath/service/from_proto.h"

namespace sluice::service {
namespace {

constexpr size_t kMaxFrame = 9216;
constexpr size_t kMaxPayload = 1472;
constexpr size_t kSpeechBytes = 160;
constexpr uint8_t kSilence = 0xff;  // Of PCMU.

// RFC 3550 5.1.
std::vector<uint8_t> RtpPacket(const relay::v1::PacketAddresses& addresses) {
  const uint32_t ssrc = addresses.ssrc();
  const uint32_t timestamp = addresses.sequence() * static_cast<uint32_t>(kSpeechBytes);
  std::vector<uint8_t> packet = {0x80, static_cast<uint8_t>(addresses.payload_type()),
                                 static_cast<uint8_t>(addresses.sequence() >> 8),
                                 static_cast<uint8_t>(addresses.sequence())};
  for (const uint32_t word : {timestamp, ssrc}) {
    for (int shift = 24; shift >= 0; shift -= 8) packet.push_back(static_cast<uint8_t>(word >> shift));
  }
  packet.resize(packet.size() + kSpeechBytes, kSilence);
  return packet;
}

absl::StatusOr<std::vector<uint8_t>> FrameOf(const relay::v1::PacketAddresses& addresses) {
  const absl::StatusOr<packet::Endpoint> source = FromProto("addresses.source", addresses.source());
  if (!source.ok()) return source.status();
  const absl::StatusOr<packet::Endpoint> destination = FromProto("addresses.destination", addresses.destination());
  if (!destination.ok()) return destination.status();
  if (source->address.is_v4() != destination->address.is_v4()) {
    return absl::InvalidArgumentError("addresses.source and addresses.destination are of different IP versions");
  }
  if (addresses.payload_type() > 127) {
    return absl::InvalidArgumentError(
        absl::StrCat("addresses.payload_type is ", addresses.payload_type(), ", allowed is 0 to 127"));
  }
  if (addresses.sequence() > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("addresses.sequence is ", addresses.sequence(), ", allowed is 0 to 65535"));
  }
  if (addresses.payload().size() > kMaxPayload) {
    return absl::InvalidArgumentError(
        absl::StrCat("addresses.payload has ", addresses.payload().size(), " bytes, allowed are ", kMaxPayload));
  }
  const std::string& payload = addresses.payload();
  return packet::PacketBuilder(*source, *destination)
      .Payload(payload.empty() ? RtpPacket(addresses) : std::vector<uint8_t>(payload.begin(), payload.end()))
      .Build();
}

}  // namespace

absl::StatusOr<std::vector<uint8_t>> FrameOf(const relay::v1::ExplainPacketRequest& request) {
  switch (request.packet_case()) {
    case relay::v1::ExplainPacketRequest::kFrame:
      if (request.frame().size() > kMaxFrame) {
        return absl::InvalidArgumentError(
            absl::StrCat("frame has ", request.frame().size(), " bytes, allowed are ", kMaxFrame));
      }
      return std::vector<uint8_t>(request.frame().begin(), request.frame().end());
    case relay::v1::ExplainPacketRequest::kAddresses:
      return FrameOf(request.addresses());
    case relay::v1::ExplainPacketRequest::PACKET_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("packet is required, allowed are frame, addresses");
}

}  // namespace sluice::service
