// Answers the challenges of one server for one account (RFC 7616 3.4, RFC 8760 2.4): for trunks, and for tests of our
// own server.
//
// After a challenge was accepted, each request is answered ahead of being asked, with a nonce count of its own, until
// the server sends a new challenge.
//
// Threads: one at a time.
#ifndef SLUICE_SIGNALING_SIP_DIGEST_CLIENT_H_
#define SLUICE_SIGNALING_SIP_DIGEST_CLIENT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "signaling/sip/digest.h"
#include "signaling/sip/header_name.h"
#include "signaling/sip/message.h"

namespace sluice::sip {

class DigestClient {
 public:
  // `realm`: challenges of others are not answered; empty: of any.
  DigestClient(absl::string_view username, absl::string_view password, absl::string_view realm = "")
      : username_(username), password_(password), realm_(realm) {}

  // Takes the strongest challenge of a 401 or 407. False: it has none that can be answered, or the server refused what
  // was answered in this realm (a new challenge without stale=true): asking again would not help.
  bool Accept(const Message& response);

  // Adds the credentials to `request`, which may be any but ACK and CANCEL; nothing before a challenge was accepted.
  // `cnonce`: random, of the caller's making.
  void Authorize(Message& request, absl::string_view cnonce);

 private:
  std::string username_;
  std::string password_;
  std::string realm_;
  Header header_ = Header::kAuthorization;
  std::optional<DigestChallenge> challenge_;
  DigestAlgorithm algorithm_ = DigestAlgorithm::kMd5;
  uint32_t nonce_count_ = 0;
};

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_DIGEST_CLIENT_H_
