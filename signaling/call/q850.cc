#include "signaling/call/q850.h"

#include "absl/strings/match.h"
#include "signaling/sip/header_values.h"

namespace sluice::call {

uint16_t Q850Cause(uint16_t status) {
  switch (status) {
    case 400:
      return 41;
    case 401:
    case 402:
    case 403:
    case 407:
    case 603:
      return 21;
    case 404:
      return 1;
    case 405:
      return 63;
    case 408:
    case 504:
      return kTimerExpiry;
    case 410:
      return 22;
    case 413:
    case 414:
    case 416:
    case 420:
    case 421:
    case 423:
    case 505:
    case 513:
      return 127;
    case 415:
    case 501:
      return 79;
    case 480:
      return 18;
    case 482:
    case 483:
      return 25;
    case 484:
      return 28;
    case 485:
    case 604:
      return 1;
    case 486:
    case 600:
      return 17;
    case 487:
      return kNormalClearing;
    // RFC 3398 goes by the Warning; incompatible media is what this status is used for here.
    case 488:
    case 606:
      return 88;
    case 481:
    case 500:
    case 503:
      return 41;
    case 502:
      return 38;
    default:
      return 31;
  }
}

uint16_t NamedCause(const sip::Message& message, uint16_t otherwise) {
  for (const sip::Reason& reason : message.Reasons()) {
    const bool is_cause = absl::EqualsIgnoreCase(reason.protocol, "Q.850") && reason.cause != 0 && reason.cause < 128;
    if (is_cause) return static_cast<uint16_t>(reason.cause);
  }
  return otherwise;
}

}  // namespace sluice::call
