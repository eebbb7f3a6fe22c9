#include "signaling/transport/utf8.h"

#include <cstdint>

namespace sluice::transport {

bool IsUtf8(absl::string_view bytes) {
  while (!bytes.empty()) {
    const auto first = static_cast<uint8_t>(bytes[0]);
    const size_t size = first < 0x80 ? 1 : first >> 5 == 0x6 ? 2 : first >> 4 == 0xe ? 3 : first >> 3 == 0x1e ? 4 : 0;
    if (size == 0 || bytes.size() < size) return false;
    uint32_t code = size == 1 ? first : first & (0x7f >> size);
    for (size_t i = 1; i < size; ++i) {
      const auto next = static_cast<uint8_t>(bytes[i]);
      if (next >> 6 != 0x2) return false;
      code = code << 6 | (next & 0x3f);
    }
    // The shortest form only, no halves of UTF-16 pairs, nothing beyond Unicode.
    constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < kSmallest[size] || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) return false;
    bytes.remove_prefix(size);
  }
  return true;
}

}  // namespace sluice::transport
