// A cluster of which a test says who is in it, and what happens.
//
// Threads: any. The listener is called by the test's thread.
#ifndef SLUICE_SIGNALING_CLUSTER_CLUSTER_FAKE_H_
#define SLUICE_SIGNALING_CLUSTER_CLUSTER_FAKE_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "signaling/cluster/cluster.h"
#include "signaling/sip/hop.h"
#include "signaling/store/store.h"

namespace sluice::cluster {

class FakeCluster final : public Cluster {
 public:
  explicit FakeCluster(RunNumber run, const Whereabouts& whereabouts = {}) : run_(run), whereabouts_(whereabouts) {}

  RunNumber run() const override { return run_; }
  Whereabouts whereabouts() const override { return whereabouts_; }

  std::optional<Whereabouts> Find(RunNumber run) const override {
    absl::MutexLock lock(&mutex_);
    const auto found = owners_.find(run);
    if (found == owners_.end()) return std::nullopt;
    return found->second;
  }

  bool Knows(RunNumber run) const override {
    absl::MutexLock lock(&mutex_);
    return !unknown_.contains(run);
  }

  bool IsMember(const sip::Endpoint& address) const override {
    absl::MutexLock lock(&mutex_);
    for (const auto& [run, owner] : owners_) {
      if (owner.address.SameAddress(address)) return true;
    }
    return false;
  }

  void SetListener(Listener* listener) override {
    absl::MutexLock lock(&listener_mutex_);
    listener_ = listener;
  }

  // The dialogs of `run` are there from now on; nothing: they are with nobody, or here.
  void SetOwner(RunNumber run, std::optional<Whereabouts> owner) {
    absl::MutexLock lock(&mutex_);
    owners_.erase(run);
    if (owner.has_value()) owners_[run] = *owner;
  }

  // There never was such a run.
  void Deny(RunNumber run) {
    absl::MutexLock lock(&mutex_);
    unknown_.insert(run);
  }

  // What the listener hears.
  void TakeOver(const GoneRun& gone, std::vector<store::StandingCall> calls) {
    absl::MutexLock lock(&listener_mutex_);
    if (listener_ != nullptr) listener_->OnTakeover(gone, std::move(calls));
  }
  void Oust(const std::string& successor) {
    absl::MutexLock lock(&listener_mutex_);
    if (listener_ != nullptr) listener_->OnOusted(successor);
  }

 private:
  const RunNumber run_;
  const Whereabouts whereabouts_;
  mutable absl::Mutex mutex_;
  std::map<RunNumber, Whereabouts> owners_ ABSL_GUARDED_BY(mutex_);
  std::set<RunNumber> unknown_ ABSL_GUARDED_BY(mutex_);
  // Held while the listener is called, so that SetListener waits for it.
  absl::Mutex listener_mutex_;
  Listener* listener_ ABSL_GUARDED_BY(listener_mutex_) = nullptr;
};

}  // namespace sluice::cluster

#endif  // SLUICE_SIGNALING_CLUSTER_CLUSTER_FAKE_H_
