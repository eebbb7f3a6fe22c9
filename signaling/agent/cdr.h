// The record of a call that has ended, and the quality of its media as the relay measured it.
//
// Threads: any; functions of their arguments.
#ifndef SLUICE_SIGNALING_AGENT_CDR_H_
#define SLUICE_SIGNALING_AGENT_CDR_H_

#include "signaling/agent/call_book.h"
#include "signaling/store/call_record.h"

namespace sluice::agent {

// `call` has ended, and its relay has answered or is not waited for any more: without an answer to a session that was
// placed, `media_unknown` is set.
store::CallRecord MakeCallRecord(const BookedCall& call);

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_CDR_H_
