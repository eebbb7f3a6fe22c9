#include "signaling/sip/via.h"

#include <cstddef>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "signaling/sip/text.h"

namespace sluice::sip {
namespace {

// The token that `rest` begins with, up to `end` ('\0': up to white space); spaces around it are taken too.
std::optional<absl::string_view> TakeToken(absl::string_view& rest, char end) {
  rest = Trim(rest);
  size_t length = 0;
  while (length < rest.size() && Is(rest[length], kTokenCharacter)) ++length;
  if (length == 0) return std::nullopt;
  const absl::string_view token = rest.substr(0, length);
  rest.remove_prefix(length);
  if (end == '\0') {
    if (rest.empty() || !Is(rest.front(), kSpaceCharacter)) return std::nullopt;
    rest = Trim(rest);
    return token;
  }
  rest = Trim(rest);
  if (rest.empty() || rest.front() != end) return std::nullopt;
  rest.remove_prefix(1);
  return token;
}

}  // namespace

std::optional<ViaParts> ParseViaParts(absl::string_view element) {
  ViaParts parts;
  absl::string_view rest = element;
  const std::optional<absl::string_view> protocol = TakeToken(rest, '/');
  if (!protocol || !absl::EqualsIgnoreCase(*protocol, "SIP")) return std::nullopt;
  const std::optional<absl::string_view> version = TakeToken(rest, '/');
  if (!version || *version != "2.0") return std::nullopt;
  const std::optional<absl::string_view> transport = TakeToken(rest, '\0');
  if (!transport) return std::nullopt;
  parts.transport = *transport;
  const size_t semicolon = rest.find(';');
  const std::optional<HostPort> sent_by = ParseHostPort(Trim(rest.substr(0, semicolon)));
  if (!sent_by) return std::nullopt;
  parts.host = sent_by->host;
  parts.port = sent_by->port;
  if (semicolon != absl::string_view::npos) parts.parameters = Trim(rest.substr(semicolon));
  absl::string_view parameters = parts.parameters;
  Parameter parameter;
  while (NextParameter(parameters, parameter)) {
  }
  if (!parameters.empty()) return std::nullopt;
  return parts;
}

bool IsUniqueBranch(absl::string_view branch) {
  return branch.size() > kMagicCookie.size() && absl::StartsWith(branch, kMagicCookie);
}

std::optional<Via> Via::Parse(absl::string_view element) {
  const std::optional<ViaParts> parts = ParseViaParts(element);
  if (!parts) return std::nullopt;
  Via via;
  via.transport = std::string(parts->transport);
  via.host = std::string(parts->host);
  via.port = parts->port;
  via.parameters = *Parameters::Parse(parts->parameters);
  return via;
}

void Via::SetSource(const Endpoint& source, bool force_rport) {
  const bool rport = force_rport || parameters.Has("rport");
  const std::optional<Endpoint> sent_by = Endpoint::Make(host, source.port);
  // The sender's own received is not to be believed.
  parameters.Remove("received");
  if (rport || !sent_by || !sent_by->SameAddress(source)) parameters.Set("received", source.Address());
  if (rport) parameters.Set("rport", absl::StrCat(source.port));
}

std::string Via::ToString() const {
  std::string text = absl::StrCat("SIP/2.0/", transport, " ", host);
  if (port != 0) absl::StrAppend(&text, ":", port);
  return absl::StrCat(text, parameters.text());
}

}  // namespace sluice::sip
