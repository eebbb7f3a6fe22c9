// Calls in memory, as a test puts them there. Callbacks run at once, inside the call.
//
// Threads: any.
#ifndef SLUICE_SIGNALING_AGENT_CALL_CONTROL_FAKE_H_
#define SLUICE_SIGNALING_AGENT_CALL_CONTROL_FAKE_H_

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "signaling/agent/call_control.h"

namespace sluice::agent {

class FakeCallControl : public CallControl {
 public:
  // The newest call.
  void Add(CallDetails call) {
    absl::MutexLock lock(&mutex_);
    calls_.insert(calls_.begin(), std::move(call));
  }
  void SetStatistics(SignalingStatistics statistics) {
    absl::MutexLock lock(&mutex_);
    statistics_ = std::move(statistics);
  }

  // Those that have not ended. Tokens count calls.
  void ListCalls(size_t page_size, std::string token, std::function<void(absl::StatusOr<CallPage>)> done) override {
    size_t first = 0;
    if (!token.empty() && !absl::SimpleAtoi(token, &first)) {
      done(absl::InvalidArgumentError(absl::StrCat("page_token: '", token, "' is not one that a page has given")));
      return;
    }
    CallPage page;
    {
      absl::MutexLock lock(&mutex_);
      std::vector<CallSummary> live;
      for (const CallDetails& call : calls_) {
        if (call.call.state != CallState::kEnded) live.push_back(call.call);
      }
      first = std::min(first, live.size());
      const size_t last = std::min(first + page_size, live.size());
      page.calls.assign(live.begin() + static_cast<ptrdiff_t>(first), live.begin() + static_cast<ptrdiff_t>(last));
      if (last < live.size()) page.next_token = absl::StrCat(last);
    }
    done(std::move(page));
  }

  void GetCall(std::string call_id, bool include_messages,
               std::function<void(absl::StatusOr<CallDetails>)> done) override {
    absl::StatusOr<CallDetails> found = NoSuchCall(call_id);
    {
      absl::MutexLock lock(&mutex_);
      if (const CallDetails* call = Find(call_id); call != nullptr) found = *call;
    }
    if (found.ok() && !include_messages) {
      for (LadderEntry& entry : found->ladder) entry.message.clear();
    }
    done(std::move(found));
  }

  void HangUpCall(std::string call_id, std::function<void(absl::Status)> done) override {
    absl::Status status = NoSuchCall(call_id);
    {
      absl::MutexLock lock(&mutex_);
      if (CallDetails* call = Find(call_id); call != nullptr) {
        status = call->call.state == CallState::kEnded
                     ? absl::FailedPreconditionError(absl::StrCat("call_id: call ", call_id, " has ended"))
                     : absl::OkStatus();
        call->call.state = CallState::kEnded;
      }
    }
    done(std::move(status));
  }

  void SetDraining(bool draining) override {
    absl::MutexLock lock(&mutex_);
    statistics_.draining = draining;
  }

  SignalingStatistics Statistics() const override {
    absl::MutexLock lock(&mutex_);
    return statistics_;
  }

 private:
  static absl::Status NoSuchCall(const std::string& call_id) {
    return absl::NotFoundError(absl::StrCat("call_id: there is no call ", call_id));
  }
  CallDetails* Find(const std::string& call_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto found = std::find_if(calls_.begin(), calls_.end(),
                                    [&call_id](const CallDetails& call) { return call.call.call_id == call_id; });
    return found == calls_.end() ? nullptr : &*found;
  }

  mutable absl::Mutex mutex_;
  // Newest first.
  std::vector<CallDetails> calls_ ABSL_GUARDED_BY(mutex_);
  SignalingStatistics statistics_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_CALL_CONTROL_FAKE_H_
