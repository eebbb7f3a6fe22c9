// The transaction user of one shard: who may register and call, and what becomes of every request.
//
// REGISTER goes to the registrar, an INVITE that may go on becomes a call, requests in dialogs go to their call, or to
// the controller that has it (DialogForwarder), MESSAGE and INFO outside of dialogs are passed on (StandaloneRequests),
// OPTIONS is answered here, and where the plan asks for it we register at trunks; nothing else makes sense to us
// outside a dialog.
//
// An INVITE with Replaces goes to the other end of the dialog that it names (DialogDirectory), not by its Request-URI.
//
// An INVITE is looked at in this order: Request-URI (416), Max-Forwards (483), Require (420), loops and merged requests
// (482), drain and overload (503), credentials (407, 403), From, which must name the account itself (403), number
// (404), bindings (480), limits of the caller (486 for too many calls, 503 for too fast ones and for trunks), and, if
// it leaves by a trunk, whether the operator's own service admits it (AdmissionGate). A trunk is known by its address
// and needs no credentials. Whoever has proved who he is gets a call record, also for a call that goes nowhere. MESSAGE
// and INFO are looked at alike, but leave no record.
//
// Time, network, relays and store are passed in, so all of it runs in tests without threads or sockets.
//
// Threads: the shard's, but for `counters`.
#ifndef SLUICE_SIGNALING_AGENT_AGENT_H_
#define SLUICE_SIGNALING_AGENT_AGENT_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/admission/admission.h"
#include "signaling/agent/admission_gate.h"
#include "signaling/agent/agent_counters.h"
#include "signaling/agent/agent_options.h"
#include "signaling/agent/authenticator.h"
#include "signaling/agent/call_book.h"
#include "signaling/agent/call_control.h"
#include "signaling/agent/call_keeper.h"
#include "signaling/agent/call_limiter.h"
#include "signaling/agent/call_runner.h"
#include "signaling/agent/caller_identifier.h"
#include "signaling/agent/dialog_directory.h"
#include "signaling/agent/dialog_forwarder.h"
#include "signaling/agent/id_source.h"
#include "signaling/agent/large_requests.h"
#include "signaling/agent/loop_guard.h"
#include "signaling/agent/message_trace.h"
#include "signaling/agent/nat_keepalive.h"
#include "signaling/agent/overload_control.h"
#include "signaling/agent/router.h"
#include "signaling/agent/server_health.h"
#include "signaling/agent/standalone_requests.h"
#include "signaling/agent/trunk_book.h"
#include "signaling/agent/trunk_prober.h"
#include "signaling/agent/trunk_registrar.h"
#include "signaling/agent/trunk_servers.h"
#include "signaling/cluster/cluster.h"
#include "signaling/dns/resolver.h"
#include "signaling/fleet/fleet.h"
#include "signaling/hep/sink.h"
#include "signaling/registrar/registrar.h"
#include "signaling/sip/transaction_layer.h"
#include "signaling/store/store.h"
#include "signaling/transport/network.h"

namespace sluice::agent {

class Agent final : private sip::TransactionUser, private sip::Wire {
 public:
  // All outlive the agent.
  struct Surroundings {
    transport::Network& network;
    fleet::Fleet& fleet;
    store::Store& store;
    CallLimiter& limiter;
    TrunkBook& trunks;
    DialogDirectory& dialogs;
    ServerHealth& health;
    dns::Resolver& resolver;
    // Hears every message and the quality of every call; null: nobody wants to.
    hep::Sink* hep = nullptr;
    // Null: there is no other controller.
    cluster::Cluster* cluster = nullptr;
    // Null: nobody is asked whether calls may leave by trunks.
    admission::Admission* admission = nullptr;
  };

  Agent(const AgentOptions& options, const Surroundings& surroundings, IdSource ids, PostFunction post);

  // What came from the network: one whole message.
  void OnMessage(const sip::Hop& hop, absl::string_view bytes, absl::Time now);
  // What the network could not be given: a message that was sent by it.
  void OnUndelivered(absl::string_view bytes, absl::Time now);
  // What came from the fleet, about a session of this shard.
  void OnSessionEvent(const relay::v1::Event& event, absl::Time now);
  void OnSessionLost(const std::string& session_id, const absl::Status& reason, absl::Time now);

