#include "signaling/agent/message_trace.h"

#include "signaling/agent/call_log.h"

namespace sluice::agent {
namespace {

constexpr absl::Duration kUnclaimedLifetime = absl::Seconds(32);

}  // namespace

MessageTrace::MessageTrace(const Parts& parts, size_t ring_bytes, size_t unclaimed)
    : parts_(parts), ring_(ring_bytes), unclaimed_(unclaimed, kUnclaimedLifetime) {}

void MessageTrace::Take(bool received, const sip::Hop& hop, const sip::Message& message, absl::string_view bytes,
                        absl::Time now) {
  MessageCounters& counters = received ? parts_.counters.received() : parts_.counters.sent();
  if (message.is_request()) {
    counters.CountRequest(message.method_name());
  } else {
    counters.CountResponse(message.status(), message.method_name());
  }
  const CallBook::Found found = parts_.book.FindLeg(message.CallId());
  LogMessage(received, hop, message.CallId(),
             found.call == nullptr ? absl::string_view() : absl::string_view(found.call->summary.call_id), bytes);
  if (parts_.hep != nullptr && parts_.hep->Wants(hep::Payload::kSip)) {
    Export(received, hop, message, bytes, found.call, now);
  }
  if (found.call != nullptr) {
    const LadderPeer peer = found.leg == call::kCaller ? LadderPeer::kCaller : LadderPeer::kCallee;
    found.call->ladder.Add(ring_, now, peer, received, hop, bytes);
  } else if (message.method() == sip::Method::kInvite || message.method() == sip::Method::kAck) {
    unclaimed_.Of(message.CallId(), now).Add(ring_, now, LadderPeer::kCaller, received, hop, bytes);
  }
}

void MessageTrace::Export(bool received, const sip::Hop& hop, const sip::Message& message, absl::string_view bytes,
                          const BookedCall* call, absl::Time now) {
  parts_.hep->Take({.type = hep::Payload::kSip,
                    .protocol = hop.protocol,
                    .source = received ? hop.remote : hop.local,
                    .destination = received ? hop.local : hop.remote,
                    .time = now,
                    .payload = bytes,
                    .correlation_id = call == nullptr ? message.CallId() : call->summary.caller.sip_call_id});
}

}  // namespace sluice::agent
