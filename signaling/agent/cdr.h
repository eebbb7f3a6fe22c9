// The record of a call that has ended, of its legs, and the quality of its media as the relay measured it.
//
// Threads: any; functions of their arguments.
#ifndef SLUICE_SIGNALING_AGENT_CDR_H_
#define SLUICE_SIGNALING_AGENT_CDR_H_

#include <vector>

#include "signaling/agent/call_book.h"
#include "signaling/call/call.h"
#include "signaling/store/call_record.h"

namespace sluice::agent {

// Of the caller's, and of those `legs` (of LiveCall) that have begun, in the order in which they did. What has not
// ended by itself has ended with the call, if `summary` says that it has. `machine`: as CalledBy.
std::vector<store::LegRecord> MakeLegRecords(const CallSummary& summary, const LiveCall::LegEnd& caller_end,
                                             const std::vector<LiveCall::Leg>& legs, const call::Call* machine);

// As they are now, or were when the call began to end.
std::vector<store::LegRecord> LegRecordsOf(const BookedCall& call);

// `call` has ended, and its relay has answered or is not waited for any more: without an answer to a session that was
// placed, `media_unknown` is set.
store::CallRecord MakeCallRecord(const BookedCall& call);

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_CDR_H_
