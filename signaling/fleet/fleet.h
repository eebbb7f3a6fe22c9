// The relays of a controller, as one thing that takes sessions.
//
// A caller names a session and says what it wants of it; the fleet chooses the relay, writes it there, and keeps the
// book of what each relay should hold. It keeps the relays at that: whenever a relay is reached (again), both sides are
// compared and the difference is written. A relay that restarted gets its sessions back on the same ports, so calls
// that live on them go on; a session that nobody wants any more is ended after a grace period.
//
// Nothing here blocks. Every `done` is called exactly once, on the fleet's own thread (of the implementation; FakeFleet
// says otherwise), before the deadline of the fleet's options: a caller posts the answer to where it wants it, and does
// not block that thread. Writes of one session take effect in the order of the calls.
//
// Threads: any.
#ifndef SLUICE_SIGNALING_FLEET_FLEET_H_
#define SLUICE_SIGNALING_FLEET_FLEET_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "sluice/relay/v1/session_service.pb.h"

namespace sluice::fleet {

// The values are those of sluice.controller.v1.RelayHealth.
enum class RelayHealth : uint8_t {
  kUnknown = 0,
  // Not reached yet, or lost a moment ago and not given up.
  kConnecting = 1,
  // Takes new sessions.
  kHealthy = 2,
  // Goes on with its sessions and takes no new ones.
  kDraining = 3,
  kDown = 4,
};

// A relay as the fleet sees it.
struct RelayInfo {
  // Name and address of the controller's config.
  std::string name;
  std::string address;
  RelayHealth health = RelayHealth::kUnknown;
  // Since when it has this health.
  absl::Time since;
  // Why it is not healthy; empty while it is.
  std::string text;
  // Another value after each start of the relay; empty before it was first reached.
  std::string instance_id;
  // Sessions that this controller wants on it.
  uint64_t sessions = 0;
  // All of its sessions, by its own latest statistics, and how many it can hold (0: not told).
  uint64_t reported_sessions = 0;
  uint64_t session_capacity = 0;
  // Starts of the relay that the fleet has seen after the first, and sessions that it gave back to it.
  uint64_t restarts = 0;
  uint64_t restored_sessions = 0;
  // Writes that were sent and that failed, for whatever reason.
  uint64_t writes = 0;
  uint64_t failed_writes = 0;
  // Events that the relay could not tell any more.
  uint64_t missed_events = 0;
};

// A session and where it is.
struct PlacedSession {
  // The relay's name.
  std::string relay;
  relay::v1::SessionState state;
};

// What the relays tell without being asked. Called on the fleet's thread; must not block.
class FleetListener {
 public:
  virtual ~FleetListener() = default;

  // Something happened to a session: media timeout, source locked, DTMF, ... In order for one relay. After a connection
  // was lost, events that happened meanwhile come late but come, unless the relay itself died.
  virtual void OnSessionEvent(const std::string& relay, const relay::v1::Event& event) = 0;

  // The relay lost this session and cannot have it again (its ports are taken, say). The fleet has forgotten it: the
  // call has no media any more.
  virtual void OnSessionLost(const std::string& relay, const std::string& session_id, const absl::Status& reason) = 0;
};

class Fleet {
 public:
  using PlacedCallback = std::function<void(absl::StatusOr<PlacedSession>)>;
  using StateCallback = std::function<void(absl::StatusOr<relay::v1::SessionState>)>;

  virtual ~Fleet() = default;

  // Makes the session on the least loaded healthy relay, and on the next one where that fails for a reason of its own
  // (unreachable, late, full, draining).
  // UNAVAILABLE: no relay takes calls. RESOURCE_EXHAUSTED: all that were asked are full. DEADLINE_EXCEEDED: none
  // answered in time. CANCELLED: DeleteSession came first. ALREADY_EXISTS: the fleet has a session of that id. Else
  // what the relay says: INVALID_ARGUMENT and so on. After any error the session is not wanted anywhere.
  virtual void CreateSession(relay::v1::Session session, PlacedCallback done) = 0;

  // Replaces the streams of the session, on the relay where it is; ports of streams that stay are kept.
  // NOT_FOUND: the fleet has no such session. UNAVAILABLE, DEADLINE_EXCEEDED: the relay is not reached now, and gets
  // the update as soon as it is. Else what the relay says, and the session stays as it was.
  virtual void UpdateSession(relay::v1::Session session, StateCallback done) = 0;

  // Ends the session and answers its final statistics. An unknown session is OK, with a state without streams.
  // UNAVAILABLE, DEADLINE_EXCEEDED: the relay is not reached now, its statistics stay unknown, and the session is ended
  // as soon as it is.
  virtual void DeleteSession(const std::string& session_id, StateCallback done) = 0;

  // Takes over a session that an earlier run of this controller, or another controller, made on `relay`: what it wrote
  // last, and what the relay answered. From now on it is wanted there as if CreateSession had made it: left as it is if
  // the relay still has it, given back on its ports if not. To be called after SetListener; the listener then hears
  // what happened to the session while nobody listened, as far as the relay still knows it, or, if the relay was
  // reached before, whether the session has fallen silent since then. NOT_FOUND: there is no such relay any more.
  // OnSessionLost, later: the relay can neither hold nor make it.
  virtual absl::Status AdoptSession(const std::string& relay, relay::v1::Session session,
                                    const relay::v1::SessionState& state) = 0;

  // What `writer` (FleetOptions.writer of another controller, whose sessions are adopted) still sends is refused by the
  // relays, unless it comes from a start of `epoch` or later. Nothing happens for this fleet's own name: whatever it
  // writes does that.
  virtual void Fence(const std::string& writer, uint64_t epoch) = 0;

  // Live statistics. NOT_FOUND, UNAVAILABLE, DEADLINE_EXCEEDED as in UpdateSession.
  virtual void GetSession(const std::string& session_id, StateCallback done) = 0;

  // All relays in the order of the config. Answered at once from a snapshot.
  virtual std::vector<RelayInfo> ListRelays() const = 0;

  // `listener` hears what happens from now on; null: nobody. Once this returns, the one before is not called any more;
  // not to be called from a callback.
  virtual void SetListener(FleetListener* listener) = 0;
};

}  // namespace sluice::fleet

#endif  // SLUICE_SIGNALING_FLEET_FLEET_H_
