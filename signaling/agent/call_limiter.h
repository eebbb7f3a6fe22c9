// How many calls an account or a trunk has at once, and how fast it makes them, over all shards.
//
// Calls a second are counted by the time at which the next one is due if they come evenly (the generic cell rate
// algorithm): a pause saves up for one second's worth and no more. A call that is refused counts for neither limit.
//
// Names of accounts and trunks only: the table is as small as they are few.
//
// Threads: any.
#ifndef SLUICE_SIGNALING_AGENT_CALL_LIMITER_H_
#define SLUICE_SIGNALING_AGENT_CALL_LIMITER_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "signaling/routing/trunk.h"

namespace sluice::agent {

class CallLimiter {
 public:
  // One call's place among those of its owner; given back when it goes. The limiter outlives it.
  class Place {
   public:
    Place() = default;
    Place(Place&& other) noexcept : limiter_(std::exchange(other.limiter_, nullptr)), key_(std::move(other.key_)) {}
    Place& operator=(Place&& other) noexcept {
      if (this == &other) return *this;
      Leave();
      limiter_ = std::exchange(other.limiter_, nullptr);
      key_ = std::move(other.key_);
      return *this;
    }
    ~Place() { Leave(); }

    // Empty: it is none.
    const std::string& key() const { return key_; }

   private:
    friend class CallLimiter;
    Place(CallLimiter& limiter, std::string key) : limiter_(&limiter), key_(std::move(key)) {}
    void Leave();

    CallLimiter* limiter_ = nullptr;
    std::string key_;
  };
  enum class Verdict : uint8_t { kTaken, kTooMany, kTooFast };
  struct Usage {
    // Now.
    uint64_t calls = 0;
    // Since the start.
    uint64_t refused = 0;
  };

  static std::string AccountKey(absl::string_view name);
  static std::string TrunkKey(absl::string_view name);

  // Takes a place for a call of `key` and puts it into `place`, which gives up the one that it had before.
  Verdict Take(const std::string& key, const routing::CallLimits& limits, absl::Time now, Place& place);

  // A place for a call that has one already, from an earlier run of the controller. Empty `key`: none.
  Place TakeAgain(const std::string& key);

  Usage UsageOf(const std::string& key) const;

 private:
  struct Entry {
    Usage usage;
    // When the next call is due at an even rate.
    absl::Time next = absl::InfinitePast();
  };

  void Leave(const std::string& key);

  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_CALL_LIMITER_H_
