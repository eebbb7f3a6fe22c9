// Whether media comes as it should: decides about timeouts of one session.
//
// Media is due from a peer once both sides are signalled and while neither is on hold; hold is not silence. Of each leg
// from which it is due:
// - no first packet: nothing has come for `first_packet` since it became due.
// - one-way: nothing has come for `one_way`, while the other leg's peer has been sending.
// - silence: nothing has come for `silence` from any leg of the stream from which it is due.
// Each is told once, and again only after media has come meanwhile.
//
// A session is silent as a whole when media is due in it and all of that is overdue by `silence`.
//
// Threads: the control thread. Pure: reads the flow states, changes only Leg::told, answers what is to be told.

#ifndef SLUICE_DATAPATH_SESSION_MEDIA_WATCH_H_
#define SLUICE_DATAPATH_SESSION_MEDIA_WATCH_H_

#include <functional>

#include "absl/time/time.h"
#include "datapath/flow/flow_table.h"
#include "datapath/session/event_log.h"
#include "datapath/session/moment.h"
#include "datapath/session/session.h"

namespace sluice::session {

struct MediaTimeouts {
  absl::Duration first_packet;  // 0: off, each.
  absl::Duration one_way;
  absl::Duration silence;
};

struct MediaVerdict {
  bool is_silent = false;
  // When to look again; InfiniteFuture: not before the session is written again.
  absl::Time next = absl::InfiniteFuture();
};

// Calls `tell(stream, leg, kind, how long nothing has come)` for each timeout that is to be told.
using TellTimeout = std::function<void(const Stream& stream, size_t leg, EventKind kind, absl::Duration silent)>;
MediaVerdict WatchMedia(Session& session, const flow::FlowTable& table, const MediaTimeouts& timeouts,
                        const Moment& now, const TellTimeout& tell);

// When a session that was just written has to be looked at first.
absl::Time FirstWatch(const Session& session, const MediaTimeouts& timeouts, absl::Time now);

}  // namespace sluice::session

#endif  // SLUICE_DATAPATH_SESSION_MEDIA_WATCH_H_
