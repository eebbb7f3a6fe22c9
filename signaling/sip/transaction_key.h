// By what requests find their server transaction (RFC 3261 17.2.3), as texts to be looked up.
//
// RFC 3261 peers: branch, sent-by, method. RFC 2543 peers, whose branch lacks the magic cookie or is missing:
// Request-URI, CSeq number, From tag, the whole topmost Via, method. Both with the Call-ID, which repeats, ACK and
// CANCEL share: phones behind different NATs have the same private sent-by, and some make branches of five digits.
//
// Texts are short: what would be longer than 128 bytes is its SHA-256.
#ifndef SLUICE_SIGNALING_SIP_TRANSACTION_KEY_H_
#define SLUICE_SIGNALING_SIP_TRANSACTION_KEY_H_

#include <string>

#include "absl/strings/string_view.h"
#include "signaling/sip/message.h"

namespace sluice::sip {

// The key of `request`; for ACK and CANCEL with `method` INVITE that of their INVITE. Its Via is to be as it came.
std::string ServerTransactionKey(const Message& request, absl::string_view method);

// The key of the ACK of a 2xx, which has a branch of its own: Call-ID, CSeq number and both tags. The same from the 2xx
// and from its ACK.
std::string AckKey(const Message& message);

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_TRANSACTION_KEY_H_
