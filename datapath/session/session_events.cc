// The part of SessionModel that reacts: to what workers tell, and to time.

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "datapath/session/session_model.h"
#include "spdlog/spdlog.h"

namespace sluice::session {
namespace {

constexpr uint32_t kEventClockRate = 8000;  // Of telephone-event where nothing was negotiated.

std::string Waited(EventKind kind, size_t leg, absl::Duration silent) {
  const char* side = leg == 0 ? "A" : "B";
  const std::string waited = absl::FormatDuration(absl::Trunc(silent, absl::Seconds(1)));
  switch (kind) {
    case EventKind::kNoFirstPacket:
      return absl::StrCat("nothing has come from ", side, " since it was due ", waited, " ago");
    case EventKind::kOneWay:
      return absl::StrCat("nothing has come from ", side, " for ", waited, " while the other side sends");
    default:
      return absl::StrCat("nothing has come from ", side, " for ", waited, ", nor from the other side");
  }
}

}  // namespace

void SessionModel::Tell(EventKind kind, const Session* session, const Moment& now, std::string text) {
  Event event;
  event.time = now.time;
  event.kind = kind;
  if (session != nullptr) event.session_id = session->session_id;
  event.text = std::move(text);
  events_.Append(std::move(event));
}

void SessionModel::OnFlowEvent(const flow::FlowEvent& flow_event, const Moment& now) {
  if (flow_event.state >= owners_.size() || owners_[flow_event.state].session == nullptr) return;
  const FlowOwner& owner = owners_[flow_event.state];
  Stream& stream = owner.session->streams[owner.stream];
  const Leg& leg = stream.legs[owner.leg];

  Event event;
  event.time = now.TimeOf(flow_event.ticks, table_.options().ticks_per_second);
  event.session_id = owner.session->session_id;
  event.stream_id = stream.stream_id;
  event.leg = owner.leg;
  event.source = flow_event.source;
  switch (flow_event.kind) {
    case flow::FlowEventKind::kSourceLocked: {
      // An update has opened the lock again meanwhile.
      if (flow_event.generation != (owner.is_rtcp ? leg.rtcp_generation : leg.generation)) return;
      if (absl::Status status = compiler_.Publish(stream); !status.ok()) {
        spdlog::warn("session {}: cannot send to {}: {}", event.session_id, flow_event.source.ToString(),
                     std::string(status.message()));
      }
      if (owner.is_rtcp) return;
      event.kind = EventKind::kSourceLocked;
      event.text = destinations_.Fault(flow_event.source.address);
      if (event.text.empty() && leg.remote.is_set() && flow_event.source != leg.remote) {
        event.text = absl::StrCat("signalled was ", leg.remote.ToString());
      }
      break;
    }
    case flow::FlowEventKind::kSourceRefused:
      event.kind = EventKind::kSourceRefused;
      if (owner.is_rtcp) event.text = "RTCP";
      break;
    case flow::FlowEventKind::kFirstPacket:
      if (owner.is_rtcp) return;
      event.kind = EventKind::kFirstPacket;
      break;
    case flow::FlowEventKind::kDtmf: {
      event.kind = EventKind::kDtmf;
      event.digit = flow_event.digit;
      const uint32_t clock_rate = codecs_[leg.codecs].event_clock_rate;
      event.duration = absl::Seconds(1) * flow_event.duration / (clock_rate != 0 ? clock_rate : kEventClockRate);
      break;
    }
  }
  events_.Append(std::move(event));
}

void SessionModel::Advance(const Moment& now) {
  timers_.Advance(now.time, [&](TimerWheel::Timer& timer) { Watch(static_cast<Session&>(timer), now); });
  events_.Wake();
}

void SessionModel::Watch(Session& session, const Moment& now) {
  const MediaVerdict verdict = WatchMedia(session, table_, TimeoutsOf(session), now,
                                          [&](const Stream& stream, size_t leg, EventKind kind, absl::Duration silent) {
                                            Event event;
                                            event.time = now.time;
                                            event.kind = kind;
                                            event.session_id = session.session_id;
                                            event.stream_id = stream.stream_id;
                                            event.leg = static_cast<uint8_t>(leg);
                                            event.text = Waited(kind, leg, silent);
                                            events_.Append(std::move(event));
                                          });
  if (verdict.is_silent && settings_.end_on_silence) {
    End(session, "ended: all of its media fell silent", now);
    return;
  }
  if (verdict.next != absl::InfiniteFuture()) timers_.Arm(session, verdict.next);
}

}  // namespace sluice::session
