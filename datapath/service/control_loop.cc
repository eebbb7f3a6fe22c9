#include "datapath/service/control_loop.h"

#include <pthread.h>

#include <utility>

#include "absl/synchronization/notification.h"

namespace sluice::service {
namespace {

constexpr absl::Duration kTurn = absl::Milliseconds(2);
// Without sessions nobody's source can be learned.
constexpr absl::Duration kIdleTurn = absl::Milliseconds(20);
constexpr absl::Duration kAdvance = absl::Milliseconds(50);

}  // namespace

ControlLoop::ControlLoop(Datapath& datapath, flow::FlowTable& table, session::SessionModel& model)
    : datapath_(datapath), table_(table), model_(model), thread_([this] { Loop(); }) {
  pthread_setname_np(thread_.native_handle(), "control");
}

ControlLoop::~ControlLoop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

absl::Status ControlLoop::Post(Work work) {
  absl::MutexLock lock(&mutex_);
  if (waiting_.size() >= kMaxWaiting) {
    return absl::ResourceExhaustedError("the relay has more requests than it can serve; try again later");
  }
  waiting_.push_back(std::move(work));
  return absl::OkStatus();
}

absl::Status ControlLoop::Run(const Work& work) {
  absl::Notification done;
  const absl::Status posted = Post([&](const session::Moment& now) {
    work(now);
    done.Notify();
  });
  if (posted.ok()) done.WaitForNotification();
  return posted;
}

void ControlLoop::Loop() {
  std::vector<Work> work;
  bool stopping = false;
  while (!stopping) {
    const absl::Duration patience = model_.statistics().sessions == 0 ? kIdleTurn : kTurn;
    const auto has_work = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_ || !waiting_.empty(); };
    {
      absl::MutexLock lock(&mutex_);
      mutex_.AwaitWithTimeout(absl::Condition(&has_work), patience);
      work.clear();
      work.swap(waiting_);
      stopping = stopping_;
    }
    Turn(work);
  }
}

void ControlLoop::Turn(const std::vector<Work>& work) {
  const session::Moment now = datapath_.Now();
  for (const Work& item : work) item(now);
  datapath_.DrainEvents([&](const flow::FlowEvent& event) { model_.OnFlowEvent(event, now); });
  table_.Collect();
  datapath_.Service();
  if (now.time >= next_advance_) {
    model_.Advance(now);
    next_advance_ = now.time + kAdvance;
  }
  model_.events().Wake();
}

}  // namespace sluice::service
