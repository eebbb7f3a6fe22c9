#include "signaling/call/header_passing.h"

#include "absl/strings/ascii.h"
#include "signaling/call/callee_failure.h"
#include "signaling/call/privacy.h"
#include "signaling/sip/name_address.h"
#include "signaling/sip/uri.h"

namespace sluice::call {
namespace {

bool BelongsToTheLeg(sip::Header header) {
  switch (header) {
    case sip::Header::kAllow:
    case sip::Header::kAuthenticationInfo:
    case sip::Header::kAuthorization:
    case sip::Header::kCallId:
    case sip::Header::kContact:
    // Of the body: they go with it.
    case sip::Header::kContentDisposition:
    case sip::Header::kContentEncoding:
    case sip::Header::kContentLanguage:
    case sip::Header::kContentLength:
    case sip::Header::kContentType:
    case sip::Header::kMimeVersion:
    case sip::Header::kCSeq:
    case sip::Header::kFrom:
    case sip::Header::kMaxBreadth:
    case sip::Header::kMaxForwards:
    case sip::Header::kMinSe:
    // Told only to those who are trusted with it.
    case sip::Header::kPAssertedIdentity:
    case sip::Header::kPPreferredIdentity:
    case sip::Header::kRemotePartyId:
    case sip::Header::kPath:
    case sip::Header::kProxyAuthenticate:
    case sip::Header::kProxyAuthorization:
    case sip::Header::kProxyRequire:
    case sip::Header::kRAck:
    case sip::Header::kRecordRoute:
    // Names a dialog by identifiers that the other leg does not have.
    case sip::Header::kReplaces:
    case sip::Header::kRequire:
    case sip::Header::kRoute:
    case sip::Header::kRSeq:
    case sip::Header::kServiceRoute:
    case sip::Header::kSessionExpires:
    // Names both ends, each leg's own one first.
    case sip::Header::kSessionId:
    case sip::Header::kSupported:
    case sip::Header::kTimestamp:
    case sip::Header::kTo:
    case sip::Header::kUnsupported:
    case sip::Header::kVia:
    case sip::Header::kWwwAuthenticate:
      return true;
    default:
      return false;
  }
}

bool GoesWithTheBody(sip::Header header) {
  return header == sip::Header::kContentDisposition || header == sip::Header::kContentEncoding ||
         header == sip::Header::kContentLanguage || header == sip::Header::kMimeVersion;
}

}  // namespace

void PassHeaders(const sip::Message& from, const absl::flat_hash_set<std::string>& blocked, sip::Message& to) {
  for (size_t i = 0; i < from.field_count(); ++i) {
    const sip::Message::Field field = from.field(i);
    if (BelongsToTheLeg(field.header)) continue;
    if (!blocked.empty() && blocked.contains(absl::AsciiStrToLower(field.name))) continue;
    to.Add(field.name, field.value);
  }
}

void PassBody(const sip::Message& from, sip::Message& to) {
  if (from.body().empty()) return;
  for (size_t i = 0; i < from.field_count(); ++i) {
    const sip::Message::Field field = from.field(i);
    if (GoesWithTheBody(field.header)) to.Add(field.name, field.value);
  }
  to.SetBody(from.Get(sip::Header::kContentType), from.body());
}

sip::Message PassedResponse(const sip::Message& request, const sip::Message& response, absl::string_view to_tag,
                            const absl::flat_hash_set<std::string>& blocked) {
  // 408 does not help (RFC 4320): the request's sender has waited as long itself.
  const uint16_t status = response.status() == 408 ? 504 : PassedStatus(response.status());
  sip::Message passed = sip::Message::ResponseTo(request, status, to_tag,
                                                 status == response.status() ? response.reason() : absl::string_view());
  PassHeaders(response, blocked, passed);
  PassBody(response, passed);
  return passed;
}

std::string OwnAddress(absl::string_view address, absl::string_view domain, absl::string_view display_name) {
  sip::NameAddress own;
  const std::optional<sip::NameAddress> theirs = sip::NameAddress::Parse(address);
  if (theirs) {
    const bool anonymous = IsAnonymous(theirs->uri);
    own.display_name = theirs->display_name.empty() && !anonymous ? std::string(display_name) : theirs->display_name;
    const bool keep = domain.empty() || anonymous;
    own.uri = sip::Uri::Sip(theirs->uri.DecodedUser(), keep ? theirs->uri.host() : domain);
  }
  return own.ToString();
}

std::optional<uint32_t> PassedMaxForwards(const sip::Message& request) {
  const uint32_t value = request.MaxForwards().value_or(kInitialMaxForwards + 1);
  if (value == 0) return std::nullopt;
  return value - 1;
}

}  // namespace sluice::call
