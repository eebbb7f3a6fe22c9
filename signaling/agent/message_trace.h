// What is kept and told of every SIP message of a shard: how many there were, the ladders of calls, and the export to
// whoever collects them (HEP).
//
// A message finds its call by Call-ID. One of an INVITE that is no call yet waits for it (UnclaimedLadders).
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_AGENT_MESSAGE_TRACE_H_
#define SLUICE_SIGNALING_AGENT_MESSAGE_TRACE_H_

#include <cstddef>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/agent/agent_counters.h"
#include "signaling/agent/call_book.h"
#include "signaling/agent/call_control.h"
#include "signaling/agent/ladder.h"
#include "signaling/agent/trace_ring.h"
#include "signaling/agent/unclaimed_ladders.h"
#include "signaling/hep/sink.h"
#include "signaling/sip/hop.h"
#include "signaling/sip/message.h"

namespace sluice::agent {

class MessageTrace {
 public:
  // All outlive the trace.
  struct Parts {
    CallBook& book;
    AgentCounters& counters;
    // Null: nothing is exported.
    hep::Sink* hep;
  };

  // `ring_bytes`: of whole messages that are kept. `unclaimed`: attempts that are no call yet and whose messages are
  // kept.
  MessageTrace(const Parts& parts, size_t ring_bytes, size_t unclaimed);

  // `bytes`: of `message`, as it came from `hop` or goes there.
  void Take(bool received, const sip::Hop& hop, const sip::Message& message, absl::string_view bytes, absl::Time now);

  // What came before the INVITE that has become a call.
  Ladder Claim(absl::string_view sip_call_id, absl::Time now) { return unclaimed_.Claim(sip_call_id, now); }

  std::vector<LadderEntry> Entries(const Ladder& ladder, bool include_messages) const {
    return ladder.Entries(ring_, include_messages);
  }

 private:
  // `call`: that the message belongs to; may be null.
  void Export(bool received, const sip::Hop& hop, const sip::Message& message, absl::string_view bytes,
              const BookedCall* call, absl::Time now);

  const Parts parts_;
  TraceRing ring_;
  UnclaimedLadders unclaimed_;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_MESSAGE_TRACE_H_
