// The SDP in a message's body, alone or as a part of a multipart body (RFC 5621).
#ifndef SLUICE_SIGNALING_CALL_SESSION_BODY_H_
#define SLUICE_SIGNALING_CALL_SESSION_BODY_H_

#include "absl/strings/string_view.h"
#include "signaling/sip/message.h"

namespace sluice::call {

// The first SDP of the body; empty: it has none. A view into the body.
absl::string_view SdpOf(const sip::Message& message);

// Puts `from`'s body into `to` with `sdp` in the place of its SDP; other parts as they are. Where `from` has no SDP,
// `sdp` is the body. Without `sdp` a body with SDP is left out, and another one is passed as it is.
void PassSessionBody(const sip::Message& from, absl::string_view sdp, sip::Message& to);

}  // namespace sluice::call

#endif  // SLUICE_SIGNALING_CALL_SESSION_BODY_H_
