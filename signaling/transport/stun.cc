#include "signaling/transport/stun.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace sluice::transport {
namespace {

constexpr size_t kHeaderBytes = 20;
constexpr uint32_t kCookie = 0x2112a442;
constexpr uint16_t kBindingRequest = 0x0001;
constexpr uint16_t kBindingSuccess = 0x0101;
constexpr uint16_t kBindingError = 0x0111;
constexpr uint16_t kErrorCode = 0x0009;
constexpr uint16_t kUnknownAttributes = 0x000a;
constexpr uint16_t kXorMappedAddress = 0x0020;
// Credentials and fingerprint: we ask for none and check none.
constexpr uint16_t kUsername = 0x0006;
constexpr uint16_t kMessageIntegrity = 0x0008;
// Types from here on may be passed over.
constexpr uint16_t kOptional = 0x8000;
constexpr size_t kMaxUnknown = 8;

uint16_t Read16(absl::string_view bytes, size_t at) {
  return static_cast<uint16_t>(static_cast<uint8_t>(bytes[at]) << 8 | static_cast<uint8_t>(bytes[at + 1]));
}

uint32_t Read32(absl::string_view bytes, size_t at) {
  return uint32_t{Read16(bytes, at)} << 16 | Read16(bytes, at + 2);
}

void Append16(std::string& bytes, size_t number) {
  bytes.push_back(static_cast<char>(number >> 8));
  bytes.push_back(static_cast<char>(number));
}

void AppendAttribute(std::string& bytes, uint16_t type, const std::string& value) {
  Append16(bytes, type);
  Append16(bytes, value.size());
  bytes += value;
  bytes.resize((bytes.size() + 3) / 4 * 4);
}

std::string MappedAddress(absl::string_view request, const sip::Endpoint& source) {
  std::string value = {0, static_cast<char>(source.is_v6 ? 2 : 1)};
  Append16(value, source.port ^ (kCookie >> 16));
  // Masked with the cookie and the transaction id, since some NATs rewrite addresses wherever they see them.
  for (size_t i = 0; i < (source.is_v6 ? 16u : 4u); ++i) {
    value.push_back(static_cast<char>(source.address[i] ^ static_cast<uint8_t>(request[4 + i])));
  }
  return value;
}

std::string Response(absl::string_view request, uint16_t type, const std::string& attributes) {
  std::string response;
  Append16(response, type);
  Append16(response, attributes.size());
  response.append(request.data() + 4, kHeaderBytes - 4);
  return response + attributes;
}

}  // namespace

bool IsStun(absl::string_view datagram) {
  return datagram.size() >= kHeaderBytes && static_cast<uint8_t>(datagram[0]) < 0x40 && Read32(datagram, 4) == kCookie;
}

std::optional<std::string> AnswerStun(absl::string_view datagram, const sip::Endpoint& source) {
  if (!IsStun(datagram) || Read16(datagram, 0) != kBindingRequest) return std::nullopt;
  if (Read16(datagram, 2) != datagram.size() - kHeaderBytes) return std::nullopt;
  std::string unknown;
  for (size_t at = kHeaderBytes; at < datagram.size();) {
    if (datagram.size() - at < 4) return std::nullopt;
    const uint16_t type = Read16(datagram, at);
    const size_t size = (Read16(datagram, at + 2) + 3u) / 4 * 4;
    if (datagram.size() - at - 4 < size) return std::nullopt;
    if (type < kOptional && type != kUsername && type != kMessageIntegrity && unknown.size() < 2 * kMaxUnknown) {
      Append16(unknown, type);
    }
    at += 4 + size;
  }
  std::string attributes;
  if (unknown.empty()) {
    AppendAttribute(attributes, kXorMappedAddress, MappedAddress(datagram, source));
    return Response(datagram, kBindingSuccess, attributes);
  }
  // 420: the class and the number stand apart.
  AppendAttribute(attributes, kErrorCode, std::string{0, 0, 4, 20} + "Unknown Attribute");
  AppendAttribute(attributes, kUnknownAttributes, unknown);
  return Response(datagram, kBindingError, attributes);
}

}  // namespace sluice::transport
