#include "signaling/agent/call_runner.h"

#include <algorithm>
#include <optional>
#include <variant>

#include "absl/strings/str_cat.h"
#include "signaling/agent/call_log.h"
#include "signaling/agent/cdr.h"
#include "signaling/agent/quality_report.h"
#include "signaling/agent/standing_call.h"
#include "signaling/agent/tried_server.h"
#include "signaling/call/q850.h"
#include "signaling/sip/name_address.h"
#include "signaling/transport/sockaddr.h"

namespace sluice::agent {
namespace {

using PlacedOr = absl::StatusOr<fleet::PlacedSession>;
using StateOr = absl::StatusOr<relay::v1::SessionState>;

// RFC 3261 8.1.1.5 wants less than 2^31; a small number leaves a dialog all the room that it can need.
constexpr uint32_t kFirstCSeqs = 1 << 24;

// The machine still waits for answers about its media.
bool IsWanted(const BookedCall& call) { return call.live != nullptr && call.media == BookedCall::Media::kWanted; }

absl::string_view AgentOf(const sip::Message& message) {
  const absl::string_view user_agent = message.Get(sip::Header::kUserAgent);
  return user_agent.empty() ? message.Get(sip::Header::kServer) : user_agent;
}

// The store has the same values behind its kUnknown.
store::EndedBy ToStore(call::Ended::By by) { return static_cast<store::EndedBy>(static_cast<uint8_t>(by) + 1); }

void FillEnd(CallSummary& summary, const call::Ended& how, absl::Time now) {
  summary.end_time = now;
  summary.sip_status = how.sip_status;
  summary.q850_cause = how.q850_cause;
  summary.ended_by = ToStore(how.by);
  summary.end_text = how.text;
}

// What peers are told of where a relay behind a NAT receives.
TranslatedAddresses TranslatedBy(const relay::v1::SessionState& state) {
  TranslatedAddresses translated;
  for (const relay::v1::StreamState& stream : state.streams()) {
    for (const relay::v1::LegState& leg : stream.legs()) {
      const std::string& told = leg.advertised().address();
      if (told != leg.local().address()) translated.emplace_back(told, leg.local().address());
    }
  }
  return translated;
}

}  // namespace

std::string CallRunner::NewCallId() { return parts_.ids.NewCallId(); }
std::string CallRunner::NewTag() {
  return parts_.ids.NewDialogTag(parts_.cluster == nullptr ? 0 : parts_.cluster->run());
}

uint32_t CallRunner::NewCSeq() { return 1 + static_cast<uint32_t>(parts_.ids.NewNumber() % kFirstCSeqs); }

BookedCall& CallRunner::Book(const sip::Message& invite, CallSummary summary, Ladder ladder, const call::Party& caller,
                             std::unique_ptr<LiveCall> live, absl::Time now) {
  const std::string sip_call_id(invite.CallId());
  summary.call_id = parts_.ids.NewCallName(now);
  summary.start_time = now;
  summary.state = CallState::kTrying;
  summary.caller.sip_call_id = sip_call_id;
  summary.caller.peer = transport::PeerName(caller.hop);
  summary.caller.user_agent = std::string(AgentOf(invite));
  BookedCall& call = parts_.book.Add(std::move(summary), std::move(live));
  call.ladder = std::move(ladder);
  parts_.book.AddLeg(call, call::kCaller, sip_call_id);
  parts_.counters.CallStarted();
  LogBegin(call.summary);
  return call;
}

std::string CallRunner::Start(const std::shared_ptr<const call::CallOptions>& options, const sip::Message& invite,
                              sip::ServerTransactionId transaction, CallSummary summary, Ladder ladder,
                              const call::Party& caller, const std::vector<call::Party>& callees, Places places,
                              absl::Time now) {
  auto live = std::make_unique<LiveCall>(options, static_cast<call::Names&>(*this));
  live->from_tag = std::string(invite.FromTag());
  live->invite_cseq = invite.CSeqNumber();
  live->invites.push_back(transaction);
  live->caller_place = std::move(places.caller);
  live->trunks = std::move(places.trunks);
  live->mark = places.mark;
  BookedCall& call = Book(invite, std::move(summary), std::move(ladder), caller, std::move(live), now);
  servers_[transaction] = {&call, call::kCaller};
  Run(call, call.live->machine.Start(invite, transaction, caller, callees, now), now);
  return call.live == nullptr ? "" : call.summary.call_id;
}

void CallRunner::OnRoute(const std::string& call_id, uint32_t question, const Router::Route& route, absl::Time now) {
  BookedCall* call = parts_.book.Find(call_id);
  if (call == nullptr || call->live == nullptr) return;
  if (question == call::kCallersQuestion && !route.callees.empty()) {
    call->summary.callee.number = route.number;
    call->summary.callee.account = route.account;
    call->summary.callee.display_name = route.display_name;
  }
  LiveCall& live = *call->live;
  call::LegNumber next = live.machine.next_leg();
  live.trunks.resize(next - 1);
  live.trunks.insert(live.trunks.end(), route.trunks.begin(), route.trunks.end());
  for (const call::Party& callee : route.callees) {
    // The summary has it.
    if (question == call::kCallersQuestion) break;
    LegOf(*call, next++).called =
        std::make_unique<const LiveCall::Called>(LiveCall::Called{route.number, callee.account});
  }
  Run(*call, live.machine.OnRoute(question, route.status, route.callees, now, route.reason), now);
}

void CallRunner::Refuse(const sip::Message& invite, CallSummary summary, Ladder ladder, const call::Party& caller,
                        uint16_t status, absl::string_view text, absl::Time now) {
  BookedCall& call = Book(invite, std::move(summary), std::move(ladder), caller, nullptr, now);
  NoteEnd(call, CallState::kEnded, {call::Ended::By::kController, status, call::Q850Cause(status), std::string(text)},
          now);
  Close(call);
}

absl::Status CallRunner::Restore(const state::v1::StandingCall& state,
                                 const std::shared_ptr<const call::CallOptions>& options,
                                 const call::CredentialsFunction& credentials, absl::Time now) {
  auto live = std::make_unique<LiveCall>(options, static_cast<call::Names&>(*this));
  absl::StatusOr<call::Actions> actions = live->machine.Restore(state.call(), credentials, now);
  if (!actions.ok()) return actions.status();
  for (const state::v1::Leg& leg : state.call().legs()) {
    if (parts_.ids.IsOwn(leg.dialog().call_id())) continue;
    return absl::InvalidArgumentError("its dialogs belong to several shards, whose number has changed");
  }
  live->caller_place = parts_.limiter.TakeAgain(state.caller_place());
  live->trunk_place = parts_.limiter.TakeAgain(state.trunk_place());
  live->mark = state.mark();
  live->invite_cseq = state.invite_cseq();
  BookedCall& call = parts_.book.Add(SummaryOf(state), std::move(live));
  call.streams = StreamsOf(state);
  call.live->legs = LegsOf(state);
  call.live->caller_end = CallerEndOf(state);
  for (const state::v1::Leg& leg : state.call().legs()) {
    parts_.book.AddLeg(call, leg.number(), leg.dialog().call_id());
    if (leg.number() == call::kCaller) call.live->from_tag = std::string(sip::TagOf(leg.dialog().remote()));
  }
  for (const auto& [told, own] : state.relay_addresses()) parts_.keeper.NoteAddresses(state.relay(), {{told, own}});
  parts_.keeper.NoteRestored(call);
  parts_.counters.CallRestored();
  DoAll(call, *std::move(actions), now);
  return absl::OkStatus();
}

void CallRunner::Lose(const std::string& call_id, const state::v1::StandingCall& state, absl::string_view reason,
                      absl::Time now) {
  BookedCall lost;
  lost.summary = SummaryOf(state);
  lost.summary.call_id = call_id;
  if (lost.summary.start_time == absl::InfinitePast()) lost.summary.start_time = now;
  lost.streams = StreamsOf(state);
  FillEnd(lost.summary,
          {call::Ended::By::kController, 200, call::kTemporaryFailure,
           absl::StrCat("did not outlive the controller that had it: ", reason)},
          now);
  lost.ended_legs = MakeLegRecords(lost.summary, CallerEndOf(state), LegsOf(state), nullptr);
  parts_.store.AppendCallRecord(MakeCallRecord(lost));
  parts_.store.ForgetCall(call_id);
}

bool CallRunner::OnRequest(sip::ServerTransactionId id, const sip::Message& request, const sip::Hop& hop,
                           absl::Time now) {
  const CallBook::Found found = parts_.book.FindDialog(request.CallId(), request.ToTag());
  if (found.call == nullptr) return false;
  if (request.method() == sip::Method::kInvite) {
    found.call->live->invites.push_back(id);
    servers_[id] = {found.call, found.leg};
  }
  Run(*found.call, found.call->live->machine.OnRequest(found.leg, id, request, hop, now), now);
  return true;
}

void CallRunner::OnCancel(sip::ServerTransactionId id, const sip::Message& cancel, absl::Time now) {
  const auto found = servers_.find(id);
  if (found == servers_.end()) return;
  const auto [call, leg] = found->second;
  Run(*call, call->live->machine.OnCancel(leg, id, cancel, now), now);
}

void CallRunner::OnAck(sip::ServerTransactionId id, const sip::Message& ack, absl::Time now) {
  const auto found = servers_.find(id);
  if (found == servers_.end()) return;
  const auto [call, leg] = found->second;
  ForgetInvite(*call, id);
  Run(*call, call->live->machine.OnAck(leg, ack, now), now);
}

void CallRunner::OnAckMissing(sip::ServerTransactionId id, absl::Time now) {
  const auto found = servers_.find(id);
  if (found == servers_.end()) return;
  const auto [call, leg] = found->second;
  ForgetInvite(*call, id);
  Run(*call, call->live->machine.OnAckMissing(leg, id, now), now);
}

void CallRunner::OnResponse(sip::ClientTransactionId id, const sip::Message& response, const sip::Hop& hop,
                            absl::Time now) {
  const auto found = clients_.find(id);
  if (found == clients_.end()) return;
  const ClientOwner owner = found->second;
  if (owner.is_invite && owner.leg != call::kCaller) {
    LiveCall::Leg& leg = LegOf(*owner.call, owner.leg);
    if (leg.user_agent.empty()) leg.user_agent = std::string(AgentOf(response));
    NoteProgress(leg, response, now);
    NoteAnswer(leg, response, now);
  }
  // Further 2xx of an INVITE may come, and its ACK needs the transaction.
  if (response.is_final() && !owner.is_invite) ForgetRequest(*owner.call, owner.number);
  Run(*owner.call, owner.call->live->machine.OnResponse(owner.leg, owner.number, response, hop, now), now);
}

void CallRunner::NoteProgress(LiveCall::Leg& leg, const sip::Message& response, absl::Time now) {
  // What comes later is of a re-INVITE.
  if (leg.answer != 0) return;
  leg.answered = true;
  const uint16_t status = response.status();
  if (response.is_final()) {
    leg.status = status;
    if (!response.is_success()) return;
    leg.answer = absl::ToUnixMicros(now);
    // It crossed the CANCEL, and gets BYE at once.
    if (leg.end.time != 0) leg.end.time = leg.answer;
  } else if (leg.ring == 0 && leg.end.time == 0 && status != 100 && status != 199) {
    leg.ring = absl::ToUnixMicros(now);
  }
}

void CallRunner::NoteAnswer(LiveCall::Leg& leg, const sip::Message& response, absl::Time now) {
  if (leg.trunk == nullptr) return;
  parts_.health.Heard(leg.server, response, now);
}

void CallRunner::NoteSilence(BookedCall& call, call::LegNumber number, absl::Time now) {
  if (number == call::kCaller) return;
  const LiveCall::Leg& leg = LegOf(call, number);
  if (leg.trunk != nullptr && !leg.answered) parts_.health.Failed(leg.server, now);
}

void CallRunner::OnFailure(sip::ClientTransactionId id, sip::TransactionFailure failure, absl::Time now) {
  const auto found = clients_.find(id);
  if (found == clients_.end()) return;
  const ClientOwner owner = found->second;
  if (failure != sip::TransactionFailure::kTooMany) NoteSilence(*owner.call, owner.leg, now);
  ForgetRequest(*owner.call, owner.number);
  Run(*owner.call, owner.call->live->machine.OnRequestFailed(owner.leg, owner.number, failure, now), now);
}

void CallRunner::OnSessionEvent(const relay::v1::Event& event, absl::Time now) {
  // One silent direction may be a phone that is muted or behind a wall; only when nothing comes at all the call is
  // dead.
  if (event.kind() != relay::v1::EVENT_KIND_SILENCE) return;
  BookedCall* call = parts_.book.Find(event.session_id());
  if (call == nullptr || call->live == nullptr) return;
  Run(*call, call->live->machine.OnMediaTimeout(event.text(), now), now);
}

void CallRunner::OnSessionLost(const std::string& session_id, const absl::Status& reason, absl::Time now) {
  BookedCall* call = parts_.book.Find(session_id);
  if (call == nullptr || call->live == nullptr) return;
  Run(*call, call->live->machine.OnMediaTimeout(absl::StrCat("relay lost the session: ", reason.message()), now), now);
}

void CallRunner::HangUp(BookedCall& call, call::Ended::By by, absl::string_view text, absl::Time now) {
  Run(call, call.live->machine.HangUp(by, text, now), now);
}

void CallRunner::Advance(absl::Time now) {
  while (!timers_.empty() && std::get<absl::Time>(*timers_.begin()) <= now) {
    const auto [at, call, timer] = *timers_.begin();
    MoveTimer(*call, timer, absl::InfiniteFuture());
    if (timer == call::CallTimer::kPatience) {
      for (call::LegNumber leg = 1; leg <= call->live->legs.size(); ++leg) NoteSilence(*call, leg, now);
    }
    Run(*call, call->live->machine.OnTimer(timer, now), now);
  }
}

absl::Time CallRunner::NextDeadline() const {
  return timers_.empty() ? absl::InfiniteFuture() : std::get<absl::Time>(*timers_.begin());
}

void CallRunner::Run(BookedCall& call, call::Actions actions, absl::Time now) {
  DoAll(call, std::move(actions), now);
  if (call.summary.state == CallState::kAnswered) parts_.keeper.Note(call, now);
}

void CallRunner::DoAll(BookedCall& call, call::Actions actions, absl::Time now) {
  for (call::Action& action : actions) {
    std::visit([&](auto& wanted) { Do(call, wanted, now); }, action);
    // Ended is the last one.
    if (call.live == nullptr) return;
  }
}

bool CallRunner::AdmitToTrunk(LiveCall& live, const routing::Trunk& trunk, const call::SendRequest& action,
                              absl::Time now) {
  const dns::Destination server = TriedServer::At(action.hop).destination;
  // What has a priority is for those who left away the rest to find room for (RFC 7339 5.10.1).
  const bool is_urgent = action.message.Has("Resource-Priority");
  if (trunk.overload_control && !is_urgent && parts_.overload_control.LeavesAway(server, parts_.ids.NewNumber(), now)) {
    return false;
  }
  return parts_.limiter.Take(CallLimiter::TrunkKey(trunk.name), trunk.limits, now, live.trunk_place) ==
         CallLimiter::Verdict::kTaken;
}

bool CallRunner::BeginLeg(BookedCall& call, const call::SendRequest& action, absl::Time now) {
  const std::string sip_call_id(action.message.CallId());
  LiveCall& live = *call.live;
  LiveCall::Leg& leg = LegOf(call, action.leg);
  const bool again = leg.sip_call_id == sip_call_id;
  const auto trunk_of_leg = action.leg <= live.trunks.size() ? live.trunks[action.leg - 1] : nullptr;
  if (!again && trunk_of_leg != nullptr) {
    const routing::Trunk& trunk = *trunk_of_leg;
    if (!AdmitToTrunk(live, trunk, action, now)) {
      post_([this, call_id = call.summary.call_id, leg = action.leg, number = action.number](absl::Time then) {
        BookedCall* found = parts_.book.Find(call_id);
        if (found == nullptr || found->live == nullptr) return;
        const auto failure = sip::TransactionFailure::kTooMany;
        Run(*found, found->live->machine.OnRequestFailed(leg, number, failure, then), then);
      });
      return false;
    }
    // The one that has it now; the last one, when it ends. A transfer's target is not the one that was called.
    if (call.summary.answer_time == absl::InfinitePast()) call.summary.callee.account = trunk.name;
  }
  leg = {.sip_call_id = sip_call_id,
         .peer = transport::PeerName(action.hop),
         .called = std::move(leg.called),
         .start = again ? leg.start : absl::ToUnixMicros(now),
         .is_on_callers_side = live.machine.IsOnCallersSide(action.leg),
         .trunk = trunk_of_leg.get(),
         .server = TriedServer::At(action.hop)};
  // Before it is sent, so that the message finds its ladder.
  parts_.book.AddLeg(call, action.leg, sip_call_id);
  if (call.summary.callee.sip_call_id.empty()) {
    call.summary.callee.sip_call_id = sip_call_id;
    call.summary.callee.peer = leg.peer;
  }
  return true;
}

void CallRunner::Do(BookedCall& call, call::SendRequest& action, absl::Time now) {
  const bool is_invite = action.message.method() == sip::Method::kInvite;
  const bool is_first = is_invite && action.message.ToTag().empty();
  if (is_first && !BeginLeg(call, action, now)) return;
  if (is_invite) ForgetEarlierInvites(call, action.leg);
  const sip::ClientTransactionId id =
      parts_.transactions.SendRequest(std::move(action.message), action.hop, now, is_first ? call.live->mark : 0);
  clients_[id] = {&call, action.leg, action.number, is_invite};
  call.live->requests.push_back({action.number, id});
}

void CallRunner::Do(BookedCall& call, call::SendAck& action, absl::Time now) {
  parts_.transactions.SendAck(TransactionOf(call, action.number), std::move(action.message), action.hop, now);
}

void CallRunner::Do(BookedCall& call, call::CancelRequest& action, absl::Time now) {
  if (action.leg != call::kCaller) {
    // Whatever a callee that knows of its INVITE says to that; a re-INVITE has another status before it.
    LiveCall::Leg& leg = LegOf(call, action.leg);
    if (leg.answered && leg.status == 0) leg.status = 487;
  }
  parts_.transactions.Cancel(TransactionOf(call, action.number), action.reason, now);
}

void CallRunner::Do(BookedCall& call, call::Respond& action, absl::Time now) {
  if (action.message.status() >= 300) ForgetInvite(call, action.transaction);
  if (action.message.method() == sip::Method::kBye && action.message.is_success()) AbandonAcks(call, action.leg, now);
  parts_.transactions.Respond(action.transaction, std::move(action.message), now);
}

void CallRunner::Do(BookedCall& call, call::CreateMedia& action, absl::Time) {
  call.media = BookedCall::Media::kWanted;
  ++pending_operations_;
  const auto read = [](const PlacedOr& answer) {
    if (!answer.ok()) return Created{"", ToCreateAnswer(answer), {}};
    return Created{answer->relay, ToCreateAnswer(answer), TranslatedBy(answer->state)};
  };
  parts_.fleet.CreateSession(Want(call, action.session), Posted<PlacedOr>(call, read, &CallRunner::TakeCreated));
}

void CallRunner::Do(BookedCall& call, call::UpdateMedia& action, absl::Time) {
  ++pending_operations_;
  const auto read = [](const StateOr& answer) {
    return Updated{ToUpdateAnswer(answer), answer.ok() ? TranslatedBy(*answer) : TranslatedAddresses()};
  };
  parts_.fleet.UpdateSession(Want(call, action.session), Posted<StateOr>(call, read, &CallRunner::TakeUpdated));
}

void CallRunner::Do(BookedCall& call, call::AdoptMedia& action, absl::Time) {
  call.media = BookedCall::Media::kWanted;
  const std::string& relay = call.summary.relay;
  const auto own_address = [&](const std::string& told) { return parts_.keeper.OwnAddress(relay, told); };
  const absl::Status status = parts_.fleet.AdoptSession(
      relay, Want(call, action.session), ToSessionState(call.summary.call_id, action.ports, own_address));
  if (status.ok()) return;
  // Not before it is whole.
  post_([this, call_id = call.summary.call_id, status](absl::Time now) { OnSessionLost(call_id, status, now); });
}

void CallRunner::Do(BookedCall& call, call::DeleteMedia&, absl::Time) {
  call.media = BookedCall::Media::kDeleting;
  ++pending_operations_;
  const auto read = [](StateOr answer) {
    return answer.ok() ? std::make_shared<const relay::v1::SessionState>(*std::move(answer)) : nullptr;
  };
  parts_.fleet.DeleteSession(call.summary.call_id, Posted<StateOr>(call, read, &CallRunner::TakeDeleted));
}

void CallRunner::Do(BookedCall& call, call::SetTimer& action, absl::Time now) {
  MoveTimer(call, action.timer, now + action.after);
}

void CallRunner::Do(BookedCall& call, call::CancelTimer& action, absl::Time) {
  MoveTimer(call, action.timer, absl::InfiniteFuture());
}

void CallRunner::Do(BookedCall& call, call::FindTarget& action, absl::Time now) {
  parts_.find_target(call.summary.call_id, action, now);
}

void CallRunner::Do(BookedCall& call, call::DialogMade& action, absl::Time) {
  parts_.book.AddDialog(call, action.leg, action.call_id, action.local_tag);
}

void CallRunner::Do(BookedCall& call, call::DialogEnded& action, absl::Time) {
  parts_.book.RemoveDialog(call, action.call_id, action.local_tag);
}

void CallRunner::Do(BookedCall& call, call::Progress& action, absl::Time now) {
  CallSummary& summary = call.summary;
  switch (action.step) {
    case call::Progress::Step::kRinging:
      if (summary.ring_time == absl::InfinitePast()) summary.ring_time = now;
      if (summary.state == CallState::kTrying) summary.state = CallState::kEarly;
      return;
    case call::Progress::Step::kAnswered: {
      summary.answer_time = now;
      summary.state = CallState::kAnswered;
      const LiveCall::Leg& leg = LegOf(call, action.leg);
      summary.callee.sip_call_id = leg.sip_call_id;
      summary.callee.peer = leg.peer;
      summary.callee.user_agent = leg.user_agent;
      parts_.counters.CallAnswered();
      LogAnswer(summary);
      return;
    }
  }
}

void CallRunner::Do(BookedCall& call, call::LegEnded& action, absl::Time now) {
  LiveCall::LegEnd& end = action.leg == call::kCaller ? call.live->caller_end : LegOf(call, action.leg).end;
  if (end.time == 0) end = {absl::ToUnixMicros(now), action.q850_cause, ToStore(action.by)};
}

void CallRunner::Do(BookedCall& call, call::Ending& action, absl::Time now) {
  // A phone or a server that is gone may keep the rest waiting for its answer to BYE or CANCEL; nobody talks any more.
  parts_.keeper.Drop(call);
  call.live->caller_place = CallLimiter::Place();
  call.live->trunk_place = CallLimiter::Place();
  NoteEnd(call, CallState::kEnding, action.how, now);
  Settle(call);
}

void CallRunner::Do(BookedCall& call, call::Ended&, absl::Time) {
  for (const LiveCall::SentRequest& request : call.live->requests) clients_.erase(request.transaction);
  for (const sip::ServerTransactionId id : call.live->invites) servers_.erase(id);
  for (size_t timer = 0; timer < LiveCall::kTimers; ++timer) {
    MoveTimer(call, static_cast<call::CallTimer>(timer), absl::InfiniteFuture());
  }
  Close(call);
}

void CallRunner::NoteEnd(BookedCall& call, CallState state, const call::Ended& how, absl::Time now) {
  call.summary.state = state;
  FillEnd(call.summary, how, now);
  LogEnd(call.summary);
  call.ended_legs = call.live == nullptr ? MakeLegRecords(call.summary, {}, {}, nullptr) : LegRecordsOf(call);
  if (how.sip_status >= 300) parts_.counters.CallRefused(how.sip_status);
}

void CallRunner::Close(BookedCall& call) {
  call.summary.state = CallState::kEnded;
  parts_.counters.CallEnded();
  parts_.book.End(call);
  Settle(call);
}

relay::v1::Session CallRunner::Want(BookedCall& call, const call::MediaSession& media) {
  for (const call::MediaStream& stream : media.streams) {
    const auto known = std::find_if(call.streams.begin(), call.streams.end(),
                                    [&](const BookedCall::Stream& other) { return other.id == stream.id; });
    if (known == call.streams.end()) {
      call.streams.push_back({stream.id, stream.media, stream.codec});
    } else {
      *known = {stream.id, stream.media, stream.codec};
    }
  }
  return ToRelaySession(media, call.summary.call_id, call.summary.caller.sip_call_id, networks_);
}

template <typename Answer, typename Read, typename News>
std::function<void(Answer)> CallRunner::Posted(const BookedCall& call, Read read,
                                               void (CallRunner::*take)(BookedCall&, News, absl::Time)) {
  return [this, post = post_, read, take, call_id = call.summary.call_id](Answer answer) {
    post([this, take, call_id, news = read(std::move(answer))](absl::Time now) mutable {
      --pending_operations_;
      BookedCall* found = parts_.book.Find(call_id);
      if (found != nullptr) (this->*take)(*found, std::move(news), now);
    });
  };
}

void CallRunner::TakeCreated(BookedCall& call, Created created, absl::Time now) {
  if (!created.relay.empty()) call.summary.relay = std::move(created.relay);
  parts_.keeper.NoteAddresses(call.summary.relay, created.translated);
  if (IsWanted(call)) Run(call, call.live->machine.OnMedia(created.media, now), now);
}

void CallRunner::TakeUpdated(BookedCall& call, Updated updated, absl::Time now) {
  parts_.keeper.NoteAddresses(call.summary.relay, updated.translated);
  if (IsWanted(call)) Run(call, call.live->machine.OnMedia(updated.media, now), now);
}

void CallRunner::TakeDeleted(BookedCall& call, std::shared_ptr<const relay::v1::SessionState> statistics, absl::Time) {
  call.media = BookedCall::Media::kDeleted;
  call.statistics = std::move(statistics);
  Settle(call);
}

void CallRunner::MoveTimer(BookedCall& call, call::CallTimer timer, absl::Time at) {
  absl::Time& present = call.live->timers[static_cast<size_t>(timer)];
  if (present != absl::InfiniteFuture()) timers_.erase({present, &call, timer});
  present = at;
  if (at != absl::InfiniteFuture()) timers_.insert({at, &call, timer});
}

sip::ClientTransactionId CallRunner::TransactionOf(const BookedCall& call, call::RequestNumber number) const {
  for (const LiveCall::SentRequest& request : call.live->requests) {
    if (request.number == number) return request.transaction;
  }
  return 0;
}

void CallRunner::ForgetRequest(BookedCall& call, call::RequestNumber number) {
  clients_.erase(TransactionOf(call, number));
  std::erase_if(call.live->requests, [&](const LiveCall::SentRequest& request) { return request.number == number; });
}

void CallRunner::ForgetEarlierInvites(BookedCall& call, call::LegNumber leg) {
  std::erase_if(call.live->requests, [&](const LiveCall::SentRequest& request) {
    const auto found = clients_.find(request.transaction);
    if (found == clients_.end() || !found->second.is_invite || found->second.leg != leg) return false;
    clients_.erase(found);
    return true;
  });
}

void CallRunner::ForgetInvite(BookedCall& call, sip::ServerTransactionId id) {
  servers_.erase(id);
  std::erase(call.live->invites, id);
}

void CallRunner::AbandonAcks(BookedCall& call, call::LegNumber leg, absl::Time now) {
  const std::vector<sip::ServerTransactionId> invites = call.live->invites;
  for (const sip::ServerTransactionId id : invites) {
    if (servers_.at(id).leg != leg) continue;
    parts_.transactions.AbandonAck(id, now);
    ForgetInvite(call, id);
  }
}

LiveCall::Leg& CallRunner::LegOf(BookedCall& call, call::LegNumber leg) const {
  if (call.live->legs.size() < leg) call.live->legs.resize(leg);
  return call.live->legs[leg - 1];
}

void CallRunner::ExportQuality(const BookedCall& call) const {
  if (parts_.hep == nullptr || !parts_.hep->Wants(hep::Payload::kRtcpJson)) return;
  for (const QualityReport& report : MakeQualityReports(call)) {
    parts_.hep->Take({.type = hep::Payload::kRtcpJson,
                      .source = report.source,
                      .destination = report.destination,
                      .time = call.summary.end_time,
                      .payload = report.json,
                      .correlation_id = call.summary.caller.sip_call_id});
  }
}

void CallRunner::Settle(BookedCall& call) {
  if (call.media == BookedCall::Media::kDeleting) return;
  if (!std::exchange(call.recorded, true)) {
    parts_.store.AppendCallRecord(MakeCallRecord(call));
    parts_.keeper.Forget(call);
    ExportQuality(call);
  }
  if (call.live == nullptr) parts_.book.Keep(call);
}

}  // namespace sluice::agent
