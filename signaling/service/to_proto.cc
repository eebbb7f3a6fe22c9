#include "signaling/service/to_proto.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "process/utf8.h"

namespace sluice::service {

using process::ToUtf8;

namespace {

controller::v1::CallLeg ToLeg(const store::CallParty& party) {
  controller::v1::CallLeg leg;
  leg.set_number(ToUtf8(party.number));
  leg.set_display_name(ToUtf8(party.display_name));
  leg.set_sip_call_id(ToUtf8(party.sip_call_id));
  leg.set_peer(party.peer);
  leg.set_user_agent(ToUtf8(party.user_agent));
  leg.set_account(party.account);
  return leg;
}

void ToDuration(absl::Duration duration, google::protobuf::Duration* proto) {
  // A clock that was set back makes no negative times.
  const int64_t nanoseconds = absl::ToInt64Nanoseconds(std::max(duration, absl::ZeroDuration()));
  proto->set_seconds(nanoseconds / 1'000'000'000);
  proto->set_nanos(static_cast<int32_t>(nanoseconds % 1'000'000'000));
}

relay::v1::StreamStatistics ToStatistics(const store::DirectionRecord& direction) {
  relay::v1::StreamStatistics statistics;
  // What the relay said, whole; the columns below are the same figures, and serve where the rest was not kept.
  if (direction.statistics.empty() || !statistics.ParseFromString(direction.statistics)) statistics.Clear();
  statistics.set_packets(direction.packets);
  statistics.set_bytes(direction.bytes);
  statistics.set_lost(direction.lost);
  statistics.set_duplicates(direction.duplicates);
  statistics.set_reordered(direction.reordered);
  statistics.set_jitter_ms(direction.jitter_ms);
  statistics.set_max_jitter_ms(direction.max_jitter_ms);
  if (direction.mos > 0) {
    statistics.mutable_quality()->set_mos(direction.mos);
    statistics.mutable_quality()->set_r_factor(direction.r_factor);
  }
  return statistics;
}

}  // namespace

bool ToTimestamp(absl::Time time, google::protobuf::Timestamp* timestamp) {
  // What google.protobuf.Timestamp can say.
  const absl::Time first = absl::FromUnixSeconds(-62135596800);
  const absl::Time last = absl::FromUnixSeconds(253402300799);
  if (time < first || time > last) return false;
  const int64_t seconds = absl::ToUnixSeconds(time);
  timestamp->set_seconds(seconds);
  timestamp->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return true;
}

controller::v1::Call ToProto(const agent::CallSummary& call) {
  controller::v1::Call proto;
  proto.set_call_id(call.call_id);
  proto.set_state(static_cast<controller::v1::CallState>(call.state));
  *proto.mutable_caller() = ToLeg(call.caller);
  *proto.mutable_callee() = ToLeg(call.callee);
  proto.set_relay(call.relay);
  google::protobuf::Timestamp time;
  if (ToTimestamp(call.start_time, &time)) *proto.mutable_start_time() = time;
  if (ToTimestamp(call.ring_time, &time)) *proto.mutable_ring_time() = time;
  if (ToTimestamp(call.answer_time, &time)) *proto.mutable_answer_time() = time;
  if (ToTimestamp(call.end_time, &time)) *proto.mutable_end_time() = time;
  if (call.sip_status != 0 || call.ended_by != store::EndedBy::kUnknown || !call.end_text.empty()) {
    proto.mutable_end_cause()->set_sip_status(call.sip_status);
    proto.mutable_end_cause()->set_q850_cause(call.q850_cause);
    proto.mutable_end_cause()->set_ended_by(static_cast<controller::v1::EndedBy>(call.ended_by));
    proto.mutable_end_cause()->set_text(ToUtf8(call.end_text));
  }
  return proto;
}

controller::v1::LegRecord ToProto(const store::LegRecord& leg, const std::string& call_id) {
  controller::v1::LegRecord proto;
  proto.set_leg_id(store::LegId(call_id, leg.leg));
  proto.set_side(static_cast<controller::v1::CallSide>(leg.side));
  proto.set_number(ToUtf8(leg.number));
  proto.set_account(leg.account);
  proto.set_sip_call_id(ToUtf8(leg.sip_call_id));
  proto.set_peer(leg.peer);
  proto.set_user_agent(ToUtf8(leg.user_agent));
  google::protobuf::Timestamp time;
  if (ToTimestamp(leg.start_time, &time)) *proto.mutable_start_time() = time;
  if (ToTimestamp(leg.ring_time, &time)) *proto.mutable_ring_time() = time;
  if (ToTimestamp(leg.answer_time, &time)) *proto.mutable_answer_time() = time;
  if (!ToTimestamp(leg.end_time, &time)) return proto;
  *proto.mutable_end_time() = time;
  proto.mutable_end_cause()->set_sip_status(leg.sip_status);
  proto.mutable_end_cause()->set_q850_cause(leg.q850_cause);
  proto.mutable_end_cause()->set_ended_by(static_cast<controller::v1::EndedBy>(leg.ended_by));
  return proto;
}

controller::v1::LadderEntry ToProto(const agent::LadderEntry& entry) {
  controller::v1::LadderEntry proto;
  google::protobuf::Timestamp time;
  if (ToTimestamp(entry.time, &time)) *proto.mutable_time() = time;
  proto.set_peer(static_cast<controller::v1::LadderPeer>(entry.peer));
  proto.set_received(entry.received);
  proto.set_first_line(ToUtf8(entry.first_line));
  proto.set_peer_endpoint(entry.peer_endpoint);
  proto.set_transport(entry.transport);
  proto.set_message(entry.message);
  proto.set_retransmission(entry.retransmission);
  return proto;
}

controller::v1::Binding ToProto(const store::AccountBindings& binding) {
  controller::v1::Binding proto;
  proto.set_account(binding.account);
  proto.set_contact(ToUtf8(binding.binding.contact));
  proto.set_source(absl::StrCat(binding.binding.transport, ":", binding.binding.source));
  google::protobuf::Timestamp time;
  if (ToTimestamp(binding.binding.expire_time, &time)) *proto.mutable_expire_time() = time;
  proto.set_user_agent(ToUtf8(binding.binding.user_agent));
  proto.set_behind_nat(binding.binding.behind_nat);
  return proto;
}

controller::v1::Account ToProto(const store::Account& account) {
  controller::v1::Account proto;
  proto.set_name(account.name);
  proto.set_display_name(account.display_name);
  proto.set_allow_legacy_digest(account.allow_legacy_digest);
  if (account.follow_redirections.has_value()) proto.set_follow_redirections(*account.follow_redirections);
  google::protobuf::Timestamp time;
  if (ToTimestamp(account.create_time, &time)) *proto.mutable_create_time() = time;
  return proto;
}

controller::v1::CallRecord ToProto(const store::CallRecord& record) {
  controller::v1::CallRecord proto;
  agent::CallSummary call;
  call.call_id = record.call_id;
  call.state = agent::CallState::kEnded;
  call.caller = record.caller;
  call.callee = record.callee;
  call.relay = record.relay;
  call.start_time = record.start_time;
  call.ring_time = record.ring_time;
  call.answer_time = record.answer_time;
  call.end_time = record.end_time;
  call.sip_status = record.sip_status;
  call.q850_cause = record.q850_cause;
  call.ended_by = record.ended_by;
  call.end_text = record.text;
  *proto.mutable_call() = ToProto(call);
  // Rings until it is answered or ends.
  const bool answered = record.answer_time != absl::InfinitePast();
  const absl::Time stopped_ringing = answered ? record.answer_time : record.end_time;
  if (record.ring_time != absl::InfinitePast()) {
    ToDuration(stopped_ringing - record.ring_time, proto.mutable_ring_duration());
  }
  if (answered) ToDuration(record.end_time - record.answer_time, proto.mutable_talk_duration());
  for (const store::StreamRecord& stream : record.streams) {
    controller::v1::StreamRecord* to = proto.add_streams();
    to->set_stream_id(stream.stream_id);
    to->set_media(ToUtf8(stream.media));
    to->set_codec(ToUtf8(stream.codec));
    *to->mutable_from_caller() = ToStatistics(stream.from_caller);
    *to->mutable_from_callee() = ToStatistics(stream.from_callee);
    to->set_sent_to_callee(stream.from_caller.forwarded);
    to->set_sent_to_caller(stream.from_callee.forwarded);
  }
  for (const store::LegRecord& leg : record.legs) *proto.add_legs() = ToProto(leg, record.call_id);
  proto.set_media_unknown(record.media_unknown);
  return proto;
}

controller::v1::RelayStatus ToProto(const fleet::RelayInfo& relay) {
  controller::v1::RelayStatus proto;
  proto.set_name(relay.name);
  proto.set_address(relay.address);
  proto.set_health(static_cast<controller::v1::RelayHealth>(relay.health));
  proto.set_sessions(relay.sessions);
  proto.set_instance_id(relay.instance_id);
  google::protobuf::Timestamp time;
  if (ToTimestamp(relay.since, &time)) *proto.mutable_since() = time;
  proto.set_text(relay.text);
  return proto;
}

controller::v1::TrunkStatus ToProto(const agent::TrunkSummary& trunk) {
  controller::v1::TrunkStatus proto;
  proto.set_name(trunk.name);
  for (const std::string& peer : trunk.peers) proto.add_peers(peer);
  proto.set_registration(static_cast<controller::v1::TrunkRegistration>(trunk.registration.state));
  google::protobuf::Timestamp time;
  if (ToTimestamp(trunk.registration.expire_time, &time)) *proto.mutable_expire_time() = time;
  proto.set_text(trunk.registration.text);
  proto.set_calls(trunk.usage.calls);
  proto.set_refused_calls(trunk.usage.refused);
  return proto;
}

controller::v1::GetStatisticsResponse ToProto(const agent::SignalingStatistics& statistics, uint64_t bindings) {
  controller::v1::GetStatisticsResponse proto;
  proto.set_calls(statistics.calls);
  proto.set_calls_started(statistics.calls_started);
  proto.set_calls_answered(statistics.calls_answered);
  proto.set_bindings(bindings);
  proto.set_transactions(statistics.transactions);
  proto.mutable_received_messages()->insert(statistics.received_messages.begin(), statistics.received_messages.end());
  proto.mutable_sent_messages()->insert(statistics.sent_messages.begin(), statistics.sent_messages.end());
  proto.set_retransmissions_received(statistics.retransmissions_received);
  proto.set_retransmissions_sent(statistics.retransmissions_sent);
  proto.mutable_dropped_messages()->insert(statistics.dropped_messages.begin(), statistics.dropped_messages.end());
  proto.mutable_refused_calls()->insert(statistics.refused_calls.begin(), statistics.refused_calls.end());
  google::protobuf::Timestamp time;
  if (ToTimestamp(statistics.start_time, &time)) *proto.mutable_start_time() = time;
  proto.set_draining(statistics.draining);
  return proto;
}

}  // namespace sluice::service
