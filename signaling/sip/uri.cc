#include "signaling/sip/uri.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "signaling/sip/text.h"

namespace sluice::sip {
namespace {

// Plain in a user part beside the unreserved characters (RFC 3261 25.1, user-unreserved).
constexpr absl::string_view kUserPlain = "&=+$,;?/";

// The place of the first character from `i` on that is not plain; the end if all are.
size_t SkipPlain(absl::string_view text, size_t i) {
  while (i < text.size() && Is(text[i], kPlainUriCharacter)) ++i;
  return i;
}

// The character may be in a URI; if it begins an escape, that is whole.
bool MayBe(absl::string_view text, size_t i) {
  if (text[i] != '%') return Is(text[i], kUriCharacter);
  return i + 2 < text.size() && Is(text[i + 1], kHexCharacter) && Is(text[i + 2], kHexCharacter);
}

bool IsClean(absl::string_view text) {
  for (size_t i = SkipPlain(text, 0); i < text.size(); i = SkipPlain(text, i + 1)) {
    if (!MayBe(text, i)) return false;
  }
  return true;
}

Scheme SchemeOf(absl::string_view name) {
  if (absl::EqualsIgnoreCase(name, "sip")) return Scheme::kSip;
  if (absl::EqualsIgnoreCase(name, "sips")) return Scheme::kSips;
  if (absl::EqualsIgnoreCase(name, "tel")) return Scheme::kTel;
  return Scheme::kOther;
}

bool IsSchemeName(absl::string_view text) {
  if (text.empty() || Is(text[0], kDigitCharacter)) return false;
  for (const char c : text) {
    if (!Is(c, kHostCharacter) && c != '+') return false;
  }
  return true;
}

// The next ";name=value" of URI parameters.
bool NextUriParameter(absl::string_view& rest, absl::string_view& name, absl::string_view& value) {
  while (!rest.empty() && rest.front() == ';') rest.remove_prefix(1);
  if (rest.empty()) return false;
  const absl::string_view parameter = rest.substr(0, rest.find(';'));
  rest.remove_prefix(parameter.size());
  const size_t equal = parameter.find('=');
  name = parameter.substr(0, equal);
  value = equal == absl::string_view::npos ? absl::string_view() : parameter.substr(equal + 1);
  return true;
}

std::optional<absl::string_view> FindUriParameter(absl::string_view parameters, absl::string_view wanted) {
  absl::string_view name, value;
  while (NextUriParameter(parameters, name, value)) {
    if (absl::EqualsIgnoreCase(name, wanted)) return value;
  }
  return std::nullopt;
}

// Escapes of characters that need none are taken away, so that what is equivalent is equal (RFC 3261 19.1.4).
std::string Normal(absl::string_view text) { return Escape(Unescape(text), ""); }

bool EquivalentUser(absl::string_view a, absl::string_view b) {
  constexpr absl::string_view kReserved = ";/?:@&=+$,";
  size_t i = 0, j = 0;
  const auto next = [kReserved](absl::string_view text, size_t& at) {
    if (text[at] != '%') return static_cast<int>(static_cast<unsigned char>(text[at++]));
    const std::string plain = Unescape(text.substr(at, 3));
    at += 3;
    const int c = static_cast<unsigned char>(plain[0]);
    // An escaped reserved character is not the character itself.
    return kReserved.find(plain[0]) == absl::string_view::npos ? c : c + 256;
  };
  while (i < a.size() && j < b.size()) {
    if (next(a, i) != next(b, j)) return false;
  }
  return i == a.size() && j == b.size();
}

// These decide where a request goes or what it is, so one URI that has them is not one that has not.
bool IsDecisive(absl::string_view name) {
  return absl::EqualsIgnoreCase(name, "user") || absl::EqualsIgnoreCase(name, "ttl") ||
         absl::EqualsIgnoreCase(name, "method") || absl::EqualsIgnoreCase(name, "maddr") ||
         absl::EqualsIgnoreCase(name, "transport");
}

bool CompatibleParameters(absl::string_view a, absl::string_view b) {
  // Also if one name stands there twice.
  if (a == b) return true;
  absl::string_view rest = a, name, value;
  while (NextUriParameter(rest, name, value)) {
    const std::optional<absl::string_view> other = FindUriParameter(b, name);
    if (!other && IsDecisive(name)) return false;
    if (other && !absl::EqualsIgnoreCase(Normal(*other), Normal(value))) return false;
  }
  rest = b;
  while (NextUriParameter(rest, name, value)) {
    if (IsDecisive(name) && !FindUriParameter(a, name)) return false;
  }
  return true;
}

bool SameHeaders(absl::string_view a, absl::string_view b) {
  if (a == b) return true;
  std::vector<absl::string_view> left = absl::StrSplit(a, '&', absl::SkipEmpty());
  std::vector<absl::string_view> right = absl::StrSplit(b, '&', absl::SkipEmpty());
  if (left.size() != right.size()) return false;
  for (const absl::string_view header : left) {
    bool found = false;
    for (size_t i = 0; i < right.size() && !found; ++i) {
      if (absl::EqualsIgnoreCase(Normal(header), Normal(right[i]))) {
        right.erase(right.begin() + static_cast<std::ptrdiff_t>(i));
        found = true;
      }
    }
    if (!found) return false;
  }
  return true;
}

// A number without visual separators (RFC 3966 3).
std::string PlainNumber(absl::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != '-' && c != '.' && c != '(' && c != ')') out.push_back(c);
  }
  return out;
}

}  // namespace

