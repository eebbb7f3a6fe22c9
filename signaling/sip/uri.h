// A SIP, SIPS or tel URI (RFC 3261 19.1, RFC 3966), kept as written; other schemes are carried without being read.
//
// The text is checked and cut once; parts are views into it and stay valid until the next change. Escapes are left
// alone in the views; DecodedUser takes them away.
#ifndef SLUICE_SIGNALING_SIP_URI_H_
#define SLUICE_SIGNALING_SIP_URI_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "signaling/sip/hop.h"

namespace sluice::sip {

enum class Scheme : uint8_t { kSip, kSips, kTel, kOther };

// The parts of a URI as views into its text.
struct UriParts {
  Scheme scheme = Scheme::kOther;
  absl::string_view scheme_name;
  // For tel: the number. For other schemes: all behind the colon.
  absl::string_view user;
  absl::string_view password;
  // IPv6 addresses with their brackets.
  absl::string_view host;
  // 0: none given.
  uint16_t port = 0;
  // Empty or from the first ';' on.
  absl::string_view parameters;
  // Empty or behind the '?'.
  absl::string_view headers;
};

// Nothing if `text` is no URI. Allocates nothing.
std::optional<UriParts> ParseUriParts(absl::string_view text);

class Uri {
 public:
  // "sip:" without user and host; to be assigned to.
  Uri() = default;

  static std::optional<Uri> Parse(absl::string_view text);
  // sip:user@host:port. `user` is escaped as it needs; empty: none. `host` may be an IPv6 address with or without
  // brackets. Port 0: none.
  static Uri Sip(absl::string_view user, absl::string_view host, uint16_t port = 0);
  // sip:user@host_port, where `host_port` is "198.18.1.1:5060" as Via shows it.
  static Uri SipAt(absl::string_view user, absl::string_view host_port);

  Scheme scheme() const { return scheme_; }
  bool is_sip() const { return scheme_ == Scheme::kSip || scheme_ == Scheme::kSips; }
  absl::string_view scheme_name() const { return Parts().scheme_name; }
  // As in UriParts.
  absl::string_view user() const { return Parts().user; }
  absl::string_view password() const { return Parts().password; }
  absl::string_view host() const { return Parts().host; }
  uint16_t port() const { return Parts().port; }
  absl::string_view parameters() const { return Parts().parameters; }
  absl::string_view headers() const { return Parts().headers; }
  // The user (or the number of a tel URI) without escapes and, for a number, without visual separators.
  std::string DecodedUser() const;

  // The value of the header field of this name (behind the '?') without escapes; nothing if it is not there.
  std::optional<std::string> HeaderField(absl::string_view name) const;

  bool HasParameter(absl::string_view name) const { return Parameter(name).has_value(); }
  // Empty for a flag; nothing if it is not there.
  std::optional<absl::string_view> Parameter(absl::string_view name) const;
  // The transport parameter, TLS for sips. Nothing: none given, or one that we do not know.
  std::optional<Protocol> Transport() const;
  // The host if it is an IP address, with `port` or else `default_port`. Nothing: it is a name.
  std::optional<Endpoint> Address(uint16_t default_port = 5060) const;

  // An empty value makes a flag.
  void SetParameter(absl::string_view name, absl::string_view value);
  void RemoveParameter(absl::string_view name);
  void RemoveHeaders();
  // Escapes what needs it.
  void SetUser(absl::string_view user);
  void SetHostPort(absl::string_view host, uint16_t port);

  const std::string& text() const { return text_; }

  // Equivalent by RFC 3261 19.1.4 (not transitive, by design of the RFC). tel: the same number, as RFC 3966 5 compares.
  friend bool operator==(const Uri& a, const Uri& b) { return Equivalent(a.Parts(), b.Parts()); }
  friend bool operator!=(const Uri& a, const Uri& b) { return !(a == b); }

 private:
  static bool Equivalent(const UriParts& a, const UriParts& b);
  UriParts Parts() const { return ParseUriParts(text_).value_or(UriParts()); }
  void Rebuild(const UriParts& parts);

  std::string text_;
  Scheme scheme_ = Scheme::kOther;
};

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_URI_H_
