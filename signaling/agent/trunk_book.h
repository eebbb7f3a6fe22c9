// How the trunks are registered, written by the shard that registers them and read by whoever shows it.
//
// Threads: any.
#ifndef SLUICE_SIGNALING_AGENT_TRUNK_BOOK_H_
#define SLUICE_SIGNALING_AGENT_TRUNK_BOOK_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace sluice::agent {

class TrunkBook {
 public:
  // The values are those of sluice.controller.v1.TrunkRegistration.
  enum class State : uint8_t { kUnknown = 0, kNone = 1, kTrying = 2, kRegistered = 3, kFailed = 4 };
  struct Registration {
    State state = State::kNone;
    // Of one that is registered.
    absl::Time expire_time = absl::InfinitePast();
    // Why it is not.
    std::string text;

    bool operator==(const Registration&) const = default;
  };

  void Set(absl::string_view trunk, Registration registration) {
    absl::MutexLock lock(&mutex_);
    registrations_[trunk] = std::move(registration);
  }
  void Forget(absl::string_view trunk) {
    absl::MutexLock lock(&mutex_);
    registrations_.erase(trunk);
  }
  // kNone for one that is not to be registered.
  Registration Find(absl::string_view trunk) const {
    absl::MutexLock lock(&mutex_);
    const auto found = registrations_.find(trunk);
    return found == registrations_.end() ? Registration() : found->second;
  }

 private:
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, Registration> registrations_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_TRUNK_BOOK_H_
