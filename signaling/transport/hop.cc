#include "signaling/transport/hop.h"

#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace sluice::transport {
namespace {

constexpr absl::string_view kNames[] = {"udp", "tcp", "tls", "ws", "wss"};

}  // namespace

absl::string_view ProtocolName(Protocol protocol) { return kNames[static_cast<size_t>(protocol)]; }

std::optional<Protocol> ParseProtocol(absl::string_view name) {
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (absl::EqualsIgnoreCase(name, kNames[i])) return static_cast<Protocol>(i);
  }
  return std::nullopt;
}

std::string Hop::PeerName() const { return absl::StrCat(ProtocolName(protocol), ":", remote.ToString()); }

}  // namespace sluice::transport
