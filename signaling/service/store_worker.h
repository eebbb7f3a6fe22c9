// One thread for what waits for the disk, so that gRPC's threads do not.
//
// Threads: Post from any.
#ifndef SLUICE_SIGNALING_SERVICE_STORE_WORKER_H_
#define SLUICE_SIGNALING_SERVICE_STORE_WORKER_H_

#include <deque>
#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace sluice::service {

class StoreWorker {
 public:
  // More than this many waiting is more than a disk serves in the time that a client waits.
  static constexpr size_t kMaxWaiting = 1000;

  StoreWorker() : thread_([this] { Run(); }) {}
  // Runs what waits.
  ~StoreWorker();

  // In order. False, and nothing happens, if too many wait already.
  bool Post(std::function<void()> work) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Run();

  absl::Mutex mutex_;
  std::deque<std::function<void()>> waiting_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace sluice::service

#endif  // SLUICE_SIGNALING_SERVICE_STORE_WORKER_H_
