#include "signaling/sip/branch.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "signaling/sip/via.h"

namespace sluice::sip {
namespace {

constexpr size_t kDigits = 16;

}  // namespace

std::optional<Branch> Branch::Parse(absl::string_view text) {
  if (!absl::ConsumePrefix(&text, kMagicCookie)) return std::nullopt;
  Branch branch;
  if (text.size() != kDigits && text.size() != 2 * kDigits) return std::nullopt;
  if (!absl::SimpleHexAtoi(text.substr(0, kDigits), &branch.number)) return std::nullopt;
  if (text.size() > kDigits && !absl::SimpleHexAtoi(text.substr(kDigits), &branch.mark)) return std::nullopt;
  return branch;
}

std::string Branch::ToString() const {
  const std::string plain = absl::StrCat(kMagicCookie, absl::Hex(number, absl::kZeroPad16));
  return mark == 0 ? plain : absl::StrCat(plain, absl::Hex(mark, absl::kZeroPad16));
}

}  // namespace sluice::sip
