// The values that a standing call is made of in the words of sluice.state.v1, and back.
//
// What is read may be damaged: nothing is taken that the call machine could stumble over. Errors are INVALID_ARGUMENT
// and say what cannot be read.
//
// Threads: any; functions of their arguments.
#ifndef SLUICE_SIGNALING_CALL_STANDING_STATE_H_
#define SLUICE_SIGNALING_CALL_STANDING_STATE_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "signaling/call/leg.h"
#include "signaling/call/media_session.h"
#include "sluice/state/v1/standing_call.pb.h"

namespace sluice::call {

state::v1::Leg ToState(const Leg& leg);
state::v1::MediaStream ToState(const MediaStream& stream);
state::v1::MediaPorts ToState(const MediaAnswer::Stream& ports);

// Fills in what of `leg` is kept; side, state and credentials are not.
absl::Status ReadLeg(const state::v1::Leg& state, Leg& leg);
absl::StatusOr<MediaStream> ReadStream(const state::v1::MediaStream& state);
absl::StatusOr<MediaAnswer::Stream> ReadPorts(const state::v1::MediaPorts& state);

}  // namespace sluice::call

#endif  // SLUICE_SIGNALING_CALL_STANDING_STATE_H_
