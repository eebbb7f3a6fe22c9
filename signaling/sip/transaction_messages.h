// Messages of a transaction as bytes, and the two requests that a client transaction makes from its INVITE.
#ifndef SLUICE_SIGNALING_SIP_TRANSACTION_MESSAGES_H_
#define SLUICE_SIGNALING_SIP_TRANSACTION_MESSAGES_H_

#include "absl/strings/string_view.h"
#include "signaling/sip/message.h"

namespace sluice::sip {

// For a message that we have made or taken already.
MessageLimits NoLimits(absl::string_view bytes);
// What was serialised here.
Message ParseOwn(absl::string_view bytes);

// The CANCEL of `invite` as it was sent, with its Via (RFC 3261 9.1). `reason`: Reason header field, may be empty.
Message MakeCancel(const Message& invite, absl::string_view reason);

// The ACK of a response of 300 and above (17.1.1.3). `cancel`: what MakeCancel made, for it has all fields that are
// needed.
Message MakeFailureAck(const Message& cancel, const Message& response);

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_TRANSACTION_MESSAGES_H_
