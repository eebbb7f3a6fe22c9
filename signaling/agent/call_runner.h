// Carries out what the calls of one shard want: requests and responses through the transaction layer, media through the
// fleet, timers, and at the end the record.
//
// How it works. Whatever happens to a call is given to its machine (call::Call), and the actions that come back are
// carried out in order. Answers of the fleet come on the fleet's thread and are posted back to the shard; an answer for
// a call that has ended meanwhile is only counted. A call's record is written when the call is over for its users and
// the relay has said how the media was, or has failed to; what peers still owe us then is not waited for.
//
// Threads: the shard's. Fleet operations that are under way keep what they need to post, and touch the runner only on
// its shard.
#ifndef SLUICE_SIGNALING_AGENT_CALL_RUNNER_H_
#define SLUICE_SIGNALING_AGENT_CALL_RUNNER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/agent/agent_counters.h"
#include "signaling/agent/call_book.h"
#include "signaling/agent/call_keeper.h"
#include "signaling/agent/call_limiter.h"
#include "signaling/agent/id_source.h"
#include "signaling/agent/media_mapping.h"
#include "signaling/agent/overload_control.h"
#include "signaling/agent/router.h"
#include "signaling/agent/server_health.h"
#include "signaling/call/call.h"
#include "signaling/cluster/cluster.h"
#include "signaling/fleet/fleet.h"
#include "signaling/hep/sink.h"
#include "signaling/routing/trunk.h"
#include "signaling/sip/hop.h"
#include "signaling/sip/message.h"
#include "signaling/sip/transaction_layer.h"
#include "signaling/store/store.h"
#include "sluice/relay/v1/session_service.pb.h"
#include "sluice/state/v1/standing_call.pb.h"

namespace sluice::agent {

// Runs work on the shard's thread, in order, with the time of then. From any thread; the work is dropped, unrun, if the
// shard has stopped.
using PostFunction = std::function<void(std::function<void(absl::Time now)> work)>;

class CallRunner final : private call::Names {
 public:
  // All references outlive the runner.
  struct Parts {
    sip::TransactionLayer& transactions;
    CallBook& book;
    fleet::Fleet& fleet;
    store::Store& store;
    IdSource& ids;
    AgentCounters& counters;
    CallLimiter& limiter;
    CallKeeper& keeper;
    ServerHealth& health;
    const OverloadControl& overload_control;
    // Hears of the quality of ended calls; null: nobody wants to.
    hep::Sink* hep;
    // Whom a 3xx or a transfer leads to: answered by one OnRoute, at once or later.
    std::function<void(const std::string& call_id, const call::FindTarget& wanted, absl::Time now)> find_target;
    // Null: there is no other controller.
    cluster::Cluster* cluster = nullptr;
  };
  // What a call takes of its parties' limits, and what it is known by if it comes back.
  struct Places {
    CallLimiter::Place caller;
    // The trunk of each callee; empty: they are none. Its limits are looked at when its turn comes, and one that is
    // full is passed over as if it had answered 503.
    std::vector<std::shared_ptr<const routing::Trunk>> trunks;
    // Of the INVITEs that go out (LoopGuard).
    uint64_t mark = 0;
  };

  CallRunner(const Parts& parts, MediaNetworks networks, PostFunction post)
      : parts_(parts), networks_(std::move(networks)), post_(std::move(post)) {}

  // The caller's INVITE, which may go on to `callees`; without them the call waits for an OnRoute of
  // call::kCallersQuestion. `ladder`: what was exchanged before. Names and accounts of both parties are set in
  // `summary`; the rest is filled in here. Answers the call's name; empty: the call is over.
  std::string Start(const std::shared_ptr<const call::CallOptions>& options, const sip::Message& invite,
                    sip::ServerTransactionId transaction, CallSummary summary, Ladder ladder, const call::Party& caller,
                    const std::vector<call::Party>& callees, Places places, absl::Time now);

  // The answer to a question of a call. Nothing happens if the call is over.
  void OnRoute(const std::string& call_id, uint32_t question, const Router::Route& route, absl::Time now);

