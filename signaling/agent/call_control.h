// What operators may see and do to the calls of a controller: the seam between the shards and the gRPC service.
//
// Calls live on their shards' threads. The functions with a callback post to the shard that owns the call (or to all of
// them) and return at once; the callback runs on a shard's thread, exactly once, and must not block. Statistics are
// read from relaxed counters and answered at once.
//
// Threads: any.
#ifndef SLUICE_SIGNALING_AGENT_CALL_CONTROL_H_
#define SLUICE_SIGNALING_AGENT_CALL_CONTROL_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "signaling/agent/call_limiter.h"
#include "signaling/agent/trunk_book.h"
#include "signaling/store/call_record.h"

namespace sluice::relay::v1 {
class SessionState;
}

namespace sluice::agent {

// The values are those of sluice.controller.v1.CallState.
enum class CallState : uint8_t { kUnknown = 0, kTrying = 1, kEarly = 2, kAnswered = 3, kEnding = 4, kEnded = 5 };

// The values are those of sluice.controller.v1.LadderPeer.
enum class LadderPeer : uint8_t { kUnknown = 0, kCaller = 1, kCallee = 2 };

struct CallSummary {
  // Also the session_id at the relay.
  std::string call_id;
  CallState state = CallState::kUnknown;
  store::CallParty caller;
  store::CallParty callee;
  // Empty: not placed.
  std::string relay;
  absl::Time start_time;
  // InfinitePast: has not happened.
  absl::Time ring_time = absl::InfinitePast();
  absl::Time answer_time = absl::InfinitePast();
  absl::Time end_time = absl::InfinitePast();
  // How it ended; all 0 before.
  uint32_t sip_status = 0;
  uint32_t q850_cause = 0;
  store::EndedBy ended_by = store::EndedBy::kUnknown;
  std::string end_text;
};

// One SIP message of a call, as it happened.
struct LadderEntry {
  absl::Time time;
  LadderPeer peer = LadderPeer::kUnknown;
  // True: from the peer to the controller.
  bool received = false;
  bool retransmission = false;
  // Request or status line.
  std::string first_line;
  // "198.18.1.2:45426" and "udp".
  std::string peer_endpoint;
  std::string transport;
  // As on the wire; empty unless asked for.
  std::string message;
};

struct CallDetails {
  CallSummary call;
  // In the order in which they began.
  std::vector<store::LegRecord> legs;
  std::vector<LadderEntry> ladder;
  // Final statistics of an ended call; null when the relay did not answer, and while the call lives: those are asked of
  // the fleet.
  std::shared_ptr<const relay::v1::SessionState> media;
};

struct CallPage {
  // Newest first.
  std::vector<CallSummary> calls;
  // Empty: this was the last page.
  std::string next_token;
};

struct TrunkSummary {
  std::string name;
  // "udp:198.18.1.9:5060".
  std::vector<std::string> peers;
  TrunkBook::Registration registration;
  CallLimiter::Usage usage;
};

struct SignalingStatistics {
  // Calls and transactions that exist now.
  uint64_t calls = 0;
  uint64_t transactions = 0;
  // Since the start.
  uint64_t calls_started = 0;
  uint64_t calls_answered = 0;
  // Of those that the controller's earlier run has begun.
  uint64_t calls_restored = 0;
  // "INVITE", "200 INVITE": how often.
  std::map<std::string, uint64_t> received_messages;
  std::map<std::string, uint64_t> sent_messages;
  uint64_t retransmissions_received = 0;
  uint64_t retransmissions_sent = 0;
  // Messages and datagrams that were dropped, by reason.
  std::map<std::string, uint64_t> dropped_messages;
  // Calls that were refused, by SIP status.
  std::map<uint32_t, uint64_t> refused_calls;
  // Of the present config, in its order.
  std::vector<TrunkSummary> trunks;
  absl::Time start_time;
  // New calls are refused, by CallControl::SetDraining.
  bool draining = false;
};

class CallControl {
 public:
  virtual ~CallControl() = default;

  // Calls that exist now, newest first. INVALID_ARGUMENT for a token that no page has given.
  virtual void ListCalls(size_t page_size, std::string token, std::function<void(absl::StatusOr<CallPage>)> done) = 0;
  // A call that exists, or one of the latest that have ended. NOT_FOUND.
  virtual void GetCall(std::string call_id, bool include_messages,
                       std::function<void(absl::StatusOr<CallDetails>)> done) = 0;
  // Ends both legs: BYE after the answer, CANCEL and 480 before. OK as soon as that has begun. NOT_FOUND;
  // FAILED_PRECONDITION if it has ended.
  virtual void HangUpCall(std::string call_id, std::function<void(absl::Status)> done) = 0;
  // Refuses new calls from now on, or takes them again; those that exist go on.
  virtual void SetDraining(bool draining) = 0;
  virtual SignalingStatistics Statistics() const = 0;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_CALL_CONTROL_H_
