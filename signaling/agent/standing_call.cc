#include "signaling/agent/standing_call.h"

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

}  // namespace sluice::agent
