#include "datapath/service/to_proto.h"

#include <string>

#include "datapath/packet/drop_reason.h"
#include "process/checks.h"

namespace sluice::service {
namespace {

void ToProto(const session::Quality& quality, relay::v1::QualityEstimate& out) {
  out.set_r_factor(quality.r_factor);
  out.set_mos(quality.mos);
  out.set_algorithm(static_cast<relay::v1::QualityAlgorithm>(quality.algorithm));
  out.set_loss_percent(quality.loss_percent);
  out.set_burst_ratio(quality.burst_ratio);
  out.set_ie(quality.ie);
  out.set_bpl(quality.bpl);
  out.set_codec(quality.codec);
}

void ToProto(const session::LegStatistics& statistics, relay::v1::StreamStatistics& out) {
  const rtp::ReceiveSnapshot& receive = statistics.receive;
  out.set_packets(receive.packets);
  out.set_bytes(receive.bytes);
  out.set_expected(receive.expected);
  out.set_lost(receive.lost);
  out.set_duplicates(receive.duplicates);
  out.set_reordered(receive.reordered);
  out.set_sequence_resets(receive.resets);
  out.set_ssrc_changes(receive.ssrc_changes);
  out.set_ssrc(receive.ssrc);
  out.set_jitter_ms(receive.jitter_ms);
  out.set_max_jitter_ms(receive.max_jitter_ms);
  for (const auto& [type, packets] : receive.payload_types) {
    if (packets != 0) (*out.mutable_payload_types())[type] += packets;
  }
  out.set_rtcp_packets(statistics.rtcp_packets);
  if (receive.packets != 0) {
    *out.mutable_first_packet_time() = service::ToProto(statistics.first_packet);
    *out.mutable_last_packet_time() = service::ToProto(statistics.last_packet);
  }
  out.set_rtcp_round_trip_ms(statistics.rtcp_round_trip_ms);
  out.set_remote_reported_loss_percent(statistics.remote_reported_loss_percent);
  if (statistics.quality.algorithm != session::QualityAlgorithm::kNone) {
    ToProto(statistics.quality, *out.mutable_quality());
  }
  for (size_t reason = 0; reason < statistics.drops.size(); ++reason) {
    if (statistics.drops[reason] == 0) continue;
    (*out.mutable_drops())[std::string(packet::kDropReasonNames[reason])] = statistics.drops[reason];
  }
}

relay::v1::SourceLock ToProto(session::SourceLock lock) {
  switch (lock) {
    case session::SourceLock::kOpen:
      return relay::v1::SOURCE_LOCK_OPEN;
    case session::SourceLock::kProbation:
      return relay::v1::SOURCE_LOCK_PROBATION;
    case session::SourceLock::kLocked:
      return relay::v1::SOURCE_LOCK_LOCKED;
  }
  return relay::v1::SOURCE_LOCK_UNSPECIFIED;
}

void ToProto(const session::LegState& leg, relay::v1::LegState& out) {
  service::ToProto(leg.local, *out.mutable_local());
  service::ToProto(leg.advertised, *out.mutable_advertised());
  if (leg.local_rtcp.is_set()) {
    service::ToProto(leg.local_rtcp, *out.mutable_local_rtcp());
    service::ToProto(leg.advertised_rtcp, *out.mutable_advertised_rtcp());
  }
  if (leg.learned.is_set()) service::ToProto(leg.learned, *out.mutable_learned_remote());
  out.set_source_lock(ToProto(leg.source_lock));
  ToProto(leg.received, *out.mutable_received());
  out.set_sent_packets(leg.sent_packets);
  out.set_sent_bytes(leg.sent_bytes);
}

}  // namespace

google::protobuf::Timestamp ToProto(absl::Time time) {
  google::protobuf::Timestamp out;
  out.set_seconds(absl::ToUnixSeconds(time));
  out.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(out.seconds()))));
  return out;
}

void ToProto(const packet::Endpoint& endpoint, relay::v1::Endpoint& out) {
  out.set_address(endpoint.address.ToString());
  out.set_port(endpoint.port);
}

void ToProto(const session::SessionState& state, relay::v1::SessionState& out) {
  out.set_session_id(state.session_id);
  out.set_label(state.label);
  out.set_shard(state.shard);
  *out.mutable_create_time() = ToProto(state.create_time);
  *out.mutable_update_time() = ToProto(state.update_time);
  for (const session::StreamState& stream : state.streams) {
    relay::v1::StreamState& stream_out = *out.add_streams();
    stream_out.set_stream_id(stream.stream_id);
    for (const session::LegState& leg : stream.legs) ToProto(leg, *stream_out.add_legs());
  }
}

void ToProto(const session::Event& event, relay::v1::Event& out) {
  *out.mutable_time() = ToProto(event.time);
  out.set_session_id(event.session_id);
  out.set_stream_id(event.stream_id);
  out.set_leg(event.leg);
  out.set_kind(static_cast<relay::v1::EventKind>(event.kind));
  if (event.source.is_set()) ToProto(event.source, *out.mutable_source());
  if (event.digit != 0) {
    out.set_digit(std::string(1, event.digit));
    *out.mutable_duration() = process::ToProto(event.duration);
  }
  out.set_text(event.text);
}

void ToProto(const absl::Status& status, relay::v1::ItemStatus& out) {
  out.set_code(static_cast<int>(status.code()));
  out.set_message(std::string(status.message()));
}

}  // namespace sluice::service