  // A call of somebody with an account that goes nowhere: kept and recorded as ended by us with `status`. The response
  // is the user's to send, afterwards.
  void Refuse(const sip::Message& invite, CallSummary summary, Ladder ladder, const call::Party& caller,
              uint16_t status, absl::string_view text, absl::Time now);

  // A call of an earlier run goes on. INVALID_ARGUMENT, saying why it cannot: nothing has happened.
  absl::Status Restore(const state::v1::StandingCall& state, const std::shared_ptr<const call::CallOptions>& options,
                       const call::CredentialsFunction& credentials, absl::Time now);

  // A call of an earlier run that cannot go on, as far as it could be read: recorded as ended by us.
  void Lose(const std::string& call_id, const state::v1::StandingCall& state, absl::string_view reason, absl::Time now);

  // A request in a dialog of this shard. False: it is in none. `hop`: as Call::OnRequest.
  bool OnRequest(sip::ServerTransactionId id, const sip::Message& request, const sip::Hop& hop, absl::Time now);
  // The rest of sip::TransactionUser. What belongs to no call any more is nobody's.
  void OnCancel(sip::ServerTransactionId id, const sip::Message& cancel, absl::Time now);
  void OnAck(sip::ServerTransactionId id, const sip::Message& ack, absl::Time now);
  void OnAckMissing(sip::ServerTransactionId id, absl::Time now);
  void OnResponse(sip::ClientTransactionId id, const sip::Message& response, const sip::Hop& hop, absl::Time now);
  void OnFailure(sip::ClientTransactionId id, sip::TransactionFailure failure, absl::Time now);

  // Of the fleet's listener.
  void OnSessionEvent(const relay::v1::Event& event, absl::Time now);
  void OnSessionLost(const std::string& session_id, const absl::Status& reason, absl::Time now);

  void HangUp(BookedCall& call, call::Ended::By by, absl::string_view text, absl::Time now);

  // Runs the timers that are due.
  void Advance(absl::Time now);
  absl::Time NextDeadline() const;

  // Operations of the fleet that have not been answered: records may wait for them.
  size_t pending_operations() const { return pending_operations_; }
  // Transactions that are kept for calls; for tests.
  size_t known_transactions() const { return servers_.size() + clients_.size(); }

 private:
  // Whose transaction it is.
  struct ServerOwner {
    BookedCall* call;
    call::LegNumber leg;
  };
  struct ClientOwner {
    BookedCall* call;
    call::LegNumber leg;
    call::RequestNumber number;
    bool is_invite;
  };
  // A new session, or why there is none.
  struct Created {
    std::string relay;
    call::MediaAnswer media;
    TranslatedAddresses translated;
  };
  struct Updated {
    call::MediaAnswer media;
    TranslatedAddresses translated;
  };

  std::string NewCallId() override;
  std::string NewTag() override;
  uint32_t NewCSeq() override;
  uint64_t NewNumber() override { return parts_.ids.NewNumber(); }

