// Causes of ITU-T Q.850 of calls, for records: as a peer names them (RFC 3326, RFC 6432), or those of SIP statuses
// (RFC 3398 8.2.6.1).
#ifndef SLUICE_SIGNALING_CALL_Q850_H_
#define SLUICE_SIGNALING_CALL_Q850_H_

#include <cstdint>

#include "signaling/sip/message.h"

namespace sluice::call {

// Normal call clearing.
inline constexpr uint16_t kNormalClearing = 16;
// Another one has got the call.
inline constexpr uint16_t kNonSelectedUser = 26;
// The network is out of order for a while.
inline constexpr uint16_t kTemporaryFailure = 41;
// Recovery on timer expiry.
inline constexpr uint16_t kTimerExpiry = 102;

// The cause of a call that ended before its answer with `status`.
uint16_t Q850Cause(uint16_t status);

// The cause that the Reason of a BYE, a CANCEL or a failure names, whichever of several reasons it is; `otherwise` if
// there is none.
uint16_t NamedCause(const sip::Message& message, uint16_t otherwise);

}  // namespace sluice::call

#endif  // SLUICE_SIGNALING_CALL_Q850_H_
