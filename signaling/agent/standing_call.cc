#include "signaling/agent/standing_call.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "signaling/call/standing_time.h"
#include "signaling/store/call_record.h"

namespace sluice::agent {
namespace {

using call::NanosOf;
using call::TimeOf;

state::v1::Subscriber ToState(const store::CallParty& party) {
  state::v1::Subscriber state;
  state.set_number(party.number);
  state.set_display_name(party.display_name);
  state.set_sip_call_id(party.sip_call_id);
  state.set_peer(party.peer);
  state.set_user_agent(party.user_agent);
  state.set_account(party.account);
  return state;
}

store::CallParty PartyOf(const state::v1::Subscriber& state) {
  return {.number = state.number(),
          .display_name = state.display_name(),
          .sip_call_id = state.sip_call_id(),
          .peer = state.peer(),
          .user_agent = state.user_agent(),
          .account = state.account()};
}

// Beyond any call of ours: a number that is damaged must not ask for memory.
constexpr call::LegNumber kMostLegs = 1024;

void FillEnd(const LiveCall::LegEnd& end, state::v1::RecordedLeg& state) {
  state.set_end_nanos(1000 * end.time);
  state.set_q850_cause(end.cause);
  state.set_ended_by(static_cast<uint32_t>(end.by));
}

LiveCall::LegEnd EndOf(const state::v1::RecordedLeg& state) {
  const bool is_known = state.ended_by() <= static_cast<uint32_t>(store::kLastEndedBy);
  return {.time = state.end_nanos() / 1000,
          .cause = static_cast<uint16_t>(state.q850_cause()),
          .by = is_known ? static_cast<store::EndedBy>(state.ended_by()) : store::EndedBy::kUnknown};
}

void FillLeg(const BookedCall& call, call::LegNumber number, const LiveCall::Leg& leg, state::v1::RecordedLeg& state) {
  state.set_number(number);
  state.set_is_on_callers_side(leg.is_on_callers_side);
  const LiveCall::Called called = CalledBy(call.summary, number, leg, &call.live->machine);
  state.mutable_party()->set_number(called.number);
  state.mutable_party()->set_account(called.account);
  state.mutable_party()->set_sip_call_id(leg.sip_call_id);
  state.mutable_party()->set_peer(leg.peer);
  state.mutable_party()->set_user_agent(leg.user_agent);
  state.set_start_nanos(1000 * leg.start);
  state.set_ring_nanos(1000 * leg.ring);
  state.set_answer_nanos(1000 * leg.answer);
  state.set_sip_status(leg.status);
  FillEnd(leg.end, state);
}

void AddLegs(const LiveCall& live, const BookedCall& call, state::v1::StandingCall& state) {
  if (live.caller_end.time != 0) {
    state::v1::RecordedLeg& caller = *state.add_legs();
    caller.set_is_on_callers_side(true);
    FillEnd(live.caller_end, caller);
  }
  for (size_t i = 0; i < live.legs.size(); ++i) {
    if (live.legs[i].start == 0) continue;
    FillLeg(call, static_cast<call::LegNumber>(i + 1), live.legs[i], *state.add_legs());
  }
}

LiveCall::Leg LegOf(const state::v1::RecordedLeg& state) {
  return {.sip_call_id = state.party().sip_call_id(),
          .peer = state.party().peer(),
          .user_agent = state.party().user_agent(),
          .called = std::make_unique<const LiveCall::Called>(
              LiveCall::Called{state.party().number(), state.party().account()}),
          .start = state.start_nanos() / 1000,
          .ring = state.ring_nanos() / 1000,
          .answer = state.answer_nanos() / 1000,
          .end = EndOf(state),
          .status = static_cast<uint16_t>(state.sip_status()),
          .is_on_callers_side = state.is_on_callers_side()};
}

// Of one that talks, of which only the machine's part was kept.
LiveCall::Leg LegOf(const state::v1::StandingCall& call, const state::v1::Leg& state) {
  const bool is_first = state.dialog().call_id() == call.callee().sip_call_id();
  return {.sip_call_id = state.dialog().call_id(),
          .peer = is_first ? call.callee().peer() : std::string(),
          .user_agent = is_first ? call.callee().user_agent() : std::string(),
          .called = std::make_unique<const LiveCall::Called>(
              LiveCall::Called{is_first ? call.callee().number() : std::string(), state.party().account()}),
          .start = call.start_nanos() / 1000,
          .ring = call.ring_nanos() / 1000,
          .answer = call.answer_nanos() / 1000,
          .status = 200,
          .is_on_callers_side = state.number() == call.call().caller_end()};
}

}  // namespace

std::optional<state::v1::StandingCall> MakeStandingCall(const BookedCall& call) {
  std::optional<state::v1::Call> machine = call.live->machine.StandingState();
  if (!machine.has_value()) return std::nullopt;
  const CallSummary& summary = call.summary;
  state::v1::StandingCall state;
  state.set_version(kStandingCallVersion);
  *state.mutable_call() = *std::move(machine);
  state.set_call_id(summary.call_id);
  *state.mutable_caller() = ToState(summary.caller);
  *state.mutable_callee() = ToState(summary.callee);
  state.set_start_nanos(NanosOf(summary.start_time));
  state.set_ring_nanos(NanosOf(summary.ring_time));
  state.set_answer_nanos(NanosOf(summary.answer_time));
  for (const BookedCall::Stream& stream : call.streams) {
    state::v1::RecordedStream& recorded = *state.add_streams();
    recorded.set_id(stream.id);
    recorded.set_media(stream.media);
    recorded.set_codec(stream.codec);
  }
  AddLegs(*call.live, call, state);
  state.set_relay(summary.relay);
  state.set_caller_place(call.live->caller_place.key());
  state.set_trunk_place(call.live->trunk_place.key());
  state.set_mark(call.live->mark);
  state.set_invite_cseq(call.live->invite_cseq);
  return state;
}

absl::Status ReadStandingCall(const std::string& serialised, state::v1::StandingCall& state) {
  if (!state.ParseFromString(serialised)) {
    state.Clear();
    return absl::InvalidArgumentError("what was kept of it is damaged");
  }
  if (state.version() != kStandingCallVersion) {
    return absl::InvalidArgumentError(
        absl::StrCat("what was kept of it has version ", state.version(), " and not ", kStandingCallVersion));
  }
  return absl::OkStatus();
}

CallSummary SummaryOf(const state::v1::StandingCall& state) {
  return {.call_id = state.call_id(),
          .state = CallState::kAnswered,
          .caller = PartyOf(state.caller()),
          .callee = PartyOf(state.callee()),
          .relay = state.relay(),
          .start_time = TimeOf(state.start_nanos(), absl::InfinitePast()),
          .ring_time = TimeOf(state.ring_nanos(), absl::InfinitePast()),
          .answer_time = TimeOf(state.answer_nanos(), absl::InfinitePast())};
}

std::vector<BookedCall::Stream> StreamsOf(const state::v1::StandingCall& state) {
  std::vector<BookedCall::Stream> streams;
  for (const state::v1::RecordedStream& recorded : state.streams()) {
    streams.push_back({recorded.id(), recorded.media(), recorded.codec()});
  }
  return streams;
}

std::vector<LiveCall::Leg> LegsOf(const state::v1::StandingCall& state) {
  std::vector<LiveCall::Leg> legs;
  const auto put = [&](call::LegNumber number, LiveCall::Leg leg) {
    if (number == call::kCaller || number > kMostLegs) return;
    if (number > legs.size()) legs.resize(number);
    legs[number - 1] = std::move(leg);
  };
  for (const state::v1::RecordedLeg& recorded : state.legs()) put(recorded.number(), LegOf(recorded));
  if (!legs.empty()) return legs;
  for (const state::v1::Leg& kept : state.call().legs()) put(kept.number(), LegOf(state, kept));
  return legs;
}

LiveCall::LegEnd CallerEndOf(const state::v1::StandingCall& state) {
  for (const state::v1::RecordedLeg& recorded : state.legs()) {
    if (recorded.number() == call::kCaller) return EndOf(recorded);
  }
  return {};
}

}  // namespace sluice::agent