  // Runs what is due. NextDeadline: when to call again.
  void Advance(absl::Time now);
  absl::Time NextDeadline() const;

  // For calls that begin from now on.
  void SetPresentOptions(const PresentOptions& options, absl::Time now);

  // A call of an earlier run, as the store gives it, before anything comes from the network; or, at any time, one of
  // another controller that is gone, which is kept anew. One that cannot go on is recorded as ended by us; the status
  // says why. ALREADY_EXISTS: it goes on here already, and nothing has happened.
  absl::Status Restore(const store::StandingCall& kept, absl::Time now);

  // False: new calls are answered 503, and so is whatever else is outside of dialogs, but for registrations. Calls that
  // exist go on.
  void SetTakesCalls(bool takes_calls) { takes_calls_ = takes_calls; }
  // Takes no more calls, and ends those that are not kept for the next run of the controller; MESSAGE and INFO that
  // wait for their answer still get one. Registrations and requests in dialogs are still served.
  void Drain(absl::Time now);
  // No call exists but those that are kept, no relay and no phone owes an answer: nothing is lost by stopping.
  bool idle() const {
    return book_.live_size() == keeper_.kept_calls() && runner_.pending_operations() == 0 && standalone_.size() == 0;
  }
  // Keeps what has changed of the calls that are kept: nothing more comes.
  void Stop(absl::Time now) { keeper_.KeepAll(now); }

  // As CallControl says, for the calls of this shard. Page: calls older than the one of `time` and `call_id`.
  std::vector<CallSummary> Page(absl::Time time, absl::string_view call_id, size_t size) const;
  absl::StatusOr<CallDetails> GetCall(absl::string_view call_id, bool include_messages);
  absl::Status HangUpCall(absl::string_view call_id, absl::Time now);
  // As DialogDirectory says, for the calls of this shard.
  Router::Route FindReplacement(const ReplacementRequest& request) const;

  // Threads: any.
  const AgentCounters& counters() const { return counters_; }

  // What is left in memory, for tests: all 0 once every call has ended and every transaction has run out.
  struct Remains {
    size_t calls = 0;
    size_t standalone_requests = 0;
    size_t dialogs = 0;
    size_t call_transactions = 0;
    size_t transactions = 0;
    size_t pending_operations = 0;
    size_t forwarded_requests = 0;
    bool operator==(const Remains&) const = default;
  };
  Remains remains() const;

 private:
  // sip::Wire
  void Send(const sip::Hop& hop, absl::string_view message, bool retransmission) override;
  std::string SentBy(const sip::Hop& hop) override;
  absl::string_view ViaParameters(const sip::Hop& hop) override;
  std::optional<sip::Hop> StreamHop(const sip::Hop& hop) override { return large_requests_.StreamHop(hop, now_); }
  void OnStreamSilent(const sip::Hop& hop) override { large_requests_.OnStreamSilent(hop, now_); }
  // sip::TransactionUser
  void OnRequest(sip::ServerTransactionId id, const sip::Message& request, const sip::Hop& hop) override;
  void OnCancel(sip::ServerTransactionId id, const sip::Message& cancel) override;
  void OnAck(sip::ServerTransactionId id, const sip::Message& ack, const sip::Hop& hop) override;
  void OnStrayAck(const sip::Message& ack, const sip::Hop& hop) override;
  void OnAckMissing(sip::ServerTransactionId id) override;
  void OnResponse(sip::ClientTransactionId id, const sip::Message& response, const sip::Hop& hop) override;
  void OnSuccessAgain(sip::ClientTransactionId id, const sip::Message& response) override;
  void OnFailure(sip::ClientTransactionId id, sip::TransactionFailure failure) override;
  void OnTrace(bool received, const sip::Hop& hop, const sip::Message& message, absl::string_view bytes,
               bool retransmission) override;

