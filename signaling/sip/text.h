// The small pieces of SIP's grammar that everything in here is read with (RFC 3261 25.1): character classes, white
// space, quoted strings, lists, numbers.
//
// All functions work on views and allocate only where they answer a std::string.
#ifndef SLUICE_SIGNALING_SIP_TEXT_H_
#define SLUICE_SIGNALING_SIP_TEXT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace sluice::sip {

// Bits of `kCharacterClass`.
inline constexpr uint16_t kTokenCharacter = 1;
inline constexpr uint16_t kHostCharacter = 2;
inline constexpr uint16_t kUriCharacter = 4;
inline constexpr uint16_t kDigitCharacter = 8;
inline constexpr uint16_t kHexCharacter = 16;
inline constexpr uint16_t kSpaceCharacter = 32;
inline constexpr uint16_t kUnreservedCharacter = 64;
// As kUriCharacter, and neither begins an escape nor ends a part of a SIP URI.
inline constexpr uint16_t kPlainUriCharacter = 128;
// Of a parameter's value that is not quoted.
inline constexpr uint16_t kValueCharacter = 256;
extern const std::array<uint16_t, 256> kCharacterClass;

inline bool Is(char c, uint16_t classes) { return (kCharacterClass[static_cast<unsigned char>(c)] & classes) != 0; }
// True if all of a non-empty `text` are of these classes.
bool IsAll(absl::string_view text, uint16_t classes);
inline bool IsToken(absl::string_view text) { return IsAll(text, kTokenCharacter); }

// Without spaces, tabs and line ends at both ends.
inline absl::string_view Trim(absl::string_view text) {
  while (!text.empty() && Is(text.front(), kSpaceCharacter)) text.remove_prefix(1);
  while (!text.empty() && Is(text.back(), kSpaceCharacter)) text.remove_suffix(1);
  return text;
}

// Up to the first space or tab.
inline absl::string_view FirstWord(absl::string_view text) {
  size_t length = 0;
  while (length < text.size() && text[length] != ' ' && text[length] != '\t') ++length;
  return text.substr(0, length);
}

// True if a NUL is in `text` that no backslash quotes (RFC 3261 25.1 lets a quoted string hold one so).
bool HasBareNul(absl::string_view text);

// Digits only, at most `max`. Nothing else is a number, neither "+1" nor "".
std::optional<uint64_t> ParseNumber(absl::string_view text, uint64_t max);

// The length of the quoted string that `text` begins with, quotes included; 0 if it begins with none or has no end.
size_t QuotedLength(absl::string_view text);
// "a \"b\"" without quotes and backslashes; other text as it is.
std::string Unquote(absl::string_view text);
// The other way.
std::string Quote(absl::string_view text);

// %41 becomes A; a % that no two hex digits follow stays.
std::string Unescape(absl::string_view text);
// What is neither unreserved nor in `also_plain` becomes %HH (RFC 3261 25.1).
std::string Escape(absl::string_view text, absl::string_view also_plain);

// The first element of a list and the rest behind its comma. Commas in quoted strings and angle brackets separate
// nothing. Elements are trimmed; empty ones are skipped. Nothing: the list is over.
std::optional<absl::string_view> NextElement(absl::string_view& list);
std::vector<absl::string_view> SplitList(absl::string_view list);

// host [":" port], the host a name, an IPv4 address, or an IPv6 address in brackets (without, if `bare_v6`: peers write
// it in received=).
struct HostPort {
  absl::string_view host;
  // 0: none was given.
  uint16_t port = 0;
};
std::optional<HostPort> ParseHostPort(absl::string_view text);

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_TEXT_H_
