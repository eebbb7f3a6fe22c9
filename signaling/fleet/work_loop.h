// One thread that runs work in the order it was posted, and timers. All state of the fleet lives on it, so none of it
// needs a lock.
//
// Work that is waiting runs before timers that are due: a message that came in time is seen before the timer that
// watches for it, however late this thread was scheduled.
//
// Threads: Post from any; the timers only from the loop's own thread. Start and Stop from the owner's.
#ifndef SLUICE_SIGNALING_FLEET_WORK_LOOP_H_
#define SLUICE_SIGNALING_FLEET_WORK_LOOP_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
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

  WorkLoop() = default;
  WorkLoop(const WorkLoop&) = delete;
  WorkLoop& operator=(const WorkLoop&) = delete;
  ~WorkLoop() { Stop(); }

  void Start();
  // Runs the work that has been posted so far, then ends the thread. What is posted later, and timers, are dropped.
  void Stop();

  void Post(Work work) ABSL_LOCKS_EXCLUDED(mutex_);

  TimerId After(absl::Duration delay, Work work);
  // Nothing happens if the timer has run or is none.
  void Cancel(TimerId timer);

 private:
  void Run();

  absl::Mutex mutex_;
  std::vector<Work> posted_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<TimerId, Work> timers_;
  uint64_t next_timer_ = 1;
  std::thread thread_;
};

}  // namespace sluice::fleet

#endif  // SLUICE_SIGNALING_FLEET_WORK_LOOP_H_
