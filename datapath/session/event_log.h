// What happened to sessions, kept for readers who may come back for it.
//
// How it works. The newest events are kept in a ring; each has a number, counted from 1 since the relay started. A
// reader asks for what came after the last that it has seen. What fell out of the ring meanwhile is told as a number of
// missed events, so a reader who is too slow, or was away too long, knows it.
//
// A resume token is "INSTANCE.NUMBER". A token of another instance of the relay (it restarted) resumes at the first
// event of this one: all of them are new to that reader.
//
// Threads: any. Wake calls the watchers on its caller's thread, without a lock: they are quick. A watcher that is
// being removed may be called once more meanwhile.

#ifndef SLUICE_DATAPATH_SESSION_EVENT_LOG_H_
#define SLUICE_DATAPATH_SESSION_EVENT_LOG_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "datapath/packet/endpoint.h"

namespace sluice::session {

// The values are those of sluice.relay.v1.EventKind.
enum class EventKind : uint8_t {
  kFirstPacket = 1,
  kSourceLocked = 2,
  kSourceRefused = 3,
  kNoFirstPacket = 4,
  kOneWay = 5,
  kSilence = 6,
  kDtmf = 7,
  kDrained = 8,
  kSessionCreated = 9,
  kSessionDeleted = 10
};

struct Event {
  absl::Time time;
  EventKind kind = EventKind::kSessionCreated;
  std::string session_id;
  uint8_t stream_id = 0;
  uint8_t leg = 0;
  packet::Endpoint source;  // Of those about a source.
  char digit = 0;           // Of kDtmf.
  absl::Duration duration;  // Of kDtmf.
  std::string text;         // One line for people.
};

class EventLog {
 public:
  // `instance` is unique to this run of the relay and has no dot.
  EventLog(std::string instance, size_t capacity);

  void Append(Event event) ABSL_LOCKS_EXCLUDED(mutex_);
  // Tells the watchers that there may be more to read. Called once after a batch of events.
  void Wake() ABSL_LOCKS_EXCLUDED(mutex_, watchers_mutex_);

  struct Page {
    uint64_t missed = 0;
    uint64_t last = 0;  // To be passed to the next Read.
    std::vector<Event> events;
  };
  // Up to `limit` events after number `after`.
  Page Read(uint64_t after, size_t limit) const ABSL_LOCKS_EXCLUDED(mutex_);
  // The number of the newest event; 0 if there was none.
  uint64_t newest() const ABSL_LOCKS_EXCLUDED(mutex_);

  std::string TokenOf(uint64_t number) const;
  // Where a reader with this token goes on; an empty token: from now on. INVALID_ARGUMENT if it is none of ours.
  absl::StatusOr<uint64_t> Resume(absl::string_view token) const ABSL_LOCKS_EXCLUDED(mutex_);

  // `watcher` is called by Wake until it is removed.
  using WatcherId = uint64_t;
  WatcherId AddWatcher(std::function<void()> watcher) ABSL_LOCKS_EXCLUDED(watchers_mutex_);
  void RemoveWatcher(WatcherId id) ABSL_LOCKS_EXCLUDED(watchers_mutex_);

 private:
  const std::string instance_;
  mutable absl::Mutex mutex_;
  std::vector<Event> ring_ ABSL_GUARDED_BY(mutex_);
  uint64_t newest_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t told_ ABSL_GUARDED_BY(mutex_) = 0;  // The newest event that watchers were woken for.

  absl::Mutex watchers_mutex_;
  std::map<WatcherId, std::shared_ptr<const std::function<void()>>> watchers_ ABSL_GUARDED_BY(watchers_mutex_);
  WatcherId next_watcher_ ABSL_GUARDED_BY(watchers_mutex_) = 1;
};

}  // namespace sluice::session

#endif  // SLUICE_DATAPATH_SESSION_EVENT_LOG_H_
