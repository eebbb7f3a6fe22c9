#include "signaling/routing/number_pattern.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace sluice::routing {
namespace {

constexpr absl::string_view kAllowed =
    "allowed: digits, + and #, X for any digit, [2-9] for one of these, * at the end";

uint16_t BitOf(char c) {
  if (absl::ascii_isdigit(static_cast<unsigned char>(c))) return static_cast<uint16_t>(1 << (c - '0'));
  if (c == '+') return 1 << 10;
  if (c == '#') return 1 << 11;
  return 0;
}

constexpr uint16_t kAnyDigit = (1 << 10) - 1;

absl::Status Wrong(absl::string_view what) { return absl::InvalidArgumentError(absl::StrCat(what, "; ", kAllowed)); }

}  // namespace

absl::StatusOr<NumberPattern::Characters> NumberPattern::ParseClass(absl::string_view inside) {
  Characters characters = 0;
  for (size_t i = 0; i < inside.size(); ++i) {
    const char first = inside[i];
    char last = first;
    if (i + 2 < inside.size() && inside[i + 1] == '-') {
      last = inside[i + 2];
      i += 2;
    }
    if ((BitOf(first) & kAnyDigit) == 0 || (BitOf(last) & kAnyDigit) == 0 || first > last) {
      return Wrong(absl::StrCat("[", inside, "] is no set of digits"));
    }
    for (char c = first; c <= last; ++c) characters |= BitOf(c);
  }
  if (characters == 0) return Wrong("[] has no digit in it");
  return characters;
}

absl::StatusOr<NumberPattern> NumberPattern::Parse(absl::string_view text) {
  if (text.empty()) return Wrong("is empty");
  NumberPattern pattern(text);
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '*') {
      if (i + 1 != text.size()) return Wrong("has a * that is not at its end");
      pattern.open_ended_ = true;
    } else if (c == 'X') {
      pattern.positions_.push_back(kAnyDigit);
    } else if (c == '[') {
      const size_t end = text.find(']', i);
      if (end == absl::string_view::npos) return Wrong("has a [ without its ]");
      const absl::StatusOr<Characters> characters = ParseClass(text.substr(i + 1, end - i - 1));
      if (!characters.ok()) return characters.status();
      pattern.positions_.push_back(*characters);
      i = end;
    } else if (BitOf(c) != 0) {
      pattern.positions_.push_back(BitOf(c));
    } else {
      return Wrong(absl::StrCat("has the character '", text.substr(i, 1), "'"));
    }
  }
  if (pattern.positions_.size() > kMaxLength) return Wrong(absl::StrCat("has more than ", kMaxLength, " positions"));
  return pattern;
}

bool NumberPattern::Matches(absl::string_view number) const {
  if (number.size() < positions_.size() || (number.size() > positions_.size() && !open_ended_)) return false;
  for (size_t i = 0; i < positions_.size(); ++i) {
    if ((positions_[i] & BitOf(number[i])) == 0) return false;
  }
  const absl::string_view rest = number.substr(positions_.size());
  // Of '+' there is only one, in front.
  return std::all_of(rest.begin(), rest.end(), [this, &rest](const char& c) {
    const bool leading = positions_.empty() && &c == rest.data();
    return c == '*' || (c == '+' ? leading : BitOf(c) != 0);
  });
}

}  // namespace sluice::routing
