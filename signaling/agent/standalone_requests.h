// MESSAGE and INFO outside of dialogs (RFC 3428, RFC 6086), passed on: to all bindings of an account at once, or to one
// server of a trunk after the other.
//
// How it works. The first 2xx is the sender's answer, and what the others say is nobody's any more; without one it is
// the best failure (RFC 3261 16.7 step 6). Each target gets a request of ours (own Call-ID, From tag, CSeq) with the
// sender's body and header fields, as in calls, and a trunk's challenges are answered. A server of a trunk that is
// silent for its `failover_after`, out of service, full, or wants less is passed over. Whoever has not answered in time
// is given up while the sender still waits: 480, since a 408 would come too late (RFC 4320).
//
// A request is kept until its answer, and nothing is left after it.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_AGENT_STANDALONE_REQUESTS_H_
#define SLUICE_SIGNALING_AGENT_STANDALONE_REQUESTS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "signaling/agent/call_limiter.h"
#include "signaling/agent/id_source.h"
#include "signaling/agent/overload_control.h"
#include "signaling/agent/router.h"
#include "signaling/agent/server_health.h"
#include "signaling/call/call.h"
#include "signaling/routing/trunk.h"
#include "signaling/sip/digest_client.h"
#include "signaling/sip/message.h"
#include "signaling/sip/transaction_layer.h"

namespace sluice::agent {

class StandaloneRequests {
 public:
  // All outlive this.
  struct Parts {
    sip::TransactionLayer& transactions;
    IdSource& ids;
    CallLimiter& limiter;
    ServerHealth& health;
    const OverloadControl& overload_control;
  };

  explicit StandaloneRequests(const Parts& parts) : parts_(parts) {}

  // Passes `request` on by `route`, whose status is 0. `display_name`: of a sender whose From has none. `mark`: of what
  // goes out (LoopGuard).
  void Pass(sip::ServerTransactionId id, const sip::Message& request, const std::string& display_name,
            Router::Route route, uint64_t mark, std::shared_ptr<const call::CallOptions> options, absl::Time now);

  // We stop: whoever has not answered within 3 s is given up, and the sender gets 503 unless somebody has said why not.
  void Drain(absl::Time now);

  // Gives up what is due.
  void Advance(absl::Time now);
  absl::Time NextDeadline() const;

  // False: the transaction is none of these, or nobody's any more.
  bool OnResponse(sip::ClientTransactionId id, const sip::Message& response, absl::Time now);
  bool OnFailure(sip::ClientTransactionId id, sip::TransactionFailure failure, absl::Time now);

  // Requests that wait for their answer.
  size_t size() const { return requests_.size(); }

 private:
  // To one binding or server.
  struct Way {
    enum class State : uint8_t { kUnasked, kAsked, kOver };
    call::Party party;
    // Null: it is none.
    std::shared_ptr<const routing::Trunk> trunk;
    State state = State::kUnasked;
    // Something has come.
    bool answered = false;
    sip::ClientTransactionId transaction = 0;
    // What was sent last, if it may have to go out once more with credentials.
    sip::Message sent;
    std::optional<sip::DigestClient> digest;
    uint32_t challenges = 0;
  };
  struct Request {
    sip::ServerTransactionId id = 0;
    sip::Message received;
    std::string display_name;
    uint64_t mark = 0;
    std::shared_ptr<const call::CallOptions> options;
    std::vector<Way> ways;
    // The best one so far.
    std::optional<sip::Message> failure;
    // Max-Breadth of what goes out (RFC 5393); 0: none.
    uint32_t breadth = 0;
    // When the servers that are asked now have been silent for too long, and when the sender gets its answer anyhow.
    absl::Time silence = absl::InfiniteFuture();
    absl::Time end;

    absl::Time deadline() const { return silence < end ? silence : end; }
  };

  // Asks the ways of the lowest group that has some left. False: there are none, and `failure` is set.
  bool AskNextGroup(Request& request, absl::Time now);
  // Max-Breadth for `count` requests at once. False: the sender's does not suffice.
  static bool DivideBreadth(Request& request, uint32_t count);
  // False: the trunk takes no more just now.
  bool IsAdmitted(const Request& request, const Way& way, absl::Time now);
  sip::Message Make(const Request& request, const Way& way) const;
  void Ask(size_t way, Request& request, sip::Message message, absl::Time now);
  // Puts credentials into what was sent. False: the challenge cannot be answered.
  bool AnswerChallenge(Way& way, const sip::Message& response);
  void NoteSilence(const Way& way, absl::Time now);
  void OnSilence(Request& request, absl::Time now);
  void Fail(Request& request, Way& way, const sip::Message& response, absl::Time now);
  // Keeps the best failure.
  static void Note(Request& request, const sip::Message& failure);
  static sip::Message OwnFailure(const Request& request, uint16_t status);
  // Answers the best failure; if nobody has said anything, 480, or 503 when we stop.
  void GiveUp(Request& request, absl::Time now);
  // To the sender; the request is no more.
  void Answer(Request& request, const sip::Message& response, absl::Time now);
  void SetSilence(Request& request, absl::Time silence);
  void SetEnd(Request& request, absl::Time end);

  const Parts parts_;
  absl::flat_hash_map<sip::ServerTransactionId, std::unique_ptr<Request>> requests_;
  // Of which request, and which of its ways.
  absl::flat_hash_map<sip::ClientTransactionId, std::pair<Request*, size_t>> asked_;
  absl::btree_set<std::pair<absl::Time, sip::ServerTransactionId>> deadlines_;
  bool draining_ = false;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_STANDALONE_REQUESTS_H_
