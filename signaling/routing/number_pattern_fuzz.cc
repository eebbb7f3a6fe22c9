// A pattern in the first line and numbers in the others: what is read matches in bounds, and what is matched is made of
// the characters of numbers.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "absl/strings/str_split.h"
#include "signaling/routing/number_pattern.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  const auto pattern = sluice::routing::NumberPattern::Parse(lines[0]);
  if (!pattern.ok()) return 0;
  // Its own text reads as the same pattern again.
  if (!sluice::routing::NumberPattern::Parse(pattern->text()).ok()) std::abort();
  for (const absl::string_view number : lines) {
    const bool plain = number.find_first_not_of("0123456789+*#") == absl::string_view::npos;
    if (pattern->Matches(number) && !plain) std::abort();
  }
  return 0;
}
