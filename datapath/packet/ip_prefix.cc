#include "datapath/packet/ip_prefix.h"

#include <charconv>

namespace sluice::packet {
namespace {

// The first `bits` bits of eight bytes on the wire, as the host loads them.
uint64_t RawMask(unsigned bits) {
  if (bits == 0) return 0;
  if (bits >= 64) return ~uint64_t{0};
  return SwapBytes(~uint64_t{0} << (64 - bits));
}

}  // namespace

std::optional<IpPrefix> IpPrefix::Of(const IpAddress& address, unsigned length) {
  const unsigned bits = address.is_v4() ? length + 96 : length;
  if (bits > 128 || length > 128) return std::nullopt;
  IpPrefix result;
  result.mask_high_ = RawMask(bits);
  result.mask_low_ = bits > 64 ? RawMask(bits - 64) : 0;
  result.base_ = IpAddress::FromRaw(address.raw_high() & result.mask_high_, address.raw_low() & result.mask_low_);
  result.length_ = static_cast<uint8_t>(length);
  result.valid_ = true;
  return result;
}

std::optional<IpPrefix> IpPrefix::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::optional<IpAddress> address = IpAddress::Parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  unsigned length = address->is_v4() ? 32 : 128;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (digits.empty() || digits.size() > 3 || error != std::errc() || end != digits.data() + digits.size()) {
      return std::nullopt;
    }
  }
  std::optional<IpPrefix> prefix = Of(*address, length);
  if (!prefix || prefix->base_ != *address) return std::nullopt;
  return prefix;
}

std::string IpPrefix::ToString() const { return base_.ToString() + "/" + std::to_string(length_); }

}  // namespace sluice::packet
