#include "signaling/agent/cdr.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/time/time.h"

namespace sluice::agent {
namespace {

// `sender`'s packets as they came, and how many of them went on to `receiver`.
store::DirectionRecord MakeDirection(const relay::v1::LegState& sender, const relay::v1::LegState& receiver) {
  const relay::v1::StreamStatistics& received = sender.received();
  return {.packets = received.packets(),
          .bytes = received.bytes(),
          .lost = received.lost(),
          .duplicates = received.duplicates(),
          .reordered = received.reordered(),
          .jitter_ms = received.jitter_ms(),
          .max_jitter_ms = received.max_jitter_ms(),
          .r_factor = received.quality().r_factor(),
          .mos = received.quality().mos(),
          .forwarded = receiver.sent_packets(),
          .statistics = received.SerializeAsString()};
}

absl::Time TimeOf(int64_t microseconds) {
  return microseconds == 0 ? absl::InfinitePast() : absl::FromUnixMicros(microseconds);
}

store::LegRecord MakeCallerRecord(const CallSummary& summary) {
  return {.side = store::CallSide::kCaller,
          .number = summary.caller.number,
          .account = summary.caller.account,
          .sip_call_id = summary.caller.sip_call_id,
          .peer = summary.caller.peer,
          .user_agent = summary.caller.user_agent,
          .start_time = summary.start_time,
          .ring_time = summary.ring_time,
          .answer_time = summary.answer_time,
          .sip_status = summary.answer_time == absl::InfinitePast() ? summary.sip_status : 200};
}

store::LegRecord MakeCalleeRecord(const CallSummary& summary, call::LegNumber number, const LiveCall::Leg& leg,
                                  const call::Call* machine) {
  store::LegRecord record = {.side = leg.is_on_callers_side ? store::CallSide::kCaller : store::CallSide::kCallee,
                             .sip_call_id = leg.sip_call_id,
                             .peer = leg.peer,
                             .user_agent = leg.user_agent,
                             .start_time = TimeOf(leg.start),
                             .ring_time = TimeOf(leg.ring),
                             .answer_time = TimeOf(leg.answer),
                             .sip_status = leg.status};
  LiveCall::Called called = CalledBy(summary, number, leg, machine);
  record.number = std::move(called.number);
  record.account = std::move(called.account);
  return record;
}

void FillEnd(const CallSummary& summary, const LiveCall::LegEnd& end, store::LegRecord& record) {
  if (end.time != 0) {
    record.end_time = TimeOf(end.time);
    record.q850_cause = end.cause;
    record.ended_by = end.by;
    return;
  }
  record.end_time = summary.end_time;
  record.q850_cause = summary.q850_cause;
  record.ended_by = summary.ended_by;
}

bool BeginsBefore(const store::LegRecord& a, const store::LegRecord& b) { return a.start_time < b.start_time; }

}  // namespace

std::vector<store::LegRecord> MakeLegRecords(const CallSummary& summary, const LiveCall::LegEnd& caller_end,
                                             const std::vector<LiveCall::Leg>& legs, const call::Call* machine) {
  std::vector<store::LegRecord> records;
  records.reserve(1 + legs.size());
  records.push_back(MakeCallerRecord(summary));
  FillEnd(summary, caller_end, records.back());
  for (size_t i = 0; i < legs.size(); ++i) {
    if (legs[i].start == 0) continue;
    store::LegRecord record = MakeCalleeRecord(summary, static_cast<call::LegNumber>(i + 1), legs[i], machine);
    FillEnd(summary, legs[i].end, record);
    const auto next = std::upper_bound(records.begin() + 1, records.end(), record, BeginsBefore);
    records.insert(next, std::move(record));
  }
  for (store::LegRecord& record : records) record.leg = static_cast<uint32_t>(&record - records.data()) + 1;
  return records;
}

std::vector<store::LegRecord> LegRecordsOf(const BookedCall& call) {
  if (call.live == nullptr || !call.ended_legs.empty()) return call.ended_legs;
  return MakeLegRecords(call.summary, call.live->caller_end, call.live->legs, &call.live->machine);
}

store::CallRecord MakeCallRecord(const BookedCall& call) {
  const CallSummary& summary = call.summary;
  store::CallRecord record{.call_id = summary.call_id,
                           .caller = summary.caller,
                           .callee = summary.callee,
                           .relay = summary.relay,
                           .start_time = summary.start_time,
                           .ring_time = summary.ring_time,
                           .answer_time = summary.answer_time,
                           .end_time = summary.end_time,
                           .sip_status = summary.sip_status,
                           .q850_cause = summary.q850_cause,
                           .ended_by = summary.ended_by,
                           .text = summary.end_text,
                           .legs = call.ended_legs};
  for (const BookedCall::Stream& stream : call.streams) {
    store::StreamRecord& stream_record = record.streams.emplace_back();
    stream_record.stream_id = stream.id;
    stream_record.media = stream.media;
    stream_record.codec = stream.codec;
    if (call.statistics == nullptr) continue;
    for (const relay::v1::StreamState& state : call.statistics->streams()) {
      if (state.stream_id() != stream.id || state.legs_size() != 2) continue;
      stream_record.from_caller = MakeDirection(state.legs(0), state.legs(1));
      stream_record.from_callee = MakeDirection(state.legs(1), state.legs(0));
    }
  }
  const bool told = call.statistics != nullptr && call.statistics->streams_size() > 0;
  record.media_unknown = !summary.relay.empty() && !told;
  return record;
}

}  // namespace sluice::agent
