// "Alice" <sip:alice@example.com>;tag=x : the value of From, To, Contact, Route, Record-Route, Refer-To and their kin
// (RFC 3261 20.10, 25.1).
#ifndef SLUICE_SIGNALING_SIP_NAME_ADDRESS_H_
#define SLUICE_SIGNALING_SIP_NAME_ADDRESS_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "signaling/sip/parameters.h"
#include "signaling/sip/uri.h"

namespace sluice::sip {

// The parts of a value as views into it; nothing is unquoted. Allocates nothing.
struct NameAddressParts {
  absl::string_view display_name;
  absl::string_view uri;
  // Behind the address: empty or from its ';' on.
  absl::string_view parameters;
};

// Nothing for an unquoted display name with characters that need quotes, a quote or bracket without its end, a URI that
// is none, or damaged parameters. Without angle brackets, all behind the first ';' belongs to the field, and a '?' or
// ',' in the URI is an error (RFC 3261 20).
std::optional<NameAddressParts> ParseNameAddressParts(absl::string_view value);

// The tag of a From or To value, which is not looked at otherwise: of a message it has been. Empty: none.
absl::string_view TagOf(absl::string_view value);

struct NameAddress {
  // Without quotes and backslashes; any UTF-8.
  std::string display_name;
  Uri uri;
  Parameters parameters;

  static std::optional<NameAddress> Parse(absl::string_view value);

  absl::string_view tag() const { return parameters.Get("tag").value_or(absl::string_view()); }

  // Always with angle brackets; the display name in quotes.
  std::string ToString() const;
};

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_NAME_ADDRESS_H_
