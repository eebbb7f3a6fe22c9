// What the failure of one callee says, where a request goes to several.
#ifndef SLUICE_SIGNALING_CALL_CALLEE_FAILURE_H_
#define SLUICE_SIGNALING_CALL_CALLEE_FAILURE_H_

#include <cstdint>

namespace sluice::call {

// Which of two failures of different callees tells the caller more; lower is better (RFC 3261 16.7 step 6, and busy
// before not reached).
int FailureRank(uint16_t status);

// Another callee may not have it, and is tried.
bool IsOutOfService(uint16_t status);

// What the caller gets. A challenge is for whoever has the callee's credentials, which the caller has not: to the
// caller its callee is somebody that we cannot get through to.
uint16_t PassedStatus(uint16_t status);

}  // namespace sluice::call

#endif  // SLUICE_SIGNALING_CALL_CALLEE_FAILURE_H_
