#include "signaling/service/store_worker.h"

#include <utility>

namespace sluice::service {

StoreWorker::~StoreWorker() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

bool StoreWorker::Post(std::function<void()> work) {
  absl::MutexLock lock(&mutex_);
  if (waiting_.size() >= kMaxWaiting) return false;
  waiting_.push_back(std::move(work));
  return true;
}

void StoreWorker::Run() {
  while (true) {
    std::function<void()> work;
    {
      const auto something = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_ || !waiting_.empty(); };
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(&something));
      if (waiting_.empty()) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work();
  }
}

}  // namespace sluice::service
