#include "signaling/fleet/work_loop.h"

#include <grpc/support/time.h>
#include <pthread.h>

#include <algorithm>
#include <utility>

#include "process/paced_loop.h"

namespace sluice::fleet {

using std::chrono::steady_clock;

namespace {

// What a call waits for twice at most before it rings: for its session to be asked for, and for the answer.
constexpr std::chrono::milliseconds kTurn(2);

}  // namespace

void WorkLoop::Start(std::string name) {
  thread_ = std::thread([this, name = std::move(name)] {
    pthread_setname_np(pthread_self(), name.c_str());
    Run();
  });
}

void WorkLoop::Stop() {
  if (!thread_.joinable()) return;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    Wake();
  }
  thread_.join();
}

void WorkLoop::Post(Work work) {
  absl::MutexLock lock(&mutex_);
  if (stopping_) return;
  posted_.push_back(std::move(work));
  Wake();
}

void WorkLoop::Wake() {
  if (!asleep_ || std::exchange(waking_, true)) return;
  // A time that has passed: it is completed at once.
  alarm_.Set(&completions_, gpr_inf_past(GPR_CLOCK_MONOTONIC), nullptr);
}

WorkLoop::TimerId WorkLoop::After(absl::Duration delay, Work work) {
  const TimerId timer(steady_clock::now() + absl::ToChronoNanoseconds(delay), next_timer_++);
  timers_.emplace(timer, std::move(work));
  return timer;
}

void WorkLoop::Cancel(TimerId timer) { timers_.erase(timer); }

void WorkLoop::Run() {
  process::RunPaced(
      kTurn, [this] { return Wait(); }, [this] { return Poll(); });
  completions_.Shutdown();
  while (Complete(gpr_inf_future(GPR_CLOCK_MONOTONIC))) {
  }
  timers_.clear();
}

bool WorkLoop::Wait() {
  {
    absl::MutexLock lock(&mutex_);
    if (!posted_.empty()) return true;
    if (stopping_) return false;
    asleep_ = true;
  }
  gpr_timespec until = gpr_inf_future(GPR_CLOCK_MONOTONIC);
  if (!timers_.empty()) {
    const auto wait = timers_.begin()->first.first - steady_clock::now();
    until = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                         gpr_time_from_nanos(std::max<int64_t>(wait.count(), 0), GPR_TIMESPAN));
  }
  Complete(until);
  absl::MutexLock lock(&mutex_);
  asleep_ = false;
  return true;
}

bool WorkLoop::Complete(gpr_timespec when) {
  void* tag = nullptr;
  bool ok = false;
  if (completions_.AsyncNext(&tag, &ok, when) != grpc::CompletionQueue::GOT_EVENT) return false;
  if (tag != nullptr) {
    static_cast<Completion*>(tag)->OnCompleted(ok);
  } else {
    absl::MutexLock lock(&mutex_);
    waking_ = false;
  }
  return true;
}

bool WorkLoop::Poll() {
  const steady_clock::time_point begin = steady_clock::now();
  bool did = false;
  for (bool more = true; more; did = did || more) {
    more = RunPosted();
    while (Complete(gpr_inf_past(GPR_CLOCK_MONOTONIC))) more = true;
  }
  // All that had come before these were due has been seen by now.
  while (!timers_.empty() && timers_.begin()->first.first <= begin) {
    // Taken out before it runs, so that it may cancel itself or set another.
    const Work due = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    due();
    did = true;
  }
  return did;
}

bool WorkLoop::RunPosted() {
  // What a piece of work holds on to must not live until the next one comes.
  std::vector<Work> work;
  {
    absl::MutexLock lock(&mutex_);
    work.swap(posted_);
  }
  for (Work& one : work) one();
  return !work.empty();
}

}  // namespace sluice::fleet
