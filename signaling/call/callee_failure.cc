#include "signaling/call/callee_failure.h"

namespace sluice::call {

int FailureRank(uint16_t status) {
  if (status >= 600) return 0;
  if (status < 400) return 1;
  if (status == 486) return 2;
  if (status == 408 || status == 481) return 6;
  if (status == 480) return 4;
  return status < 500 ? 3 : 5;
}

bool IsOutOfService(uint16_t status) { return status == 408 || status == 500 || (status >= 502 && status <= 504); }

uint16_t PassedStatus(uint16_t status) { return status == 401 || status == 407 ? 502 : status; }

}  // namespace sluice::call
