#include "signaling/agent/cdr.h"

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

}  // namespace

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
                           .text = summary.end_text};
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
