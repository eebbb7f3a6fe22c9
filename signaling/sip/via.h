// SIP/2.0/UDP host:port;branch=z9hG4bK… : one element of Via (RFC 3261 20.42, RFC 3581).
#ifndef SLUICE_SIGNALING_SIP_VIA_H_
#define SLUICE_SIGNALING_SIP_VIA_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "signaling/sip/hop.h"
#include "signaling/sip/parameters.h"

namespace sluice::sip {

// Begins every branch that RFC 3261 made (8.1.1.7).
inline constexpr absl::string_view kMagicCookie = "z9hG4bK";

// The parts as views into the element. Allocates nothing.
struct ViaParts {
  // "UDP", "TLS", "TLS-SCTP", …
  absl::string_view transport;
  absl::string_view host;
  // 0: none given.
  uint16_t port = 0;
  // Empty or from the first ';' on.
  absl::string_view parameters;

  // Empty: none.
  absl::string_view branch() const { return FindParameter(parameters, "branch").value_or(absl::string_view()); }
};

// Nothing if `element` is none, or not of version 2.0.
std::optional<ViaParts> ParseViaParts(absl::string_view element);

// True if `branch` is unique by itself: the cookie with something behind it. Peers that write the cookie alone, in
// lower case or not at all are matched by RFC 3261 17.2.3's rules for RFC 2543.
bool IsUniqueBranch(absl::string_view branch);

struct Via {
  std::string transport = "UDP";
  std::string host;
  uint16_t port = 0;
  Parameters parameters;

  static std::optional<Via> Parse(absl::string_view element);

  absl::string_view branch() const { return parameters.Get("branch").value_or(absl::string_view()); }

  // Says where the request came from: received, and rport if the sender asks for it or `force_rport`
  // (RFC 3261 18.2.1, RFC 3581 4).
  void SetSource(const Endpoint& source, bool force_rport);

  std::string ToString() const;
};

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_VIA_H_
