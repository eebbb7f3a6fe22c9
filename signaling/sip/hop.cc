#include "signaling/sip/hop.h"

#include <arpa/inet.h>

#include <cstddef>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace sluice::sip {
namespace {

constexpr absl::string_view kNames[] = {"UDP", "TCP", "TLS", "WS", "WSS"};

}  // namespace

absl::string_view ProtocolName(Protocol protocol) { return kNames[static_cast<size_t>(protocol)]; }

std::optional<Protocol> ParseProtocol(absl::string_view name) {
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (absl::EqualsIgnoreCase(name, kNames[i])) return static_cast<Protocol>(i);
  }
  return std::nullopt;
}

std::optional<Endpoint> Endpoint::Make(absl::string_view host, uint16_t port) {
  // RFC 3261's grammar has a colon too many ahead of an embedded IPv4 address; what is meant is clear (RFC 5118 4.10).
  const size_t surplus = host.find(":::");
  if (surplus != absl::string_view::npos && host.find('.', surplus) != absl::string_view::npos) {
    const std::string repaired = absl::StrCat(host.substr(0, surplus), host.substr(surplus + 1));
    return repaired.find(":::") == std::string::npos ? Make(repaired, port) : std::nullopt;
  }
  Endpoint endpoint;
  endpoint.port = port;
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  char text[INET6_ADDRSTRLEN];
  host.copy(text, host.size());
  text[host.size()] = '\0';
  if (!bracketed && inet_pton(AF_INET, text, endpoint.address.data()) == 1) return endpoint;
  endpoint.is_v6 = true;
  if (inet_pton(AF_INET6, text, endpoint.address.data()) == 1) return endpoint;
  return std::nullopt;
}

std::optional<Endpoint> Endpoint::Parse(absl::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return std::nullopt;
  uint32_t port = 0;
  if (!absl::SimpleAtoi(text.substr(colon + 1), &port) || port > 65535) return std::nullopt;
  const absl::string_view host = text.substr(0, colon);
  // An IPv6 address without brackets cannot be told from its port.
  if (host.find(':') != absl::string_view::npos && host.front() != '[') return std::nullopt;
  return Make(host, static_cast<uint16_t>(port));
}

std::string Endpoint::Address() const {
  if (!is_v6) return absl::StrCat(address[0], ".", address[1], ".", address[2], ".", address[3]);
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(AF_INET6, address.data(), text, sizeof(text));
}

std::string Endpoint::ToString() const {
  return is_v6 ? absl::StrCat("[", Address(), "]:", port) : absl::StrCat(Address(), ":", port);
}

}  // namespace sluice::sip
