// One thread that runs work in the order it was posted, what gRPC has completed, and timers. All state of its owner
// (the fleet, say) lives on it, so none of it needs a lock.
//
// Nothing else waits for the peers: what they send is read by this thread, without a hand-over from one of gRPC's. It
// is paced (process/paced_loop.h).
//
// Work that is waiting and what has been completed run before timers that are due: a message that came in time is seen
// before the timer that watches for it, however late this thread was scheduled.
//
// Threads: Post from any; timers and calls only from the loop's own thread. Start and Stop from the owner's.
#ifndef SLUICE_SIGNALING_FLEET_WORK_LOOP_H_
#define SLUICE_SIGNALING_FLEET_WORK_LOOP_H_

#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace sluice::fleet {

class WorkLoop {
 public:
  using Work = std::function<void()>;
  // Names a timer; the default value names none.
  using TimerId = std::pair<std::chrono::steady_clock::time_point, uint64_t>;

  // The tag of an operation of a call: told on the loop what became of it.
  class Completion {
   public:
    virtual void OnCompleted(bool ok) = 0;

   protected:
    ~Completion() = default;
  };

  WorkLoop() = default;
  WorkLoop(const WorkLoop&) = delete;
  WorkLoop& operator=(const WorkLoop&) = delete;
  ~WorkLoop() { Stop(); }

  // `name`: of the thread, at most 15 bytes.
  void Start(std::string name);
  // Runs the work that has been posted so far, then ends the thread. What is posted later, and timers, are dropped. No
  // call may be under way.
  void Stop();

  void Post(Work work) ABSL_LOCKS_EXCLUDED(mutex_);

  TimerId After(absl::Duration delay, Work work);
  // Nothing happens if the timer has run or is none.
  void Cancel(TimerId timer);

  // For calls; every tag is a Completion.
  grpc::CompletionQueue& completions() { return completions_; }

 private:
  void Run();
  // Waits for what is to be done next. False: it is the end.
  bool Wait() ABSL_LOCKS_EXCLUDED(mutex_);
  // Does what there is to do. False: that was nothing.
  bool Poll() ABSL_LOCKS_EXCLUDED(mutex_);
  bool RunPosted() ABSL_LOCKS_EXCLUDED(mutex_);
  // Tells one completion, after waiting for it at most until `when`. False: none has come.
  bool Complete(gpr_timespec when) ABSL_LOCKS_EXCLUDED(mutex_);
  void Wake() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  grpc::CompletionQueue completions_;
  absl::Mutex mutex_;
  std::vector<Work> posted_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool asleep_ ABSL_GUARDED_BY(mutex_) = false;
  // What wakes the thread, and whether that is on its way: it cannot be used again before it has come.
  grpc::Alarm alarm_ ABSL_GUARDED_BY(mutex_);
  bool waking_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<TimerId, Work> timers_;
  uint64_t next_timer_ = 1;
  std::thread thread_;
};

}  // namespace sluice::fleet

#endif  // SLUICE_SIGNALING_FLEET_WORK_LOOP_H_