std::optional<UriParts> ParseUriParts(absl::string_view text) {
  UriParts parts;
  const size_t colon = text.find(':');
  if (colon == absl::string_view::npos) return std::nullopt;
  parts.scheme_name = text.substr(0, colon);
  absl::string_view rest = text.substr(colon + 1);
  parts.scheme = SchemeOf(parts.scheme_name);
  if (parts.scheme == Scheme::kOther) {
    if (!IsSchemeName(parts.scheme_name) || rest.empty() || !IsClean(rest)) return std::nullopt;
    parts.user = rest;
    return parts;
  }
  if (parts.scheme == Scheme::kTel) {
    if (!IsClean(rest)) return std::nullopt;
    const size_t semicolon = rest.find(';');
    parts.user = rest.substr(0, semicolon);
    if (semicolon != absl::string_view::npos) parts.parameters = rest.substr(semicolon);
    if (parts.user.empty()) return std::nullopt;
    return parts;
  }

  // Neither host, nor parameters, nor headers may hold an '@', so the first one ends the user part, whatever is in it.
  size_t host_begin = 0, host_end = rest.size(), parameters_end = rest.size();
  for (size_t i = SkipPlain(rest, 0); i < rest.size(); i = SkipPlain(rest, i + 1)) {
    if (!MayBe(rest, i)) return std::nullopt;
    if (rest[i] == '@') {
      if (host_begin != 0 || i == 0) return std::nullopt;
      host_begin = i + 1;
      host_end = parameters_end = rest.size();
    } else if (rest[i] == '?' && parameters_end == rest.size()) {
      parameters_end = i;
      host_end = std::min(host_end, i);
    } else if (rest[i] == ';' && host_end == rest.size()) {
      host_end = i;
    }
  }
  if (host_begin != 0) {
    const absl::string_view user = rest.substr(0, host_begin - 1);
    const size_t password = user.find(':');
    parts.user = user.substr(0, password);
    if (password != absl::string_view::npos) parts.password = user.substr(password + 1);
    if (parts.user.empty()) return std::nullopt;
  }
  if (parameters_end < rest.size()) {
    parts.headers = rest.substr(parameters_end + 1);
    if (parts.headers.empty()) return std::nullopt;
  }
  if (host_end < parameters_end) parts.parameters = rest.substr(host_end, parameters_end - host_end);
  const std::optional<HostPort> host = ParseHostPort(rest.substr(host_begin, host_end - host_begin));
  if (!host) return std::nullopt;
  parts.host = host->host;
  parts.port = host->port;
  return parts;
}

std::optional<Uri> Uri::Parse(absl::string_view text) {
  const std::optional<UriParts> parts = ParseUriParts(text);
  if (!parts) return std::nullopt;
  Uri uri;
  uri.text_ = std::string(text);
  uri.scheme_ = parts->scheme;
  return uri;
}

Uri Uri::Sip(absl::string_view user, absl::string_view host, uint16_t port) {
  Uri uri;
  uri.text_ = "sip:";
  if (!user.empty()) absl::StrAppend(&uri.text_, Escape(user, kUserPlain), "@");
  const bool bare_v6 = host.find(':') != absl::string_view::npos && host.front() != '[';
  absl::StrAppend(&uri.text_, bare_v6 ? "[" : "", host, bare_v6 ? "]" : "");
  if (port != 0) absl::StrAppend(&uri.text_, ":", port);
  uri.scheme_ = Scheme::kSip;
  return uri;
}

Uri Uri::SipAt(absl::string_view user, absl::string_view host_port) {
  Uri uri;
  uri.text_ =
      user.empty() ? absl::StrCat("sip:", host_port) : absl::StrCat("sip:", Escape(user, kUserPlain), "@", host_port);
  uri.scheme_ = Scheme::kSip;
  return uri;
}

std::string Uri::DecodedUser() const {
  const std::string user = Unescape(Parts().user);
  return scheme_ == Scheme::kTel ? PlainNumber(user) : user;
}

