#include "datapath/session/event_log.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace sluice::session {

EventLog::EventLog(std::string instance, size_t capacity)
    : instance_(std::move(instance)), ring_(std::max<size_t>(capacity, 1)) {}

void EventLog::Append(Event event) {
  absl::MutexLock lock(&mutex_);
  ring_[newest_ % ring_.size()] = std::move(event);
  ++newest_;
}

void EventLog::Wake() {
  {
    absl::MutexLock lock(&mutex_);
    if (told_ == newest_) return;
    told_ = newest_;
  }
  std::vector<std::shared_ptr<const std::function<void()>>> watchers;
  {
    absl::MutexLock lock(&watchers_mutex_);
    for (const auto& [id, watcher] : watchers_) watchers.push_back(watcher);
  }
  for (const auto& watcher : watchers) (*watcher)();
}

EventLog::Page EventLog::Read(uint64_t after, size_t limit) const {
  absl::MutexLock lock(&mutex_);
  Page page;
  const uint64_t oldest = newest_ > ring_.size() ? newest_ - ring_.size() : 0;
  if (after < oldest) {
    page.missed = oldest - after;
    after = oldest;
  }
  page.last = std::max(after, std::min<uint64_t>(newest_, after + limit));
  page.events.reserve(page.last - after);
  for (uint64_t number = after; number < page.last; ++number) page.events.push_back(ring_[number % ring_.size()]);
  return page;
}

uint64_t EventLog::newest() const {
  absl::MutexLock lock(&mutex_);
  return newest_;
}

std::string EventLog::TokenOf(uint64_t number) const { return absl::StrCat(instance_, ".", number); }

absl::StatusOr<uint64_t> EventLog::Resume(absl::string_view token) const {
  if (token.empty()) return newest();
  const size_t dot = token.rfind('.');
  uint64_t number = 0;
  if (dot == absl::string_view::npos || !absl::SimpleAtoi(token.substr(dot + 1), &number)) {
    return absl::InvalidArgumentError("resume_token: allowed is empty, or a token that WatchEvents has answered");
  }
  if (token.substr(0, dot) != instance_) return 0;
  if (number > newest()) {
    return absl::InvalidArgumentError(absl::StrCat("resume_token ", token, " is of an event that has not happened"));
  }
  return number;
}

EventLog::WatcherId EventLog::AddWatcher(std::function<void()> watcher) {
  absl::MutexLock lock(&watchers_mutex_);
  watchers_.emplace(next_watcher_, std::make_shared<const std::function<void()>>(std::move(watcher)));
  return next_watcher_++;
}

void EventLog::RemoveWatcher(WatcherId id) {
  absl::MutexLock lock(&watchers_mutex_);
  watchers_.erase(id);
}

}  // namespace sluice::session
