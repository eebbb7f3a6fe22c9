#include "datapath/session/media_watch.h"

#include <algorithm>

#include "datapath/rtp/receive_statistics.h"

namespace sluice::session {
namespace {

// What is known of a leg's peer.
struct Hearing {
  bool is_due = false;
  bool has_sent = false;
  absl::Time since;  // Nothing has come since then, or since media became due.
  absl::Duration silent;
};

Hearing Hear(const Leg& leg, const flow::FlowTable& table, const Moment& now) {
  Hearing hearing;
  hearing.is_due = leg.expected_since != 0;
  hearing.since = absl::FromUnixNanos(leg.expected_since);
  const flow::FlowState& state = table.state(leg.state);
  const rtp::ReceiveSnapshot receive =
      rtp::ReceiveStatistics::Read(state.identity, state.receive, table.detail(leg.state).receive, now.ticks);
  if (receive.packets != 0) {
    hearing.has_sent = true;
    hearing.since = std::max(hearing.since, now.TimeOf(receive.last_arrival, table.options().ticks_per_second));
  }
  hearing.silent = std::max(now.time - hearing.since, absl::ZeroDuration());
  return hearing;
}

// Marks and answers whether to tell: `holds` for the first time since it last did not.
bool TellOnce(Leg& leg, MediaTold mark, bool holds) {
  const bool told = leg.told & mark;
  leg.told = static_cast<uint8_t>(holds ? leg.told | mark : leg.told & ~mark);
  return holds && !told;
}

// When a timeout that runs since `silent` is to be looked at: at its end, and while it is over now and then, since what
// else it depends on may change.
void Recall(MediaVerdict& verdict, const Moment& now, absl::Duration timeout, absl::Duration silent) {
  if (timeout == absl::ZeroDuration()) return;
  const absl::Duration again = std::max(timeout / 4, absl::Seconds(1));
  verdict.next = std::min(verdict.next, now.time + (silent < timeout ? timeout - silent : again));
}

}  // namespace

MediaVerdict WatchMedia(Session& session, const flow::FlowTable& table, const MediaTimeouts& timeouts,
                        const Moment& now, const TellTimeout& tell) {
  MediaVerdict verdict;
  bool any_due = false;
  bool all_silent = timeouts.silence != absl::ZeroDuration();
  const auto is_over = [](absl::Duration silent, absl::Duration timeout) {
    return timeout != absl::ZeroDuration() && silent >= timeout;
  };
  for (Stream& stream : session.streams) {
    const std::array<Hearing, 2> hearings = {Hear(stream.legs[0], table, now), Hear(stream.legs[1], table, now)};
    bool stream_silent = true;
    for (const Hearing& hearing : hearings) {
      if (hearing.is_due && !is_over(hearing.silent, timeouts.silence)) stream_silent = false;
    }
    for (size_t i = 0; i < stream.legs.size(); ++i) {
      const Hearing& hearing = hearings[i];
      const Hearing& opposite = hearings[1 - i];
      if (!hearing.is_due) continue;
      any_due = true;
      Leg& leg = stream.legs[i];
      if (TellOnce(leg, kToldNoFirstPacket, !hearing.has_sent && is_over(hearing.silent, timeouts.first_packet))) {
        tell(stream, i, EventKind::kNoFirstPacket, hearing.silent);
      }
      const bool is_one_way = is_over(hearing.silent, timeouts.one_way) && opposite.has_sent &&
                              opposite.since > hearing.since && opposite.silent < timeouts.one_way;
      if (TellOnce(leg, kToldOneWay, is_one_way)) tell(stream, i, EventKind::kOneWay, hearing.silent);
      if (TellOnce(leg, kToldSilence, stream_silent)) tell(stream, i, EventKind::kSilence, hearing.silent);
      if (!hearing.has_sent) Recall(verdict, now, timeouts.first_packet, hearing.silent);
      Recall(verdict, now, timeouts.one_way, hearing.silent);
      Recall(verdict, now, timeouts.silence, hearing.silent);
    }
    all_silent = all_silent && stream_silent;
  }
  verdict.is_silent = any_due && all_silent;
  return verdict;
}

absl::Time FirstWatch(const Session& session, const MediaTimeouts& timeouts, absl::Time now) {
  absl::Duration shortest = absl::InfiniteDuration();
  for (const absl::Duration timeout : {timeouts.first_packet, timeouts.one_way, timeouts.silence}) {
    if (timeout != absl::ZeroDuration()) shortest = std::min(shortest, timeout);
  }
  for (const Stream& stream : session.streams) {
    for (const Leg& leg : stream.legs) {
      if (leg.expected_since != 0) return now + shortest;
    }
  }
  return absl::InfiniteFuture();
}

}  // namespace sluice::session
