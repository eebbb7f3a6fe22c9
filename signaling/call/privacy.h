// Whether a caller may be named to others (RFC 3323, RFC 3325).
#ifndef SLUICE_SIGNALING_CALL_PRIVACY_H_
#define SLUICE_SIGNALING_CALL_PRIVACY_H_

#include "absl/strings/string_view.h"
#include "signaling/sip/message.h"
#include "signaling/sip/uri.h"

namespace sluice::call {

// What From says of somebody who is not to be known, without tag (RFC 3323 4.1.1.3).
inline constexpr absl::string_view kAnonymous = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";

bool IsAnonymous(const sip::Uri& uri);

// Privacy has `id` or `user`: only those who are trusted with it learn who has sent `request`.
bool HidesSender(const sip::Message& request);

// Asserts who has sent `request`, whose header fields have been passed on already, to somebody who is trusted with it.
// `hidden`: he is to tell nobody (Privacy: id, RFC 3325 9.3).
void AssertIdentity(absl::string_view identity, bool hidden, sip::Message& request);

}  // namespace sluice::call

#endif  // SLUICE_SIGNALING_CALL_PRIVACY_H_
