// Counts the gRPC calls that are under way, so that whoever started them can wait for their end: gRPC still touches a
// call's memory between its cancellation and its end.
//
// Threads: any.
#ifndef SLUICE_SIGNALING_FLEET_OPEN_CALLS_H_
#define SLUICE_SIGNALING_FLEET_OPEN_CALLS_H_

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace sluice::fleet {

class OpenCalls : public std::enable_shared_from_this<OpenCalls> {
 public:
  // Held by a call as long as it is under way.
  using Token = std::shared_ptr<void>;

  Token Open() {
    absl::MutexLock lock(&mutex_);
    ++open_;
    return Token(nullptr, [self = shared_from_this()](void*) { self->Close(); });
  }

  void WaitUntilNone() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](int* open) { return *open == 0; }, &open_));
  }

 private:
  void Close() {
    absl::MutexLock lock(&mutex_);
    --open_;
  }

  absl::Mutex mutex_;
  int open_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace sluice::fleet

#endif  // SLUICE_SIGNALING_FLEET_OPEN_CALLS_H_
