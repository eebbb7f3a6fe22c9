// Whether an answer fits its offer (RFC 3264 6).
#ifndef SLUICE_SIGNALING_SDP_OFFER_ANSWER_H_
#define SLUICE_SIGNALING_SDP_OFFER_ANSWER_H_

#include "absl/status/status.h"
#include "signaling/sdp/session_description.h"

namespace sluice::sdp {

// INVALID_ARGUMENT: another number of m-lines, or an m-line of another type or protocol at the same place. Profiles of
// RTP may differ (AVP answered to AVPF), and whether formats are common is the parties' affair.
absl::Status CheckAnswer(const SessionDescription& offer, const SessionDescription& answer);

}  // namespace sluice::sdp

#endif  // SLUICE_SIGNALING_SDP_OFFER_ANSWER_H_
