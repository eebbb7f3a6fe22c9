#include "signaling/call/leg_credentials.h"

namespace sluice::call {

bool LegCredentials::Accept(const sip::Message& challenge, bool first) {
  if (first) client_ = fresh_;
  return client_.Accept(challenge);
}

void LegCredentials::Authorize(sip::Message& request, absl::string_view cnonce) {
  request.Remove(sip::Header::kAuthorization);
  request.Remove(sip::Header::kProxyAuthorization);
  client_.Authorize(request, cnonce);
  if (request.method() != sip::Method::kInvite) return;
  header_ = request.Has(sip::Header::kAuthorization) ? sip::Header::kAuthorization : sip::Header::kProxyAuthorization;
  of_invite_ = std::string(request.Get(header_));
}

void LegCredentials::AuthorizeAck(sip::Message& ack) const {
  if (!of_invite_.empty()) ack.Add(header_, of_invite_);
}

}  // namespace sluice::call
