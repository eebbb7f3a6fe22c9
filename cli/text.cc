#include "cli/text.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace sluice::cli {
namespace {

struct Character {
  // 0 for broken UTF-8.
  uint32_t code = 0;
  size_t bytes = 1;
};

// The first character of `text`, which is not empty (RFC 3629 3: no overlong forms, no surrogates).
Character FirstCharacter(absl::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return {byte(0), 1};
  const size_t bytes = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : 2;
  if (byte(0) < 0xC2 || byte(0) > 0xF4 || text.size() < bytes) return {};
  uint32_t code = byte(0) & (0x7F >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3F);
  }
  constexpr std::array<uint32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kLeast[bytes] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {};
  return {code, bytes};
}

struct Range {
  uint32_t first;
  uint32_t last;
};

template <size_t N>
bool IsIn(const std::array<Range, N>& ranges, uint32_t code) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [code](const Range& range) { return range.first <= code && code <= range.last; });
}

// C0, C1, and what turns the direction of text or is not seen at all.
bool IsControl(uint32_t code) {
  constexpr std::array<Range, 6> kControls = {
      {{0, 0x1F}, {0x7F, 0x9F}, {0x200B, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x2069}, {0xFEFF, 0xFEFF}}};
  return IsIn(kControls, code);
}

size_t WidthOf(uint32_t code) {
  constexpr std::array<Range, 6> kCombining = {
      {{0x0300, 0x036F}, {0x0483, 0x0489}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x20D0, 0x20FF}, {0xFE00, 0xFE2F}}};
  // Unicode's East Asian Width W and F, in blocks.
  constexpr std::array<Range, 9> kWide = {{{0x1100, 0x115F},
                                           {0x2E80, 0x303E},
                                           {0x3041, 0xA4CF},
                                           {0xAC00, 0xD7A3},
                                           {0xF900, 0xFAFF},
                                           {0xFF00, 0xFF60},
                                           {0xFFE0, 0xFFE6},
                                           {0x1F300, 0x1F9FF},
                                           {0x20000, 0x3FFFD}}};
  if (IsIn(kCombining, code)) return 0;
  return IsIn(kWide, code) ? 2 : 1;
}

}  // namespace

std::string Printable(absl::string_view text) {
  std::string printable;
  while (!text.empty()) {
    const Character character = FirstCharacter(text);
    if (IsControl(character.code)) {
      printable.push_back('?');
    } else {
      absl::StrAppend(&printable, text.substr(0, character.bytes));
    }
    text.remove_prefix(character.bytes);
  }
  return printable;
}

size_t DisplayWidth(absl::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    const Character character = FirstCharacter(text);
    width += WidthOf(character.code);
    text.remove_prefix(character.bytes);
  }
  return width;
}

std::string PadRight(absl::string_view text, size_t width) {
  const size_t own = DisplayWidth(text);
  return absl::StrCat(text, std::string(own < width ? width - own : 0, ' '));
}

std::string PadLeft(absl::string_view text, size_t width) {
  const size_t own = DisplayWidth(text);
  return absl::StrCat(std::string(own < width ? width - own : 0, ' '), text);
}

std::string OrDash(absl::string_view text) { return text.empty() ? "-" : Printable(text); }

absl::Time TimeOf(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

absl::Duration DurationOf(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

std::string FormatUtc(const google::protobuf::Timestamp& timestamp) {
  if (timestamp.seconds() == 0 && timestamp.nanos() == 0) return "-";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", TimeOf(timestamp), absl::UTCTimeZone());
}

std::string FormatClock(absl::Duration duration) {
  const int64_t seconds = absl::ToInt64Seconds(std::max(duration, absl::ZeroDuration()));
  if (seconds < 3600) return absl::StrFormat("%d:%02d", seconds / 60, seconds % 60);
  return absl::StrFormat("%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::string FormatShort(absl::Duration duration) {
  const double microseconds = absl::ToDoubleMicroseconds(duration);
  if (microseconds < 1000) return absl::StrFormat("%.0f us", microseconds);
  if (microseconds < 1e6) return absl::StrFormat("%.1f ms", microseconds / 1e3);
  return absl::StrFormat("%.1f s", microseconds / 1e6);
}

std::string FormatBytes(uint64_t bytes) {
  if (bytes < 1024) return absl::StrCat(bytes, " B");
  constexpr std::array<const char*, 5> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return absl::StrFormat("%.1f %s", value, kUnits[unit]);
}

std::string FormatMilliseconds(double milliseconds) { return absl::StrFormat("%.1f ms", milliseconds); }

std::string FormatShare(double share) { return absl::StrFormat("%.1f %%", share * 100); }

std::string FormatEndpoint(const relay::v1::Endpoint& endpoint) {
  if (endpoint.address().empty()) return "-";
  const std::string address = Printable(endpoint.address());
  if (address.find(':') == std::string::npos) return absl::StrCat(address, ":", endpoint.port());
  return absl::StrCat("[", address, "]:", endpoint.port());
}

std::string EnumWord(absl::string_view name, absl::string_view prefix) {
  return absl::StrReplaceAll(absl::AsciiStrToLower(absl::StripPrefix(name, prefix)), {{"_", " "}});
}

}  // namespace sluice::cli
