#include "signaling/sip/parameters.h"

#include <cstddef>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "signaling/sip/text.h"

namespace sluice::sip {
namespace {

void SkipSpace(absl::string_view& text) {
  while (!text.empty() && Is(text.front(), kSpaceCharacter)) text.remove_prefix(1);
}

// Where `name` begins (its ';') and ends in `text`.
struct Span {
  size_t begin = 0;
  size_t end = 0;
};
std::optional<Span> FindSpan(absl::string_view text, absl::string_view name) {
  absl::string_view rest = text;
  Parameter parameter;
  size_t begin = 0;
  while (NextParameter(rest, parameter)) {
    const size_t end = text.size() - rest.size();
    if (absl::EqualsIgnoreCase(parameter.name, name)) return Span{begin, end};
    begin = end;
  }
  return std::nullopt;
}

}  // namespace

bool NextParameter(absl::string_view& rest, Parameter& parameter) {
  absl::string_view text = rest;
  SkipSpace(text);
  if (text.empty()) {
    rest = text;
    return false;
  }
  if (text.front() != ';') return false;
  text.remove_prefix(1);
  SkipSpace(text);
  size_t length = 0;
  while (length < text.size() && Is(text[length], kTokenCharacter)) ++length;
  if (length == 0) return false;
  parameter.name = text.substr(0, length);
  parameter.value = {};
  parameter.has_value = false;
  text.remove_prefix(length);
  absl::string_view behind = text;
  SkipSpace(behind);
  if (!behind.empty() && behind.front() == '=') {
    text = behind.substr(1);
    SkipSpace(text);
    length = QuotedLength(text);
    if (length == 0) {
      while (length < text.size() && Is(text[length], kValueCharacter)) ++length;
    }
    if (length == 0) return false;
    parameter.value = text.substr(0, length);
    parameter.has_value = true;
    text.remove_prefix(length);
  }
  // What follows must be the next parameter or the end.
  behind = text;
  SkipSpace(behind);
  if (!behind.empty() && behind.front() != ';') return false;
  rest = behind;
  return true;
}

std::optional<absl::string_view> FindParameter(absl::string_view text, absl::string_view name) {
  Parameter parameter;
  while (NextParameter(text, parameter)) {
    if (absl::EqualsIgnoreCase(parameter.name, name)) return parameter.value;
  }
  return std::nullopt;
}

std::optional<Parameters> Parameters::Parse(absl::string_view text) {
  absl::string_view rest = text;
  Parameter parameter;
  while (NextParameter(rest, parameter)) {
  }
  if (!rest.empty()) return std::nullopt;
  Parameters parameters;
  parameters.text_ = std::string(Trim(text));
  return parameters;
}

std::optional<absl::string_view> Parameters::Get(absl::string_view name) const { return FindParameter(text_, name); }

std::string Parameters::GetText(absl::string_view name) const {
  const std::optional<absl::string_view> value = Get(name);
  return value ? Unquote(*value) : std::string();
}

void Parameters::Set(absl::string_view name, absl::string_view value) {
  const std::string text = value.empty() ? absl::StrCat(";", name) : absl::StrCat(";", name, "=", value);
  if (const std::optional<Span> span = FindSpan(text_, name)) {
    text_.replace(span->begin, span->end - span->begin, text);
  } else {
    text_ += text;
  }
}

void Parameters::Remove(absl::string_view name) {
  while (const std::optional<Span> span = FindSpan(text_, name)) text_.erase(span->begin, span->end - span->begin);
}

}  // namespace sluice::sip