  void SendKeepalives();
  void ServeInDialog(sip::ServerTransactionId id, const sip::Message& request, const sip::Hop& hop);
  // False: the dialog is none of ours.
  bool ServeDialogOfOurs(sip::ServerTransactionId id, const sip::Message& request, const sip::Hop& hop);
  void FindTarget(const std::string& call_id, const call::FindTarget& wanted, absl::Time now);
  // Answers the call's question with `route`, once it is decided whether it may be taken.
  void GoBy(Router::Route route, const std::string& call_id, uint32_t question, admission::Occasion occasion,
            const CallerIdentity& who, absl::Time now);
  void OnRegister(sip::ServerTransactionId id, const sip::Message& request, const sip::Hop& hop);
  void OnInvite(sip::ServerTransactionId id, const sip::Message& request, const sip::Hop& hop);
  void OnStandalone(sip::ServerTransactionId id, const sip::Message& request, const sip::Hop& hop);
  void ReplaceDialog(sip::ServerTransactionId id, const sip::Message& request, const sip::Hop& hop,
                     const CallerIdentity& who);
  // `waits`: whom it goes to is not known yet, or not whether it may; the runner is told by OnRoute. Answers the call's
  // name; empty: it is over, or there is none.
  std::string StartCall(sip::ServerTransactionId id, const sip::Message& request, const sip::Hop& hop,
                        const CallerIdentity& who, Router::Route route, bool waits);
  // Nothing: it has been answered.
  std::optional<CallerIdentity> Identify(sip::ServerTransactionId id, const sip::Message& request, const sip::Hop& hop);
  const routing::CallLimits& LimitsOf(const CallerIdentity& who) const;
  // Takes a place for a call among those of the caller; 0: it has one, else the status of the refusal.
  uint16_t TakePlace(const CallerIdentity& who, const routing::CallLimits& limits, CallLimiter::Place& place);
  // What is wrong with any request, before anything is done for it.
  std::optional<sip::Message> RefuseRequest(const sip::Message& request) const;
  // What is wrong with a request that is to be passed on whoever sends it; nothing: it may go on.
  std::optional<sip::Message> RefuseToPass(const sip::Message& request, const sip::Hop& hop) const;
  sip::Message Response(const sip::Message& request, uint16_t status, absl::string_view reason = "") const;
  void Reply(sip::ServerTransactionId id, sip::Message response);
  // What `leg` says by names and addresses of the run that kept it, in ours.
  void Translate(const state::v1::StandingCall& state, state::v1::Leg& leg);
  std::shared_ptr<const call::Credentials> CredentialsOfTrunk(const std::string& name) const;
  // To somebody who has not shown who he is: nothing is kept of it, so a flood of requests leaves nothing.
  void ReplyToStranger(sip::ServerTransactionId id, sip::Message response);
  bool IsOverloaded() const;

  const AgentOptions options_;
  transport::Network& network_;
  // Of the event that is being handled.
  absl::Time now_ = absl::InfinitePast();
  bool takes_calls_ = true;
  bool draining_ = false;
  PresentOptions present_;
  // As present_.calls, for calls whose media is released.
  std::shared_ptr<const call::CallOptions> released_options_;

  AgentCounters counters_;
  // Fresh names do not change what the agent is.
  mutable IdSource ids_;
  const LoopGuard loop_guard_;
  registrar::Registrar registrar_;
  TrunkServers trunk_servers_;
  OverloadControl overload_control_;
  Router router_;
  AdmissionGate admission_gate_;
  CallLimiter& limiter_;
  DialogDirectory& dialogs_;
  const PostFunction post_;
  // Null: there is no other controller.
  cluster::Cluster* const cluster_;
  Authenticator authenticator_;
  CallerIdentifier identifier_;
  CallBook book_;
  CallKeeper keeper_;
  MessageTrace trace_;
  LargeRequests large_requests_;
  sip::TransactionLayer transactions_;
  CallRunner runner_;
  StandaloneRequests standalone_;
  // Of a cluster.
  std::optional<DialogForwarder> forwarder_;
  NatKeepalive keepalive_;
  // Of the shard that looks after trunks.
  std::optional<TrunkRegistrar> trunk_registrar_;
  std::optional<TrunkProber> trunk_prober_;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_AGENT_H_
