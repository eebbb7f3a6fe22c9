// A call of the book in the words of sluice.state.v1, and back.
//
// Threads: any; functions of their arguments.
#ifndef SLUICE_SIGNALING_AGENT_STANDING_CALL_H_
#define SLUICE_SIGNALING_AGENT_STANDING_CALL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "signaling/agent/call_book.h"
#include "signaling/agent/call_control.h"
#include "sluice/state/v1/standing_call.pb.h"

namespace sluice::agent {

// Of StandingCall.version.
inline constexpr uint32_t kStandingCallVersion = 1;

// All but what stands for names of TLS and addresses of relays (CallKeeper). Nothing: `call`, which is live, is not
// quiet.
std::optional<state::v1::StandingCall> MakeStandingCall(const BookedCall& call);

// INVALID_ARGUMENT, saying why: `state` is then empty, or of another version.
absl::Status ReadStandingCall(const std::string& serialised, state::v1::StandingCall& state);

CallSummary SummaryOf(const state::v1::StandingCall& state);
std::vector<BookedCall::Stream> StreamsOf(const state::v1::StandingCall& state);
// As in LiveCall. Of a state that says nothing of legs: what is known of those that talk.
std::vector<LiveCall::Leg> LegsOf(const state::v1::StandingCall& state);
LiveCall::LegEnd CallerEndOf(const state::v1::StandingCall& state);

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_STANDING_CALL_H_
