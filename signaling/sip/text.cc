#include "signaling/sip/text.h"

#include <cstddef>
#include <cstring>
#include <utility>

namespace sluice::sip {
namespace {

constexpr std::array<uint16_t, 256> MakeClasses() {
  std::array<uint16_t, 256> classes = {};
  const auto add = [&classes](const char* characters, uint16_t bits) {
    for (const char* c = characters; *c != '\0'; ++c) classes[static_cast<unsigned char>(*c)] |= bits;
  };
  constexpr const char* kAlphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  add(kAlphanumeric, kTokenCharacter | kHostCharacter | kUriCharacter | kUnreservedCharacter);
  add("-.!%*_+`'~", kTokenCharacter);
  // Underscores are in no domain name and in many a peer's host part.
  add("-._", kHostCharacter);
  add("-_.!~*'()", kUnreservedCharacter);
  add("-_.!~*'()%;/?:@&=+$,[]#", kUriCharacter);
  add("0123456789", kDigitCharacter);
  add("0123456789abcdefABCDEF", kHexCharacter);
  add(" \t\r\n", kSpaceCharacter);
  // UTF-8 in user parts is not legal, and sent all the same.
  for (size_t c = 128; c < 256; ++c) classes[c] |= kUriCharacter;
  for (uint16_t& bits : classes) {
    if ((bits & kUriCharacter) != 0) bits |= kPlainUriCharacter;
  }
  for (const char c : {'@', ';', '?', '%'}) classes[static_cast<unsigned char>(c)] &= ~kPlainUriCharacter;
  // Beside tokens, values may be hosts with ports and brackets, and peers leave more unquoted than they may.
  for (size_t c = ' ' + 1; c < 256; ++c) classes[c] |= kValueCharacter;
  for (const char c : {';', ',', '"', '<', '>', '\x7f'}) classes[static_cast<unsigned char>(c)] &= ~kValueCharacter;
  return classes;
}

bool Contains(absl::string_view text, char c) {
  return !text.empty() && std::memchr(text.data(), c, text.size()) != nullptr;
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return Lower(c) - 'a' + 10;
}

bool IsEscape(absl::string_view text, size_t i) {
  return text[i] == '%' && i + 2 < text.size() && Is(text[i + 1], kHexCharacter) && Is(text[i + 2], kHexCharacter);
}

}  // namespace

constinit const std::array<uint16_t, 256> kCharacterClass = MakeClasses();

bool IsAll(absl::string_view text, uint16_t classes) {
  for (const char c : text) {
    if (!Is(c, classes)) return false;
  }
  return !text.empty();
}

bool HasBareNul(absl::string_view text) {
  if (!Contains(text, '\0')) return false;
  for (size_t i = text.find('\0'); i != absl::string_view::npos; i = text.find('\0', i + 1)) {
    if (i == 0 || text[i - 1] != '\\') return true;
  }
  return false;
}

std::optional<uint64_t> ParseNumber(absl::string_view text, uint64_t max) {
  if (text.empty()) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    if (!Is(c, kDigitCharacter)) return std::nullopt;
    const uint64_t digit = static_cast<uint64_t>(c - '0');
    if (value > (max - digit) / 10 || digit > max) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

size_t QuotedLength(absl::string_view text) {
  if (text.empty() || text[0] != '"') return 0;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return 0;
}

std::string Unquote(absl::string_view text) {
  if (text.empty() || QuotedLength(text) != text.size()) return std::string(text);
  std::string out;
  out.reserve(text.size());
  for (size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '\\' && i + 2 < text.size()) ++i;
    out.push_back(text[i]);
  }
  return out;
}

std::string Quote(absl::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    // A line end cannot be quoted (RFC 3261 25.1) and would end the field.
    if (c == '\r' || c == '\n') continue;
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
  return out;
}

std::string Unescape(absl::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsEscape(text, i)) {
      out.push_back(static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::string Escape(absl::string_view text, absl::string_view also_plain) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (Is(c, kUnreservedCharacter) || also_plain.find(c) != absl::string_view::npos) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
      out.push_back(kHex[static_cast<unsigned char>(c) & 15]);
    }
  }
  return out;
}

std::optional<absl::string_view> NextElement(absl::string_view& list) {
  // Most lists have one element.
  if (!Contains(list, ',')) {
    const absl::string_view element = Trim(std::exchange(list, {}));
    return element.empty() ? std::nullopt : std::optional(element);
  }
  while (!list.empty()) {
    size_t end = 0;
    bool in_brackets = false;
    while (end < list.size()) {
      const char c = list[end];
      if (c == '"' && !in_brackets) {
        const size_t quoted = QuotedLength(list.substr(end));
        end += quoted == 0 ? 1 : quoted;
        continue;
      }
      if (c == '<') in_brackets = true;
      if (c == '>') in_brackets = false;
      if (c == ',' && !in_brackets) break;
      ++end;
    }
    const absl::string_view element = Trim(list.substr(0, end));
    list.remove_prefix(end < list.size() ? end + 1 : end);
    if (!element.empty()) return element;
  }
  return std::nullopt;
}

std::vector<absl::string_view> SplitList(absl::string_view list) {
  std::vector<absl::string_view> elements;
  while (const std::optional<absl::string_view> element = NextElement(list)) elements.push_back(*element);
  return elements;
}

std::optional<HostPort> ParseHostPort(absl::string_view text) {
  HostPort result;
  size_t end = 0;
  if (!text.empty() && text[0] == '[') {
    while (end < text.size() && text[end] != ']') {
      if (end > 0 && !Is(text[end], kHexCharacter) && text[end] != ':' && text[end] != '.') return std::nullopt;
      ++end;
    }
    if (end >= text.size() || end < 3) return std::nullopt;
    ++end;
  } else {
    while (end < text.size() && Is(text[end], kHostCharacter)) ++end;
    if (end == 0) return std::nullopt;
  }
  result.host = text.substr(0, end);
  absl::string_view rest = Trim(text.substr(end));
  if (rest.empty()) return result;
  if (rest[0] != ':') return std::nullopt;
  const std::optional<uint64_t> port = ParseNumber(Trim(rest.substr(1)), 65535);
  if (!port) return std::nullopt;
  result.port = static_cast<uint16_t>(*port);
  return result;
}

}  // namespace sluice::sip
