#include "signaling/hep/packet.h"

#include <utility>

namespace sluice::hep {
namespace {

// UDP over IPv4: 65535 less the headers.
constexpr size_t kMaxBytes = 65507;
constexpr size_t kHeaderBytes = 6;

constexpr uint8_t kIpv4 = 2;
constexpr uint8_t kIpv6 = 10;
constexpr uint8_t kTcp = 6;
constexpr uint8_t kUdp = 17;

// Types of generic chunks.
enum Chunk : uint16_t {
  kFamily = 0x01,
  kProtocol = 0x02,
  kSourceIpv4 = 0x03,
  kDestinationIpv4 = 0x04,
  kSourceIpv6 = 0x05,
  kDestinationIpv6 = 0x06,
  kSourcePort = 0x07,
  kDestinationPort = 0x08,
  kSeconds = 0x09,
  kMicroseconds = 0x0a,
  kPayloadType = 0x0b,
  kCaptureId = 0x0c,
  kAuthentication = 0x0e,
  kPayload = 0x0f,
  kCorrelationId = 0x11,
  kNodeName = 0x13,
};

class Writer {
 public:
  void Put(Chunk chunk, absl::string_view value) {
    Append16(0);
    Append16(chunk);
    Append16(static_cast<uint16_t>(kHeaderBytes + value.size()));
    bytes_.append(value.data(), value.size());
  }
  void PutText(Chunk chunk, absl::string_view text) {
    if (!text.empty()) Put(chunk, text);
  }
  void Put8(Chunk chunk, uint8_t value) { Put(chunk, absl::string_view(reinterpret_cast<const char*>(&value), 1)); }
  void Put16(Chunk chunk, uint16_t value) {
    const char data[] = {static_cast<char>(value >> 8), static_cast<char>(value)};
    Put(chunk, absl::string_view(data, sizeof(data)));
  }
  void Put32(Chunk chunk, uint32_t value) {
    const char data[] = {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
                         static_cast<char>(value)};
    Put(chunk, absl::string_view(data, sizeof(data)));
  }
  void Reserve(size_t size) { bytes_.reserve(size); }
  void Append16(uint16_t value) {
    bytes_.push_back(static_cast<char>(value >> 8));
    bytes_.push_back(static_cast<char>(value));
  }
  std::string& bytes() { return bytes_; }

 private:
  std::string bytes_;
};

absl::string_view AddressBytes(const sip::Endpoint& endpoint) {
  return {reinterpret_cast<const char*>(endpoint.address.data()), endpoint.is_v6 ? size_t{16} : size_t{4}};
}

}  // namespace

std::string Encode(const Packet& packet, const Identity& identity) {
  // What is fixed takes less than this.
  constexpr size_t kFixed = 160;
  const size_t most =
      kFixed + packet.payload.size() + packet.correlation_id.size() + identity.password.size() + identity.node.size();
  if (most > kMaxBytes) return "";
  Writer writer;
  writer.Reserve(most);
  writer.bytes() = "HEP3";
  writer.Append16(0);
  const bool is_v6 = packet.source.is_v6;
  writer.Put8(kFamily, is_v6 ? kIpv6 : kIpv4);
  writer.Put8(kProtocol, packet.protocol == sip::Protocol::kUdp ? kUdp : kTcp);
  writer.Put(is_v6 ? kSourceIpv6 : kSourceIpv4, AddressBytes(packet.source));
  writer.Put(is_v6 ? kDestinationIpv6 : kDestinationIpv4, AddressBytes(packet.destination));
  writer.Put16(kSourcePort, packet.source.port);
  writer.Put16(kDestinationPort, packet.destination.port);
  const int64_t microseconds = absl::ToUnixMicros(packet.time);
  writer.Put32(kSeconds, static_cast<uint32_t>(microseconds / 1'000'000));
  writer.Put32(kMicroseconds, static_cast<uint32_t>(microseconds % 1'000'000));
  writer.Put8(kPayloadType, static_cast<uint8_t>(packet.type));
  writer.Put32(kCaptureId, identity.capture_id);
  writer.PutText(kAuthentication, identity.password);
  writer.PutText(kCorrelationId, packet.correlation_id);
  writer.PutText(kNodeName, identity.node);
  writer.Put(kPayload, packet.payload);
  std::string bytes = std::move(writer.bytes());
  bytes[4] = static_cast<char>(bytes.size() >> 8);
  bytes[5] = static_cast<char>(bytes.size());
  return bytes;
}

}  // namespace sluice::hep
