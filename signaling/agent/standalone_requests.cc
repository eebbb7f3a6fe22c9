#include "signaling/agent/standalone_requests.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "signaling/agent/tried_server.h"
#include "signaling/call/callee_failure.h"
#include "signaling/call/header_passing.h"
#include "signaling/call/privacy.h"

namespace sluice::agent {
namespace {

constexpr size_t kTagDigits = 16;
// A peer that calls every answer stale is left alone.
constexpr uint32_t kMostChallenges = 3;
// The sender waits for 32 s (Timer F).
constexpr absl::Duration kLongestWait = absl::Seconds(24);
// Less than a controller that stops waits for its shards.
constexpr absl::Duration kLongestDrain = absl::Seconds(3);

// Both ends are the same on either side of us (RFC 7989).
void PassSession(const sip::Message& from, const call::CallOptions& options, sip::Message& to) {
  if (!from.Has(sip::Header::kSessionId) || options.blocked_headers.contains("session-id")) return;
  to.Add(sip::Header::kSessionId, from.Get(sip::Header::kSessionId));
}

}  // namespace

void StandaloneRequests::Pass(sip::ServerTransactionId id, const sip::Message& request, const std::string& display_name,
                              Router::Route route, uint64_t mark, std::shared_ptr<const call::CallOptions> options,
                              absl::Time now) {
  auto made = std::make_unique<Request>();
  made->id = id;
  made->received = request;
  made->display_name = display_name;
  made->mark = mark;
  made->options = std::move(options);
  made->end = now + kLongestWait;
  for (size_t i = 0; i < route.callees.size(); ++i) {
    Way& way = made->ways.emplace_back();
    way.party = std::move(route.callees[i]);
    if (i < route.trunks.size()) way.trunk = std::move(route.trunks[i]);
  }
  Request& kept = *made;
  requests_.emplace(id, std::move(made));
  deadlines_.insert({kept.deadline(), id});
  if (!AskNextGroup(kept, now)) GiveUp(kept, now);
}

bool StandaloneRequests::AskNextGroup(Request& request, absl::Time now) {
  bool asked = false;
  while (!asked) {
    const auto is_unasked = [](const Way& way) { return way.state == Way::State::kUnasked; };
    const auto lower = [&](const Way& a, const Way& b) {
      return is_unasked(a) && (!is_unasked(b) || a.party.group < b.party.group);
    };
    const auto first = std::min_element(request.ways.begin(), request.ways.end(), lower);
    if (first == request.ways.end() || !is_unasked(*first)) return false;
    const uint32_t group = first->party.group;
    const auto count = std::count_if(request.ways.begin(), request.ways.end(),
                                     [&](const Way& way) { return is_unasked(way) && way.party.group == group; });
    if (!DivideBreadth(request, static_cast<uint32_t>(count))) return false;
    absl::Duration patience;
    bool more = false;
    for (size_t i = 0; i < request.ways.size(); ++i) {
      Way& way = request.ways[i];
      if (!is_unasked(way)) continue;
      if (way.party.group != group) {
        more = true;
      } else if (IsAdmitted(request, way, now)) {
        patience = std::max(patience, way.party.patience);
        way.state = Way::State::kAsked;
        Ask(i, request, Make(request, way), now);
        asked = true;
      } else {
        way.state = Way::State::kOver;
        Note(request, OwnFailure(request, 503));
      }
    }
    SetSilence(request, asked && more && patience > absl::ZeroDuration() ? now + patience : absl::InfiniteFuture());
  }
  return true;
}

bool StandaloneRequests::DivideBreadth(Request& request, uint32_t count) {
  if (!request.received.Has(sip::Header::kMaxBreadth)) return true;
  const uint32_t whole = sip::ParseSeconds(request.received.Get(sip::Header::kMaxBreadth)).value_or(0);
  request.breadth = whole / count;
  if (count <= whole) return true;
  request.failure = OwnFailure(request, 440);
  return false;
}

bool StandaloneRequests::IsAdmitted(const Request& request, const Way& way, absl::Time now) {
  if (way.trunk == nullptr) return true;
  const bool is_urgent = request.received.Has("Resource-Priority");
  if (way.trunk->overload_control && !is_urgent &&
      parts_.overload_control.LeavesAway(TriedServer::At(way.party.hop).destination, parts_.ids.NewNumber(), now)) {
    return false;
  }
  // It is no call: only how often it comes is limited.
  const routing::CallLimits limits = {.calls_per_second = way.trunk->limits.calls_per_second};
  CallLimiter::Place place;
  return parts_.limiter.Take(CallLimiter::TrunkKey(way.trunk->name), limits, now, place) ==
         CallLimiter::Verdict::kTaken;
}

sip::Message StandaloneRequests::Make(const Request& request, const Way& way) const {
  const sip::Message& received = request.received;
  const call::Party& party = way.party;
  const std::string& domain = request.options->domain;
  sip::Message made = sip::Message::Request(received.method_name(), party.target_uri);
  for (const std::string& route : party.route) made.Add(sip::Header::kRoute, route);
  // Whether it may go on was seen when it came.
  made.Add(sip::Header::kMaxForwards, absl::StrCat(call::PassedMaxForwards(received).value_or(0)));
  const call::Invitation none;
  const call::Invitation& own = party.invitation == nullptr ? none : *party.invitation;
  std::string from = own.from;
  if (from.empty() && call::HidesSender(received)) from = std::string(call::kAnonymous);
  if (from.empty()) from = call::OwnAddress(received.Get(sip::Header::kFrom), domain, request.display_name);
  made.Add(sip::Header::kFrom, absl::StrCat(from, ";tag=", parts_.ids.NewHex(kTagDigits)));
  made.Add(sip::Header::kTo, own.to.empty() ? call::OwnAddress(received.Get(sip::Header::kTo), domain) : own.to);
  made.Add(sip::Header::kCallId, parts_.ids.NewCallId());
  made.Add(sip::Header::kCSeq, absl::StrCat("1 ", received.method_name()));
  if (request.breadth != 0) made.Add(sip::Header::kMaxBreadth, absl::StrCat(request.breadth));
  call::PassHeaders(received, request.options->blocked_headers, made);
  PassSession(received, *request.options, made);
  if (!own.identity.empty()) call::AssertIdentity(own.identity, own.hides_identity, made);
  if (!made.Has(sip::Header::kUserAgent)) made.Add(sip::Header::kUserAgent, request.options->user_agent);
  call::PassBody(received, made);
  return made;
}

void StandaloneRequests::Ask(size_t way, Request& request, sip::Message message, absl::Time now) {
  Way& asked = request.ways[way];
  // Only who can be challenged is asked again.
  if (asked.party.credentials != nullptr) asked.sent = message;
  asked.transaction = parts_.transactions.SendRequest(std::move(message), asked.party.hop, now, request.mark);
  asked_[asked.transaction] = {&request, way};
}

bool StandaloneRequests::AnswerChallenge(Way& way, const sip::Message& response) {
  if (way.party.credentials == nullptr || (response.status() != 401 && response.status() != 407)) return false;
  if (way.challenges >= kMostChallenges) return false;
  const call::Credentials& us = *way.party.credentials;
  if (!way.digest.has_value()) way.digest.emplace(us.username, us.password, us.realm);
  if (!way.digest->Accept(response)) return false;
  ++way.challenges;
  sip::Message& again = way.sent;
  again.Set(sip::Header::kCSeq, absl::StrCat(again.CSeqNumber() + 1, " ", again.method_name()));
  again.Remove(sip::Header::kAuthorization);
  again.Remove(sip::Header::kProxyAuthorization);
  way.digest->Authorize(again, parts_.ids.NewHex(kTagDigits));
  return true;
}

bool StandaloneRequests::OnResponse(sip::ClientTransactionId id, const sip::Message& response, absl::Time now) {
  const auto found = asked_.find(id);
  if (found == asked_.end()) return false;
  const auto [request, index] = found->second;
  Way& way = request->ways[index];
  way.answered = true;
  if (way.trunk != nullptr) parts_.health.Heard(TriedServer::At(way.party.hop), response, now);
  // A provisional response to what is no INVITE does more harm than good (RFC 4320).
  if (response.is_provisional()) return true;
  asked_.erase(found);
  if (AnswerChallenge(way, response)) {
    Ask(index, *request, way.sent, now);
  } else if (response.is_success()) {
    Answer(*request, response, now);
  } else {
    Fail(*request, way, response, now);
  }
  return true;
}

bool StandaloneRequests::OnFailure(sip::ClientTransactionId id, sip::TransactionFailure failure, absl::Time now) {
  const auto found = asked_.find(id);
  if (found == asked_.end()) return false;
  const auto [request, index] = found->second;
  asked_.erase(found);
  Way& way = request->ways[index];
  const bool is_silent = failure == sip::TransactionFailure::kTimeout;
  if (is_silent) NoteSilence(way, now);
  Fail(*request, way, OwnFailure(*request, is_silent ? 408 : 503), now);
  return true;
}

void StandaloneRequests::NoteSilence(const Way& way, absl::Time now) {
  if (way.trunk != nullptr && !way.answered) parts_.health.Failed(TriedServer::At(way.party.hop), now);
}

void StandaloneRequests::Fail(Request& request, Way& way, const sip::Message& response, absl::Time now) {
  way.state = Way::State::kOver;
  Note(request, response);
  // 6xx speaks for the target wherever it is (RFC 3261 16.7 step 5).
  if (response.status() < 600) {
    const bool others = std::any_of(request.ways.begin(), request.ways.end(),
                                    [](const Way& other) { return other.state == Way::State::kAsked; });
    if (others || (call::IsOutOfService(request.failure->status()) && AskNextGroup(request, now))) return;
  }
  GiveUp(request, now);
}

void StandaloneRequests::Note(Request& request, const sip::Message& failure) {
  if (!request.failure.has_value() ||
      call::FailureRank(failure.status()) < call::FailureRank(request.failure->status())) {
    request.failure = failure;
  }
}

sip::Message StandaloneRequests::OwnFailure(const Request& request, uint16_t status) {
  sip::Message failure = sip::Message::Response(status);
  failure.Add(sip::Header::kServer, request.options->user_agent);
  if (status == 503) failure.Add(sip::Header::kRetryAfter, absl::StrCat(request.options->retry_after_seconds));
  return failure;
}

void StandaloneRequests::GiveUp(Request& request, absl::Time now) {
  // Copied: the request goes before its answer does.
  const sip::Message failure =
      request.failure.has_value() ? *request.failure : OwnFailure(request, draining_ ? 503 : 480);
  Answer(request, failure, now);
}

void StandaloneRequests::Answer(Request& request, const sip::Message& response, absl::Time now) {
  sip::Message answer =
      call::PassedResponse(request.received, response, parts_.ids.NewHex(kTagDigits), request.options->blocked_headers);
  PassSession(response, *request.options, answer);
  // A redirection is nothing without its targets.
  if (response.status() >= 300 && response.status() < 400) {
    for (const absl::string_view contact : response.Elements(sip::Header::kContact)) {
      answer.Add(sip::Header::kContact, contact);
    }
  }
  const sip::ServerTransactionId id = request.id;
  for (const Way& way : request.ways) asked_.erase(way.transaction);
  deadlines_.erase({request.deadline(), id});
  requests_.erase(id);
  parts_.transactions.Respond(id, std::move(answer), now);
}

void StandaloneRequests::SetSilence(Request& request, absl::Time silence) {
  deadlines_.erase({request.deadline(), request.id});
  request.silence = silence;
  deadlines_.insert({request.deadline(), request.id});
}

void StandaloneRequests::SetEnd(Request& request, absl::Time end) {
  deadlines_.erase({request.deadline(), request.id});
  request.end = end;
  deadlines_.insert({request.deadline(), request.id});
}

void StandaloneRequests::Drain(absl::Time now) {
  draining_ = true;
  for (const auto& [id, request] : requests_) SetEnd(*request, std::min(request->end, now + kLongestDrain));
}

absl::Time StandaloneRequests::NextDeadline() const {
  return deadlines_.empty() ? absl::InfiniteFuture() : deadlines_.begin()->first;
}

void StandaloneRequests::Advance(absl::Time now) {
  while (NextDeadline() <= now) {
    Request& request = *requests_.at(deadlines_.begin()->second);
    if (request.end <= now) {
      GiveUp(request, now);
    } else {
      OnSilence(request, now);
    }
  }
}

void StandaloneRequests::OnSilence(Request& request, absl::Time now) {
  SetSilence(request, absl::InfiniteFuture());
  const auto is_asked = [](const Way& way) { return way.state == Way::State::kAsked; };
  const auto has_answered = [&](const Way& way) { return is_asked(way) && way.answered; };
  if (std::any_of(request.ways.begin(), request.ways.end(), has_answered)) return;
  // A 2xx of theirs is still welcome.
  for (Way& way : request.ways) {
    if (!is_asked(way)) continue;
    NoteSilence(way, now);
    way.state = Way::State::kOver;
  }
  if (!AskNextGroup(request, now)) GiveUp(request, now);
}

}  // namespace sluice::agent