std::optional<absl::string_view> Uri::Parameter(absl::string_view name) const {
  return FindUriParameter(Parts().parameters, name);
}

std::optional<Protocol> Uri::Transport() const {
  const std::optional<absl::string_view> name = Parameter("transport");
  if (!name) return scheme_ == Scheme::kSips ? std::optional<Protocol>(Protocol::kTls) : std::nullopt;
  const std::optional<Protocol> protocol = ParseProtocol(*name);
  if (scheme_ == Scheme::kSips && protocol == Protocol::kTcp) return Protocol::kTls;
  if (scheme_ == Scheme::kSips && protocol == Protocol::kWs) return Protocol::kWss;
  return protocol;
}

std::optional<std::string> Uri::HeaderField(absl::string_view name) const {
  for (const absl::string_view field : absl::StrSplit(Parts().headers, '&')) {
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(field, absl::MaxSplits('=', 1));
    if (absl::EqualsIgnoreCase(Unescape(parts.first), name)) return Unescape(parts.second);
  }
  return std::nullopt;
}

std::optional<Endpoint> Uri::Address(uint16_t default_port) const {
  const UriParts parts = Parts();
  return Endpoint::Make(parts.host, parts.port == 0 ? default_port : parts.port);
}

void Uri::SetParameter(absl::string_view name, absl::string_view value) {
  UriParts parts = Parts();
  const std::string text = value.empty() ? absl::StrCat(";", name) : absl::StrCat(";", name, "=", value);
  std::string parameters;
  bool replaced = false;
  absl::string_view rest = parts.parameters, old_name, old_value;
  while (NextUriParameter(rest, old_name, old_value)) {
    if (!absl::EqualsIgnoreCase(old_name, name)) {
      absl::StrAppend(&parameters, ";", old_name, old_value.empty() ? "" : "=", old_value);
    } else if (!replaced) {
      parameters += text;
      replaced = true;
    }
  }
  if (!replaced) parameters += text;
  parts.parameters = parameters;
  Rebuild(parts);
}

void Uri::RemoveParameter(absl::string_view name) {
  UriParts parts = Parts();
  if (!FindUriParameter(parts.parameters, name)) return;
  std::string parameters;
  absl::string_view rest = parts.parameters, old_name, old_value;
  while (NextUriParameter(rest, old_name, old_value)) {
    if (!absl::EqualsIgnoreCase(old_name, name))
      absl::StrAppend(&parameters, ";", old_name, old_value.empty() ? "" : "=", old_value);
  }
  parts.parameters = parameters;
  Rebuild(parts);
}

void Uri::RemoveHeaders() {
  UriParts parts = Parts();
  parts.headers = {};
  Rebuild(parts);
}

void Uri::SetUser(absl::string_view user) {
  UriParts parts = Parts();
  const std::string escaped = Escape(user, kUserPlain);
  parts.user = escaped;
  Rebuild(parts);
}

void Uri::SetHostPort(absl::string_view host, uint16_t port) {
  UriParts parts = Parts();
  const std::string text = host.find(':') != absl::string_view::npos && host.front() != '['
                               ? absl::StrCat("[", host, "]")
                               : std::string(host);
  parts.host = text;
  parts.port = port;
  Rebuild(parts);
}

void Uri::Rebuild(const UriParts& parts) {
  std::string text = absl::StrCat(parts.scheme_name, ":", parts.user);
  if (!parts.password.empty()) absl::StrAppend(&text, ":", parts.password);
  if (!parts.host.empty()) absl::StrAppend(&text, parts.user.empty() ? "" : "@", parts.host);
  if (parts.port != 0) absl::StrAppend(&text, ":", parts.port);
  absl::StrAppend(&text, parts.parameters);
  if (!parts.headers.empty()) absl::StrAppend(&text, "?", parts.headers);
  text_ = std::move(text);
}

bool Uri::Equivalent(const UriParts& a, const UriParts& b) {
  if (a.scheme != b.scheme) return false;
  if (a.scheme == Scheme::kOther) return absl::EqualsIgnoreCase(a.scheme_name, b.scheme_name) && a.user == b.user;
  if (a.scheme == Scheme::kTel) {
    return absl::EqualsIgnoreCase(PlainNumber(a.user), PlainNumber(b.user)) &&
           CompatibleParameters(a.parameters, b.parameters);
  }
  return EquivalentUser(a.user, b.user) && EquivalentUser(a.password, b.password) &&
         absl::EqualsIgnoreCase(a.host, b.host) && a.port == b.port &&
         CompatibleParameters(a.parameters, b.parameters) && SameHeaders(a.headers, b.headers);
}

}  // namespace sluice::sip
