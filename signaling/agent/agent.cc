#include "signaling/agent/agent.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "signaling/agent/cdr.h"
#include "signaling/agent/options_request.h"
#include "signaling/agent/registration.h"
#include "signaling/agent/standing_call.h"
#include "signaling/agent/trunk_parties.h"

namespace sluice::agent {
namespace {

constexpr size_t kTagDigits = 16;
constexpr absl::string_view kAllow =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, PRACK, UPDATE, INFO, MESSAGE, NOTIFY, REFER";
constexpr absl::string_view kSupported = "timer, 100rel, path, replaces";

const std::vector<absl::string_view>& SupportedOptions(sip::Method method) {
  static const auto& in_register = *new std::vector<absl::string_view>{"path"};
  static const auto& in_dialogs = *new std::vector<absl::string_view>{"timer", "100rel", "replaces"};
  return method == sip::Method::kRegister ? in_register : in_dialogs;
}

std::string NewKey(IdSource& ids) { return absl::StrCat(ids.NewHex(32), ids.NewHex(32)); }

}  // namespace

Agent::Agent(const AgentOptions& options, const Surroundings& surroundings, IdSource ids, PostFunction post)
    : options_(options),
      network_(surroundings.network),
      ids_(std::move(ids)),
      loop_guard_(ids_.NewNumber()),
      registrar_(surroundings.store, options.registrar),
      trunk_servers_(surroundings.resolver, surroundings.network),
      router_(options.domains,
              {surroundings.network, surroundings.store, registrar_, trunk_servers_, surroundings.health,
               surroundings.cluster != nullptr},
              [this] { return ids_.NewNumber(); }),
      admission_gate_(surroundings.admission, post),
      limiter_(surroundings.limiter),
      dialogs_(surroundings.dialogs),
      post_(std::move(post)),
      cluster_(surroundings.cluster),
      authenticator_(options.authentication, surroundings.store, NewKey(ids_)),
      identifier_(router_, authenticator_),
      book_(options.kept_calls),
      keeper_(surroundings.store, surroundings.network, options.keeps_calls),
      trace_({book_, counters_, surroundings.hep}, options.trace_bytes, options.unclaimed_ladders),
      large_requests_(network_),
      transactions_(options.transactions, *this, *this, [this] { return ids_.NewNumber(); }),
      runner_({transactions_, book_, surroundings.fleet, surroundings.store, ids_, counters_, limiter_, keeper_,
               surroundings.health, overload_control_, surroundings.hep,
               [this](const std::string& call_id, const call::FindTarget& wanted, absl::Time now) {
                 FindTarget(call_id, wanted, now);
               },
               surroundings.cluster},
              options.networks, post_),
      standalone_({transactions_, ids_, limiter_, surroundings.health, overload_control_}),
      keepalive_(surroundings.store, options.keepalive_interval) {
  if (cluster_ != nullptr) {
    forwarder_.emplace(
        DialogForwarder::Parts{transactions_, network_, *cluster_,
                               [this](sip::ServerTransactionId id, const sip::Message& request, const sip::Hop& hop,
                                      absl::Time) { return ServeDialogOfOurs(id, request, hop); },
                               [this](sip::ServerTransactionId id, const sip::Message& request, uint16_t status) {
                                 Reply(id, Response(request, status));
                               }});
  }
  if (options.looks_after_trunks) {
    ServerHealth& health = surroundings.health;
    trunk_registrar_.emplace(
        TrunkRegistrar::Parts{transactions_, network_, ids_, surroundings.trunks, trunk_servers_, health},
        options.server);
    trunk_prober_.emplace(TrunkProber::Parts{transactions_, network_, ids_, health, trunk_servers_}, options.server);
  }
  SetPresentOptions(options.present, absl::InfinitePast());
}

void Agent::SetPresentOptions(const PresentOptions& options, absl::Time now) {
  now_ = now;
  present_ = options;
  auto released = std::make_shared<call::CallOptions>(*options.calls);
  released->media_released = true;
  released_options_ = std::move(released);
  router_.SetPlan(options.plan);
  admission_gate_.SetPolicy(options.admission);
  trunk_servers_.SetPlan(*options.plan, now);
  if (trunk_registrar_.has_value()) trunk_registrar_->SetPlan(*options.plan, now);
}

void Agent::OnMessage(const sip::Hop& hop, absl::string_view bytes, absl::Time now) {
  now_ = now;
  transactions_.OnMessage(hop, bytes, now);
  counters_.Publish(transactions_.statistics());
}

void Agent::OnUndelivered(absl::string_view bytes, absl::Time now) {
  now_ = now;
  transactions_.OnUndelivered(bytes);
}

void Agent::OnSessionEvent(const relay::v1::Event& event, absl::Time now) {
  now_ = now;
  runner_.OnSessionEvent(event, now);
}

void Agent::OnSessionLost(const std::string& session_id, const absl::Status& reason, absl::Time now) {
  now_ = now;
  runner_.OnSessionLost(session_id, reason, now);
}

void Agent::Advance(absl::Time now) {
  now_ = now;
  transactions_.Advance(now);
  runner_.Advance(now);
  standalone_.Advance(now);
  keeper_.Advance(now);
  if (forwarder_.has_value()) forwarder_->Advance(now);
  SendKeepalives();
  if (trunk_servers_.NextDeadline() <= now) trunk_servers_.Advance(now);
  if (trunk_registrar_.has_value()) trunk_registrar_->Advance(now);
  if (trunk_prober_.has_value()) trunk_prober_->Advance(now);
  counters_.Publish(transactions_.statistics());
}

absl::Time Agent::NextDeadline() const {
  absl::Time next = std::min({transactions_.NextDeadline(), runner_.NextDeadline(), standalone_.NextDeadline(),
                              keeper_.NextDeadline(), keepalive_.NextDeadline(), trunk_servers_.NextDeadline()});
  if (forwarder_.has_value()) next = std::min(next, forwarder_->NextDeadline());
  if (trunk_registrar_.has_value()) next = std::min(next, trunk_registrar_->NextDeadline());
  if (trunk_prober_.has_value()) next = std::min(next, trunk_prober_->NextDeadline());
  return next;
}

void Agent::SendKeepalives() {
  for (const NatKeepalive::Ping& ping : keepalive_.Due(now_)) {
    // Another controller has the way that this one's NAT keeps open.
    if (cluster_ != nullptr && !network_.ListensOn(ping.hop.protocol, ping.hop.local)) continue;
    // Whatever the answer is, it has gone through the NAT.
    transactions_.SendRequest(MakeOptions(ping.uri, network_.Advertised(ping.hop), options_.server, ids_), ping.hop,
                              now_);
  }
}

absl::Status Agent::Restore(const store::StandingCall& kept, absl::Time now) {
  now_ = now;
  if (book_.Find(kept.call_id) != nullptr) return absl::AlreadyExistsError("it goes on here already");
  state::v1::StandingCall state;
  absl::Status status = ReadStandingCall(kept.state, state);
  if (status.ok() && state.call_id() != kept.call_id) status = absl::InvalidArgumentError("its name is damaged");
  if (status.ok() && !keeper_.keeps()) status = absl::FailedPreconditionError("store.keep_calls is false");
  if (status.ok()) {
    for (state::v1::Leg& leg : *state.mutable_call()->mutable_legs()) Translate(state, leg);
    status = runner_.Restore(
        state, state.call().media_released() ? released_options_ : present_.calls,
        [this](const std::string& account) { return CredentialsOfTrunk(account); }, now);
  }
  if (!status.ok()) {
    runner_.Lose(kept.call_id, state, status.message(), now);
  } else if (cluster_ != nullptr) {
    // It is kept in the name of who had it.
    keeper_.Note(*book_.Find(kept.call_id), now);
  }
  return status;
}

void Agent::Translate(const state::v1::StandingCall& state, state::v1::Leg& leg) {
  state::v1::Party& party = *leg.mutable_party();
  state::v1::Hop& hop = *party.mutable_hop();
  const auto of_number = [&](const auto& texts) {
    const auto text = texts.find(hop.tls_peer());
    return text == texts.end() ? std::string() : text->second;
  };
  hop.set_tls_peer(network_.TlsPeerNumber({of_number(state.tls_names()), of_number(state.tls_trunks())}));
  if (cluster_ == nullptr) return;
  const std::optional<sip::Protocol> protocol = sip::ParseProtocol(hop.protocol());
  const std::optional<sip::Endpoint> local = sip::Endpoint::Parse(hop.local());
  const std::optional<sip::Endpoint> remote = sip::Endpoint::Parse(hop.remote());
  // Without these it is damaged, which is not said here. With a shared address nothing has changed.
  if (!protocol || !local || !remote || network_.ListensOn(*protocol, *local)) return;
  const sip::Hop ours = network_.HopTo(*protocol, *remote);
  hop.set_local(ours.local.ToString());
  party.set_advertised(network_.Advertised(ours));
  leg.set_has_moved(true);
}

std::shared_ptr<const call::Credentials> Agent::CredentialsOfTrunk(const std::string& name) const {
  const std::shared_ptr<const routing::Trunk> trunk = present_.plan->FindTrunk(name);
  return trunk == nullptr ? nullptr : CredentialsOf(*trunk);
}

void Agent::Drain(absl::Time now) {
  now_ = now;
  draining_ = true;
  if (trunk_registrar_.has_value()) trunk_registrar_->Stop(now);
  standalone_.Drain(now);
  keeper_.KeepAll(now);
  for (BookedCall* call : book_.Live()) {
    if (keeper_.IsKept(*call)) continue;
    runner_.HangUp(*call, call::Ended::By::kController, "Controller is stopping", now);
  }
}

std::vector<CallSummary> Agent::Page(absl::Time time, absl::string_view call_id, size_t size) const {
  std::vector<CallSummary> page;
  for (const BookedCall* call : book_.Page(time, call_id, size)) page.push_back(call->summary);
  return page;
}

absl::StatusOr<CallDetails> Agent::GetCall(absl::string_view call_id, bool include_messages) {
  const BookedCall* call = book_.Find(call_id);
  if (call == nullptr) return absl::NotFoundError(absl::StrCat("call_id: there is no call ", call_id));
  return CallDetails{call->summary, LegRecordsOf(*call), trace_.Entries(call->ladder, include_messages),
                     call->statistics};
}

absl::Status Agent::HangUpCall(absl::string_view call_id, absl::Time now) {
  now_ = now;
  BookedCall* call = book_.Find(call_id);
  if (call == nullptr) return absl::NotFoundError(absl::StrCat("call_id: there is no call ", call_id));
  if (call->live == nullptr) return absl::FailedPreconditionError(absl::StrCat("call_id: ", call_id, " has ended"));
  runner_.HangUp(*call, call::Ended::By::kOperator, "Ended by an operator", now);
  return absl::OkStatus();
}

Agent::Remains Agent::remains() const {
  return {.calls = book_.live_size(),
          .standalone_requests = standalone_.size(),
          .dialogs = book_.dialog_size(),
          .call_transactions = runner_.known_transactions(),
          .transactions = transactions_.statistics().transactions,
          .pending_operations = runner_.pending_operations(),
          .forwarded_requests = forwarder_.has_value() ? forwarder_->size() : 0};
}

void Agent::Send(const sip::Hop& hop, absl::string_view message, bool) { network_.Send(hop, message); }

std::string Agent::SentBy(const sip::Hop& hop) { return network_.Advertised(hop); }

absl::string_view Agent::ViaParameters(const sip::Hop& hop) {
  const bool asks = trunk_servers_.HasOverloadControl({hop.protocol, hop.remote});
  return asks ? OverloadControl::kViaParameters : absl::string_view();
}

sip::Message Agent::Response(const sip::Message& request, uint16_t status, absl::string_view reason) const {
  sip::Message response = sip::Message::ResponseTo(request, status, ids_.NewHex(kTagDigits), reason);
  if (status == 503) response.Add(sip::Header::kRetryAfter, absl::StrCat(options_.retry_after_seconds));
  return response;
}

void Agent::Reply(sip::ServerTransactionId id, sip::Message response) {
  response.Add(sip::Header::kServer, options_.server);
  transactions_.Respond(id, std::move(response), now_);
}

void Agent::ReplyToStranger(sip::ServerTransactionId id, sip::Message response) {
  response.Add(sip::Header::kServer, options_.server);
  transactions_.RespondStatelessly(id, response);
}

void Agent::OnRequest(sip::ServerTransactionId id, const sip::Message& request, const sip::Hop& hop) {
  if (std::optional<sip::Message> refusal = RefuseRequest(request); refusal.has_value()) {
    return Reply(id, *std::move(refusal));
  }
  const std::vector<absl::string_view> unsupported = request.UnsupportedOptions(SupportedOptions(request.method()));
  if (!unsupported.empty()) {
    sip::Message response = Response(request, 420);
    response.Add(sip::Header::kUnsupported, absl::StrJoin(unsupported, ", "));
    return Reply(id, std::move(response));
  }
  if (!request.ToTag().empty()) return ServeInDialog(id, request, hop);
  switch (request.method()) {
    case sip::Method::kRegister:
      return OnRegister(id, request, hop);
    case sip::Method::kInvite:
      return OnInvite(id, request, hop);
    case sip::Method::kOptions: {
      // Whoever asks before it sends calls is to ask another one.
      sip::Message response = Response(request, takes_calls_ ? 200 : 503);
      response.Add(sip::Header::kAllow, kAllow);
      response.Add(sip::Header::kAccept, "application/sdp");
      response.Add(sip::Header::kSupported, kSupported);
      return Reply(id, std::move(response));
    }
    case sip::Method::kMessage:
    case sip::Method::kInfo:
      return OnStandalone(id, request, hop);
    // These belong to a dialog and name none.
    case sip::Method::kBye:
    case sip::Method::kPrack:
    case sip::Method::kUpdate:
      return Reply(id, Response(request, 481));
    default: {
      sip::Message response = Response(request, 405);
      response.Add(sip::Header::kAllow, kAllow);
      return Reply(id, std::move(response));
    }
  }
}

void Agent::ServeInDialog(sip::ServerTransactionId id, const sip::Message& request, const sip::Hop& hop) {
  if (ServeDialogOfOurs(id, request, hop)) return;
  if (forwarder_.has_value() && forwarder_->Take(id, request, hop, now_)) return;
  Reply(id, Response(request, 481));
}

bool Agent::ServeDialogOfOurs(sip::ServerTransactionId id, const sip::Message& request, const sip::Hop& hop) {
  // Another controller that has passed it on is not where the peer is.
  const bool is_passed = cluster_ != nullptr && cluster_->IsMember(hop.remote);
  if (!runner_.OnRequest(id, request, is_passed ? sip::Hop() : hop, now_)) return false;
  network_.Trust(hop.remote);
  return true;
}

std::optional<sip::Message> Agent::RefuseRequest(const sip::Message& request) const {
  const absl::string_view user_agent = request.Get(sip::Header::kUserAgent);
  for (const std::string& refused : options_.refused_user_agents) {
    if (absl::StartsWithIgnoreCase(user_agent, refused)) return Response(request, 403);
  }
  // What is carried beside SDP in one body counts with it: it is read as a whole.
  const bool has_sdp = request.method() == sip::Method::kInvite || request.method() == sip::Method::kUpdate ||
                       request.method() == sip::Method::kPrack;
  if (has_sdp && request.body().size() > options_.max_sdp_bytes) return Response(request, 413);
  return std::nullopt;
}

void Agent::OnRegister(sip::ServerTransactionId id, const sip::Message& request, const sip::Hop& hop) {
  const std::optional<sip::Uri> domain = request.RequestUri();
  const std::optional<sip::NameAddress> address = request.To();
  if (!domain.has_value() || !domain->is_sip() || !address.has_value()) return Reply(id, Response(request, 416));
  if (!router_.IsOurs(*domain, hop)) return Reply(id, Response(request, 404, "Domain is not served here"));
  Authenticator::Result who = authenticator_.Authenticate(request, hop, transactions_.StatelessToTag(request), now_);
  if (who.account == nullptr) return ReplyToStranger(id, *std::move(who.refusal));
  network_.Trust(hop.remote);
  // RFC 3261 10.3 step 4: nobody binds contacts to another one's number.
  if (address->uri.DecodedUser() != who.account->name) {
    return Reply(id, Response(request, 403, "To is not the account's own number"));
  }
  const registrar::RegistrationResult result =
      registrar_.Register(ReadRegistration(request, hop, who.account->name), now_);
  Reply(id, MakeRegisterResponse(request, result, ids_.NewHex(kTagDigits), now_));
}

bool Agent::IsOverloaded() const {
  const size_t most = options_.transactions.max_transactions;
  return book_.live_size() >= options_.max_calls || transactions_.statistics().transactions > most - most / 10;
}

std::optional<sip::Message> Agent::RefuseToPass(const sip::Message& request, const sip::Hop& hop) const {
  const std::optional<sip::Uri> uri = request.RequestUri();
  if (!uri.has_value() || uri->scheme() == sip::Scheme::kOther) return Response(request, 416);
  if (request.MaxForwards() == 0u) return Response(request, 483);
  if (LoopGuard::HasCome(request, loop_guard_.MarkOf(uri->DecodedUser()))) return Response(request, 482);
  const CallBook::Found known = book_.FindLeg(request.CallId());
  if (known.call != nullptr && known.call->live != nullptr) {
    // Our own INVITE to a callee has come back, or the caller's has come twice by different ways (RFC 3261 8.2.2.2).
    // Only from a trunk it may have become another one on its way, as our Via in it proves (LoopGuard).
    const LiveCall& live = *known.call->live;
    const bool merged = live.from_tag == request.FromTag() && live.invite_cseq == request.CSeqNumber();
    const bool may_spiral = router_.TrunkOf(hop) != nullptr && LoopGuard::HasCome(request, live.mark);
    if (known.leg == call::kCaller ? merged : !may_spiral) return Response(request, 482);
  }
  if (draining_ || !takes_calls_ || IsOverloaded()) return Response(request, 503);
  return std::nullopt;
}

std::optional<CallerIdentity> Agent::Identify(sip::ServerTransactionId id, const sip::Message& request,
                                              const sip::Hop& hop) {
  CallerIdentifier::Result result = identifier_.Identify(request, hop, transactions_.StatelessToTag(request), now_);
  if (result.who.has_value()) network_.Trust(hop.remote);
  if (result.challenge.has_value()) {
    ReplyToStranger(id, *std::move(result.challenge));
  } else if (result.status != 0) {
    Reply(id, Response(request, result.status, result.reason));
  }
  return std::move(result.who);
}

const routing::CallLimits& Agent::LimitsOf(const CallerIdentity& who) const {
  return who.account != nullptr ? present_.account_limits : who.trunk->limits;
}

uint16_t Agent::TakePlace(const CallerIdentity& who, const routing::CallLimits& limits, CallLimiter::Place& place) {
  const bool is_account = who.account != nullptr;
  const std::string key = is_account ? CallLimiter::AccountKey(who.name()) : CallLimiter::TrunkKey(who.name());
  switch (limiter_.Take(key, limits, now_, place)) {
    case CallLimiter::Verdict::kTaken:
      return 0;
    case CallLimiter::Verdict::kTooMany:
      return is_account ? 486 : 503;
    case CallLimiter::Verdict::kTooFast:
      break;
  }
  return 503;
}

void Agent::OnInvite(sip::ServerTransactionId id, const sip::Message& request, const sip::Hop& hop) {
  if (std::optional<sip::Message> refusal = RefuseToPass(request, hop); refusal.has_value()) {
    return Reply(id, *std::move(refusal));
  }
  const std::optional<CallerIdentity> who = Identify(id, request, hop);
  if (!who.has_value()) return;
  if (request.Has(sip::Header::kReplaces)) return ReplaceDialog(id, request, hop, *who);
  Router::Route route = router_.Find(*request.RequestUri(), hop, *who, present_.calls->domain, now_);
  if (!admission_gate_.Asks(route)) {
    StartCall(id, request, hop, *who, std::move(route), false);
    return;
  }
  const std::string call_id = StartCall(id, request, hop, *who, route, true);
  if (call_id.empty()) return;
  GoBy(std::move(route), call_id, call::kCallersQuestion, admission::Occasion::kCall, *who, now_);
}

void Agent::OnStandalone(sip::ServerTransactionId id, const sip::Message& request, const sip::Hop& hop) {
  if (std::optional<sip::Message> refusal = RefuseToPass(request, hop); refusal.has_value()) {
    return Reply(id, *std::move(refusal));
  }
  const std::optional<CallerIdentity> who = Identify(id, request, hop);
  if (!who.has_value()) return;
  Router::Route route = router_.Find(*request.RequestUri(), hop, *who, present_.calls->domain, now_);
  if (route.status == 0) {
    // It is no call: only how often it comes is limited.
    CallLimiter::Place place;
    route.status = TakePlace(*who, {.calls_per_second = LimitsOf(*who).calls_per_second}, place);
    if (route.status != 0) route.reason = "Limit of requests is reached";
  }
  if (route.status != 0) return Reply(id, Response(request, route.status, route.reason));
  const uint64_t mark = loop_guard_.MarkOf(route.number);
  standalone_.Pass(id, request, who->display_name, std::move(route), mark, present_.calls, now_);
}

void Agent::ReplaceDialog(sip::ServerTransactionId id, const sip::Message& request, const sip::Hop& hop,
                          const CallerIdentity& who) {
  const std::optional<sip::Replaces> dialog = request.Replaces();
  if (!dialog.has_value()) return Reply(id, Response(request, 400, "Replaces cannot be read"));
  ReplacementRequest wanted = {*dialog, {who.name()}};
  // Referred by one of the two whose call it is: one that has it done.
  for (const sip::NameAddress& referrer : request.Addresses(sip::Header::kReferredBy)) {
    wanted.by.push_back(referrer.uri.DecodedUser());
  }
  Router::Route unknown;
  unknown.number = request.RequestUri()->DecodedUser();
  const std::string call_id = StartCall(id, request, hop, who, std::move(unknown), true);
  if (call_id.empty()) return;
  dialogs_.FindReplacement(wanted, [this, post = post_, call_id, who](Router::Route route) {
    post([this, call_id, who, route = std::move(route)](absl::Time now) {
      GoBy(route, call_id, call::kCallersQuestion, admission::Occasion::kCall, who, now);
    });
  });
}

std::string Agent::StartCall(sip::ServerTransactionId id, const sip::Message& request, const sip::Hop& hop,
                             const CallerIdentity& who, Router::Route route, bool waits) {
  CallSummary summary;
  summary.caller.number = who.number;
  summary.caller.account = who.name();
  summary.caller.display_name = who.display_name;
  summary.callee.number = route.number;
  summary.callee.account = route.account;
  summary.callee.display_name = route.display_name;
  const call::Party caller = router_.Caller(request, hop, who);
  Ladder ladder = trace_.Claim(request.CallId(), now_);
  CallRunner::Places places;
  if (route.status == 0) {
    route.status = TakePlace(who, LimitsOf(who), places.caller);
    if (route.status != 0) route.reason = "Limit of calls is reached";
  }
  if (route.status == 0) {
    if (!waits) places.trunks = std::move(route.trunks);
    places.mark = loop_guard_.MarkOf(route.number);
    return runner_.Start(route.media_released ? released_options_ : present_.calls, request, id, std::move(summary),
                         std::move(ladder), caller, waits ? std::vector<call::Party>() : route.callees,
                         std::move(places), now_);
  }
  sip::Message refusal = Response(request, route.status, route.reason);
  runner_.Refuse(request, std::move(summary), std::move(ladder), caller, route.status, refusal.reason(), now_);
  Reply(id, std::move(refusal));
  return "";
}

void Agent::FindTarget(const std::string& call_id, const call::FindTarget& wanted, absl::Time now) {
  const auto refuse = [&](uint16_t status) {
    Router::Route none;
    none.status = status;
    runner_.OnRoute(call_id, wanted.question, none, now);
  };
  if (draining_ || IsOverloaded()) return refuse(503);
  const std::optional<sip::Uri> target = sip::Uri::Parse(wanted.target);
  std::optional<CallerIdentity> who = router_.Recognize(wanted.account, wanted.is_phone, wanted.number);
  if (!who.has_value()) return refuse(403);
  who->anonymous = wanted.anonymous;
  const auto occasion = wanted.is_transfer ? admission::Occasion::kTransfer : admission::Occasion::kRedirection;
  if (wanted.replaces.has_value()) {
    const ReplacementRequest request = {*wanted.replaces, {who->name()}};
    dialogs_.FindReplacement(
        request, [this, post = post_, call_id, question = wanted.question, occasion, who](Router::Route route) {
          post([this, call_id, question, occasion, who, route = std::move(route)](absl::Time then) {
            GoBy(route, call_id, question, occasion, *who, then);
          });
        });
    return;
  }
  if (!target.has_value() || target->scheme() == sip::Scheme::kOther) return refuse(416);
  GoBy(router_.Find(*target, wanted.hop, *who, present_.calls->domain, now), call_id, wanted.question, occasion, *who,
       now);
}

void Agent::GoBy(Router::Route route, const std::string& call_id, uint32_t question, admission::Occasion occasion,
                 const CallerIdentity& who, absl::Time now) {
  admission::Question asked;
  asked.call_id = call_id;
  asked.payer = who.name();
  asked.is_trunk = who.trunk != nullptr;
  asked.calling = who.number;
  asked.occasion = occasion;
  admission_gate_.Pass(std::move(asked), std::move(route), now,
                       [this, call_id, question](const Router::Route& decided, absl::Time then) {
                         now_ = then;
                         runner_.OnRoute(call_id, question, decided, then);
                       });
}

Router::Route Agent::FindReplacement(const ReplacementRequest& request) const {
  Router::Route route;
  route.status = 481;
  const CallBook::Found found = book_.FindDialog(request.dialog.call_id, request.dialog.to_tag);
  if (found.call == nullptr || found.call->live == nullptr) return route;
  std::optional<call::Replacement> replacement =
      found.call->live->machine.FindReplacement(found.leg, request.dialog.from_tag);
  if (!replacement.has_value()) return route;
  route.status = 403;
  if (std::find(request.by.begin(), request.by.end(), replacement->account) == request.by.end()) return route;
  route.status = 486;
  if (request.dialog.early_only && !replacement->is_early) return route;
  route.status = 0;
  route.number = std::move(replacement->number);
  route.account = replacement->party.account;
  route.callees.push_back(std::move(replacement->party));
  return route;
}

void Agent::OnCancel(sip::ServerTransactionId id, const sip::Message& cancel) {
  if (forwarder_.has_value() && forwarder_->OnCancel(id, cancel, now_)) return;
  runner_.OnCancel(id, cancel, now_);
}

void Agent::OnAck(sip::ServerTransactionId id, const sip::Message& ack, const sip::Hop&) {
  if (forwarder_.has_value() && forwarder_->OnAck(id, ack, now_)) return;
  runner_.OnAck(id, ack, now_);
}

void Agent::OnStrayAck(const sip::Message& ack, const sip::Hop& hop) {
  if (forwarder_.has_value()) forwarder_->PassAck(ack, hop, now_);
}

void Agent::OnAckMissing(sip::ServerTransactionId id) {
  if (forwarder_.has_value() && forwarder_->OnAckMissing(id)) return;
  runner_.OnAckMissing(id, now_);
}

void Agent::OnResponse(sip::ClientTransactionId id, const sip::Message& response, const sip::Hop& hop) {
  network_.Trust(hop.remote);
  const dns::Destination server = {hop.protocol, hop.remote};
  if (trunk_servers_.HasOverloadControl(server)) {
    if (const std::optional<sip::Via> via = response.TopVia()) overload_control_.OnResponse(server, *via, now_);
  }
  if (trunk_registrar_.has_value() && trunk_registrar_->OnResponse(id, response, now_)) return;
  if (trunk_prober_.has_value() && trunk_prober_->OnResponse(id, response, now_)) return;
  if (standalone_.OnResponse(id, response, now_)) return;
  if (forwarder_.has_value() && forwarder_->OnResponse(id, response, now_)) return;
  runner_.OnResponse(id, response, hop, now_);
}

void Agent::OnSuccessAgain(sip::ClientTransactionId id, const sip::Message& response) {
  if (forwarder_.has_value()) forwarder_->OnResponse(id, response, now_);
}

void Agent::OnFailure(sip::ClientTransactionId id, sip::TransactionFailure failure) {
  if (trunk_registrar_.has_value() && trunk_registrar_->OnFailure(id, failure, now_)) return;
  if (trunk_prober_.has_value() && trunk_prober_->OnFailure(id, now_)) return;
  if (standalone_.OnFailure(id, failure, now_)) return;
  if (forwarder_.has_value() && forwarder_->OnFailure(id, failure)) return;
  runner_.OnFailure(id, failure, now_);
}

void Agent::OnTrace(bool received, const sip::Hop& hop, const sip::Message& message, absl::string_view bytes, bool) {
  trace_.Take(received, hop, message, bytes, now_);
}

}  // namespace sluice::agent
