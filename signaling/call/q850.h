// Causes of ITU-T Q.850 for SIP statuses (RFC 3398 8.2.6.1), for records.
#ifndef SLUICE_SIGNALING_CALL_Q850_H_
#define SLUICE_SIGNALING_CALL_Q850_H_

#include <cstdint>

namespace sluice::call {

// Normal call clearing.
inline constexpr uint16_t kNormalClearing = 16;
// Recovery on timer expiry.
inline constexpr uint16_t kTimerExpiry = 102;

// The cause of a call that ended before its answer with `status`.
uint16_t Q850Cause(uint16_t status);

}  // namespace sluice::call

#endif  // SLUICE_SIGNALING_CALL_Q850_H_
