#include "datapath/packet/endpoint.h"

#include <charconv>

namespace sluice::packet {

std::optional<Endpoint> Endpoint::Parse(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view address_text = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  const bool bracketed = address_text.size() >= 2 && address_text.front() == '[' && address_text.back() == ']';
  if (bracketed) address_text = address_text.substr(1, address_text.size() - 2);
  const std::optional<IpAddress> address = IpAddress::Parse(address_text);
  if (!address || bracketed != (address_text.find(':') != std::string_view::npos)) return std::nullopt;
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (error != std::errc() || end != port_text.data() + port_text.size() || port == 0) return std::nullopt;
  return Endpoint{*address, port};
}

std::string Endpoint::ToString() const {
  const std::string port_text = std::to_string(port);
  return address.is_v4() ? address.ToString() + ":" + port_text : "[" + address.ToString() + "]:" + port_text;
}

}  // namespace sluice::packet
