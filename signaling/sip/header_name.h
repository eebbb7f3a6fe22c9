// The header fields that the core and its users know, their names and compact forms (RFC 3261 7.3.3, 20).
#ifndef SLUICE_SIGNALING_SIP_HEADER_NAME_H_
#define SLUICE_SIGNALING_SIP_HEADER_NAME_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace sluice::sip {

enum class Header : uint8_t {
  // Any name that is not below.
  kOther,
  kAccept,
  kAcceptEncoding,
  kAcceptLanguage,
  kAlertInfo,
  kAllow,
  kAllowEvents,
  kAuthenticationInfo,
  kAuthorization,
  kCallId,
  kCallInfo,
  kContact,
  kContentDisposition,
  kContentEncoding,
  kContentLanguage,
  kContentLength,
  kContentType,
  kCSeq,
  kDate,
  kDiversion,
  kErrorInfo,
  kEvent,
  kExpires,
  kFrom,
  kHistoryInfo,
  kIdentity,
  kInReplyTo,
  kMaxBreadth,
  kMaxForwards,
  kMimeVersion,
  kMinExpires,
  kMinSe,
  kOrganization,
  kPAssertedIdentity,
  kPPreferredIdentity,
  kPath,
  kPriority,
  kPrivacy,
  kProxyAuthenticate,
  kProxyAuthorization,
  kProxyRequire,
  kRAck,
  kReason,
  kRecordRoute,
  kReferTo,
  kReferredBy,
  kRemotePartyId,
  kReplaces,
  kReplyTo,
  kRequire,
  kRetryAfter,
  kRoute,
  kRSeq,
  kServer,
  kServiceRoute,
  kSessionExpires,
  kSessionId,
  kSubject,
  kSubscriptionState,
  kSupported,
  kTimestamp,
  kTo,
  kUnsupported,
  kUserAgent,
  kVia,
  kWarning,
  kWwwAuthenticate,
  kCount,
};

// "Call-ID"; empty for kOther.
absl::string_view HeaderName(Header header);

// In any case, long or compact form ("Call-ID", "i").
Header ParseHeaderName(absl::string_view name);

// Its value is a list: commas separate elements, and several fields of the name are one list (RFC 3261 7.3.1). Not for
// the authentication fields, where a comma separates parameters.
bool IsList(Header header);

// May stand only once in a message.
bool IsSingle(Header header);

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_HEADER_NAME_H_