  BookedCall& Book(const sip::Message& invite, CallSummary summary, Ladder ladder, const call::Party& caller,
                   std::unique_ptr<LiveCall> live, absl::Time now);
  void Run(BookedCall& call, call::Actions actions, absl::Time now);
  void DoAll(BookedCall& call, call::Actions actions, absl::Time now);
  // What an answer to the first INVITE of a leg says for its record.
  static void NoteProgress(LiveCall::Leg& leg, const sip::Message& response, absl::Time now);
  // What an answer to an INVITE, or none, says about the trunk's server.
  void NoteAnswer(LiveCall::Leg& leg, const sip::Message& response, absl::Time now);
  void NoteSilence(BookedCall& call, call::LegNumber leg, absl::Time now);
  // The first INVITE of a leg. False: its trunk takes no more calls, or less of them just now, which the call is told
  // of soon. Takes a place among the trunk's calls. False: it has none, or its server wants fewer.
  bool AdmitToTrunk(LiveCall& live, const routing::Trunk& trunk, const call::SendRequest& action, absl::Time now);
  bool BeginLeg(BookedCall& call, const call::SendRequest& action, absl::Time now);
  void Do(BookedCall& call, call::SendRequest& action, absl::Time now);
  void Do(BookedCall& call, call::SendAck& action, absl::Time now);
  void Do(BookedCall& call, call::CancelRequest& action, absl::Time now);
  void Do(BookedCall& call, call::Respond& action, absl::Time now);
  void Do(BookedCall& call, call::CreateMedia& action, absl::Time now);
  void Do(BookedCall& call, call::UpdateMedia& action, absl::Time now);
  void Do(BookedCall& call, call::AdoptMedia& action, absl::Time now);
  void Do(BookedCall& call, call::DeleteMedia& action, absl::Time now);
  void Do(BookedCall& call, call::SetTimer& action, absl::Time now);
  void Do(BookedCall& call, call::CancelTimer& action, absl::Time now);
  void Do(BookedCall& call, call::FindTarget& action, absl::Time now);
  void Do(BookedCall& call, call::DialogMade& action, absl::Time now);
  void Do(BookedCall& call, call::DialogEnded& action, absl::Time now);
  void Do(BookedCall& call, call::Progress& action, absl::Time now);
  void Do(BookedCall& call, call::LegEnded& action, absl::Time now);
  void Do(BookedCall& call, call::Ending& action, absl::Time now);
  void Do(BookedCall& call, call::Ended& action, absl::Time now);

  // Takes over what the call wants; answers it for the fleet.
  relay::v1::Session Want(BookedCall& call, const call::MediaSession& media);
  // For an answer of the fleet: `read` says, on the fleet's thread, what the call has to know of it, and `take` is
  // given that on this shard. So messages are freed by the thread that made them, which is cheaper.
  template <typename Answer, typename Read, typename News>
  std::function<void(Answer)> Posted(const BookedCall& call, Read read,
                                     void (CallRunner::*take)(BookedCall&, News, absl::Time));
  void TakeCreated(BookedCall& call, Created created, absl::Time now);
  void TakeUpdated(BookedCall& call, Updated updated, absl::Time now);
  // Null: not told.
  void TakeDeleted(BookedCall& call, std::shared_ptr<const relay::v1::SessionState> statistics, absl::Time now);

  void MoveTimer(BookedCall& call, call::CallTimer timer, absl::Time at);
  sip::ClientTransactionId TransactionOf(const BookedCall& call, call::RequestNumber number) const;
  void ForgetRequest(BookedCall& call, call::RequestNumber number);
  // There is one INVITE at a time in a dialog: a new one means that the one before is over.
  void ForgetEarlierInvites(BookedCall& call, call::LegNumber leg);
  void ForgetInvite(BookedCall& call, sip::ServerTransactionId id);
  // Not the caller's.
  LiveCall::Leg& LegOf(BookedCall& call, call::LegNumber leg) const;
  // The leg has sent BYE: no ACK of its INVITEs is awaited any more.
  void AbandonAcks(BookedCall& call, call::LegNumber leg, absl::Time now);
  void NoteEnd(BookedCall& call, CallState state, const call::Ended& how, absl::Time now);
  // Ended in the book and the counters.
  void Close(BookedCall& call);
  void ExportQuality(const BookedCall& call) const;
  // Of a call that ends or has ended: writes the record, once the relay has said how the media was; lets go of a call
  // that needs nothing more.
  void Settle(BookedCall& call);

  const Parts parts_;
  const MediaNetworks networks_;
  const PostFunction post_;
  absl::flat_hash_map<sip::ServerTransactionId, ServerOwner> servers_;
  absl::flat_hash_map<sip::ClientTransactionId, ClientOwner> clients_;
  absl::btree_set<std::tuple<absl::Time, BookedCall*, call::CallTimer>> timers_;
  size_t pending_operations_ = 0;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_CALL_RUNNER_H_
