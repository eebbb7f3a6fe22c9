// Calls and messages in the log, as key=value: a line when a call begins, is answered and has ended (level debug), a
// line a message (level trace), each with the call's own name and the Call-ID. Values that come from peers are quoted,
// so that nobody can write lines of his own.
//
// Threads: any.
#ifndef SLUICE_SIGNALING_AGENT_CALL_LOG_H_
#define SLUICE_SIGNALING_AGENT_CALL_LOG_H_

#include <string>

#include "absl/strings/string_view.h"
#include "signaling/agent/call_control.h"
#include "signaling/sip/hop.h"

namespace sluice::agent {

void LogBegin(const CallSummary& call);
void LogAnswer(const CallSummary& call);
void LogEnd(const CallSummary& call);

// `call`: the name of the one that it belongs to; empty: none. `bytes`: the whole message, of which the first line is
// written.
void LogMessage(bool received, const sip::Hop& hop, absl::string_view sip_call_id, absl::string_view call,
                absl::string_view bytes);

// `value` as it stands behind a =: as it is if it is plain, else in quotes, with escapes for what is no visible ASCII.
std::string LogValue(absl::string_view value);

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_CALL_LOG_H_
