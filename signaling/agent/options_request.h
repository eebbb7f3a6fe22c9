// An OPTIONS outside of any dialog, to see whether somebody is there or to keep a NAT open.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_AGENT_OPTIONS_REQUEST_H_
#define SLUICE_SIGNALING_AGENT_OPTIONS_REQUEST_H_

#include "absl/strings/string_view.h"
#include "signaling/agent/id_source.h"
#include "signaling/sip/message.h"

namespace sluice::agent {

// `own`: "host:port" that the peer knows us by.
sip::Message MakeOptions(absl::string_view uri, absl::string_view own, absl::string_view user_agent, IdSource& ids);

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_OPTIONS_REQUEST_H_
