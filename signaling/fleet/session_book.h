// What each relay should hold: the desired sessions of one controller, and the difference between that and what a relay
// says it holds. Pure.
//
// A session is in the book from the moment its relay has made it until it is deleted. Its desired state is kept with
// the ports that the relay gave it (`requested_local`), so that a relay which lost it can have it back on the same
// ports. An update is `next` until the relay has taken it; one that the relay refuses leaves the session as it was.
//
// A relay has a `life`: it counts the starts of the relay that the fleet has seen. A session that is missing in the
// life in which the relay had it was ended there, by its operator say; one that is missing in a later life was lost
// with the restart and is restored. Of one that was made before this book began, nobody knows in which life that was:
// if it is missing, it is restored; and if another controller has written it last, it is written once, so that it
// becomes this one's.
//
// Deleted sessions that the relay has not confirmed yet are `doomed`: whenever they are seen there, they are ended.
#ifndef SLUICE_SIGNALING_FLEET_SESSION_BOOK_H_
#define SLUICE_SIGNALING_FLEET_SESSION_BOOK_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/node_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "sluice/relay/v1/session_service.pb.h"

namespace sluice::fleet {

// What has to be written so that a relay holds what the book says.
struct Difference {
  // Wanted there and not there, or there in an older state, or as another one's that was adopted.
  std::vector<std::string> restore;
  // Wanted there, and ended there by somebody else.
  std::vector<std::string> lost;
  // Deleted by us, still there.
  std::vector<std::string> end;
  // Written by us (an earlier run of this controller, perhaps) and not wanted: to be ended after the grace period.
  std::vector<std::string> orphans;
};

class SessionBook {
 public:
  // The ids of relays are indices of the config's list. `writer` is Writer.shard of this controller's writes.
  SessionBook(size_t relays, std::string writer) : relays_(relays), writer_(std::move(writer)) {}

  bool Contains(const std::string& session_id) const { return sessions_.contains(session_id); }
  // The relay of a session in the book.
  size_t RelayOf(const std::string& session_id) const { return sessions_.at(session_id).relay; }
  uint64_t CountOn(size_t relay) const { return relays_[relay].sessions; }

  // The relay has made `session` and answered `state`.
  void Add(size_t relay, relay::v1::Session session, const relay::v1::SessionState& state);
  // The relay has made `session` and answered `state` before this book began.
  void Adopt(size_t relay, relay::v1::Session session, const relay::v1::SessionState& state);
  // A new state is wanted of a session in the book. Answers what has to be written: with the known ports.
  relay::v1::Session SetNext(relay::v1::Session session);
  // The relay has taken a write of `session` in this life of its.
  void Confirm(relay::v1::Session session, const relay::v1::SessionState& state);
  // The relay refused `session`: it is no longer wanted, unless a newer update is. Answers whether it was.
  bool DropNext(const relay::v1::Session& session);
  // The newest wanted state of a session in the book.
  relay::v1::Session Wanted(const std::string& session_id) const;
  // The session is not wanted any more, and nothing has to be done at the relay. Nothing happens if it is not in the
  // book.
  void Forget(const std::string& session_id);

  void Doom(size_t relay, const std::string& session_id) { relays_[relay].doomed.insert(session_id); }
  void Absolve(size_t relay, const std::string& session_id) { relays_[relay].doomed.erase(session_id); }
  bool IsDoomed(size_t relay, const std::string& session_id) const {
    return relays_[relay].doomed.contains(session_id);
  }

  // The relay has another instance_id than before: it holds nothing of what it held.
  void BeginLife(size_t relay) { ++relays_[relay].life; }

  // Compares with all that the relay holds. Doomed sessions that it does not hold are doomed no more.
  Difference Compare(size_t relay, absl::Span<const relay::v1::SessionState> held);

  // Orphans at this relay whose grace period is over at `now`, counted from when they were first seen; they leave the
  // list. The list holds the orphans of the latest Compare; `seen` is when that was.
  void NoteOrphans(size_t relay, const std::vector<std::string>& orphans, absl::Time seen);
  std::vector<std::string> TakeExpiredOrphans(size_t relay, absl::Time now, absl::Duration grace);
  // When the next grace period began; InfiniteFuture if there is no orphan.
  absl::Time OldestOrphan(size_t relay) const;

 private:
  struct Entry {
    size_t relay = 0;
    // Life of the relay in which it was last confirmed, or seen there.
    uint32_t life = 0;
    // Serialised: a standing call costs a few hundred bytes so. `next` is empty when there is no unconfirmed update.
    std::string confirmed;
    std::string next;
  };
  struct RelayPage {
    uint32_t life = 0;
    uint64_t sessions = 0;
    absl::flat_hash_set<std::string> doomed;
    absl::flat_hash_map<std::string, absl::Time> orphans;
  };

  std::vector<RelayPage> relays_;
  const std::string writer_;
  absl::node_hash_map<std::string, Entry> sessions_;
};

// Asks for the ports that `state` tells, leg by leg. False: `session` asks for them already.
bool RequestKnownPorts(const relay::v1::SessionState& state, relay::v1::Session& session);

}  // namespace sluice::fleet

#endif  // SLUICE_SIGNALING_FLEET_SESSION_BOOK_H_
