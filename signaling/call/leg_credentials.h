// Who we are to one leg's peer: answers the challenges to our requests in its dialog (RFC 3261 22).
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_CALL_LEG_CREDENTIALS_H_
#define SLUICE_SIGNALING_CALL_LEG_CREDENTIALS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "signaling/sip/digest_client.h"
#include "signaling/sip/header_name.h"
#include "signaling/sip/message.h"

namespace sluice::call {

class LegCredentials {
 public:
  LegCredentials(absl::string_view username, absl::string_view password, absl::string_view realm)
      : fresh_(username, password, realm), client_(fresh_) {}

  // As DigestClient::Accept. `first`: the first challenge of this request, so that what it was given ahead of being
  // asked has grown old, whether the peer says stale or not.
  bool Accept(const sip::Message& challenge, bool first);

  // Of any request but ACK and CANCEL: replaces what it has. Keeps those of an INVITE for its ACK.
  void Authorize(sip::Message& request, absl::string_view cnonce);
  // The ACK of a 2xx has those of its INVITE (RFC 3261 13.2.2.4).
  void AuthorizeAck(sip::Message& ack) const;

 private:
  // That nobody has challenged.
  sip::DigestClient fresh_;
  sip::DigestClient client_;
  sip::Header header_ = sip::Header::kAuthorization;
  // Empty: the INVITE had none.
  std::string of_invite_;
};

}  // namespace sluice::call

#endif  // SLUICE_SIGNALING_CALL_LEG_CREDENTIALS_H_
