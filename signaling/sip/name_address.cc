#include "signaling/sip/name_address.h"

#include <cstddef>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "signaling/sip/text.h"

namespace sluice::sip {
namespace {

// Words of token characters and spaces; bytes of UTF-8 pass although they should be quoted.
bool IsPlainDisplayName(absl::string_view text) {
  for (const char c : text) {
    if (!Is(c, kTokenCharacter | kSpaceCharacter) && static_cast<unsigned char>(c) < 128) return false;
  }
  return true;
}

bool AreParameters(absl::string_view text) {
  Parameter parameter;
  while (NextParameter(text, parameter)) {
  }
  return text.empty();
}

// The parts, not looked into. Nothing: a quote or bracket without its end, or in a wrong place.
std::optional<NameAddressParts> Split(absl::string_view value, bool& bracketed) {
  NameAddressParts parts;
  value = Trim(value);
  absl::string_view rest = value;
  bracketed = false;
  if (const size_t quoted = QuotedLength(rest)) {
    parts.display_name = rest.substr(0, quoted);
    rest = Trim(rest.substr(quoted));
    if (rest.empty() || rest.front() != '<') return std::nullopt;
    bracketed = true;
  } else {
    const size_t bracket = rest.find('<');
    if (bracket != absl::string_view::npos) {
      parts.display_name = Trim(rest.substr(0, bracket));
      rest.remove_prefix(bracket);
      bracketed = true;
    }
  }
  if (bracketed) {
    const size_t end = rest.find('>');
    if (end == absl::string_view::npos) return std::nullopt;
    parts.uri = Trim(rest.substr(1, end - 1));
    parts.parameters = Trim(rest.substr(end + 1));
  } else {
    const size_t semicolon = rest.find(';');
    parts.uri = Trim(rest.substr(0, semicolon));
    if (semicolon != absl::string_view::npos) parts.parameters = rest.substr(semicolon);
  }
  return parts;
}

// The parts, of which the URI and the parameters have still to be read.
std::optional<NameAddressParts> SplitChecked(absl::string_view value) {
  bool bracketed = false;
  const std::optional<NameAddressParts> parts = Split(value, bracketed);
  if (!parts) return std::nullopt;
  if (QuotedLength(parts->display_name) == 0 && !IsPlainDisplayName(parts->display_name)) return std::nullopt;
  if (!bracketed && (absl::StrContains(parts->uri, '?') || absl::StrContains(parts->uri, ','))) return std::nullopt;
  return parts;
}

}  // namespace

std::optional<NameAddressParts> ParseNameAddressParts(absl::string_view value) {
  const std::optional<NameAddressParts> parts = SplitChecked(value);
  if (!parts || !AreParameters(parts->parameters) || !ParseUriParts(parts->uri)) return std::nullopt;
  return parts;
}

absl::string_view TagOf(absl::string_view value) {
  bool bracketed = false;
  const std::optional<NameAddressParts> parts = Split(value, bracketed);
  if (!parts) return {};
  return FindParameter(parts->parameters, "tag").value_or(absl::string_view());
}

std::optional<NameAddress> NameAddress::Parse(absl::string_view value) {
  const std::optional<NameAddressParts> parts = SplitChecked(value);
  if (!parts) return std::nullopt;
  std::optional<Uri> uri = Uri::Parse(parts->uri);
  std::optional<Parameters> parameters = Parameters::Parse(parts->parameters);
  if (!uri || !parameters) return std::nullopt;
  return NameAddress{Unquote(parts->display_name), *std::move(uri), *std::move(parameters)};
}

std::string NameAddress::ToString() const {
  if (display_name.empty()) return absl::StrCat("<", uri.text(), ">", parameters.text());
  return absl::StrCat(Quote(display_name), " <", uri.text(), ">", parameters.text());
}

}  // namespace sluice::sip
