#include "signaling/fleet/work_loop.h"

namespace sluice::fleet {

using std::chrono::steady_clock;

void WorkLoop::Start() {
  thread_ = std::thread([this] { Run(); });
}

void WorkLoop::Stop() {
  if (!thread_.joinable()) return;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void WorkLoop::Post(Work work) {
  absl::MutexLock lock(&mutex_);
  if (!stopping_) posted_.push_back(std::move(work));
}

WorkLoop::TimerId WorkLoop::After(absl::Duration delay, Work work) {
  const TimerId timer(steady_clock::now() + absl::ToChronoNanoseconds(delay), next_timer_++);
  timers_.emplace(timer, std::move(work));
  return timer;
}

void WorkLoop::Cancel(TimerId timer) { timers_.erase(timer); }

void WorkLoop::Run() {
  std::vector<Work> work;
  while (true) {
    absl::Duration wait = absl::InfiniteDuration();
    if (!timers_.empty()) wait = absl::FromChrono(timers_.begin()->first.first - steady_clock::now());
    bool stopping = false;
    steady_clock::time_point taken;
    {
      absl::MutexLock lock(&mutex_);
      const auto something = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_ || !posted_.empty(); };
      mutex_.AwaitWithTimeout(absl::Condition(&something), wait);
      taken = steady_clock::now();
      work.swap(posted_);
      stopping = stopping_;
    }
    for (Work& one : work) one();
    if (stopping) break;
    // All that was posted before these timers were due has run by now.
    while (!timers_.empty() && timers_.begin()->first.first <= taken) {
      // Taken out before it runs, so that it may cancel itself or set another.
      const Work due = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
      due();
    }
    // What a piece of work holds on to must not live until the next one comes.
    work.clear();
  }
  timers_.clear();
}

}  // namespace sluice::fleet
