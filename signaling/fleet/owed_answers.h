// Answers that callers wait for: each is given exactly once, by the relay's word, by its deadline, or by the end of
// all.
//
// Threads: the loop.
#ifndef SLUICE_SIGNALING_FLEET_OWED_ANSWERS_H_
#define SLUICE_SIGNALING_FLEET_OWED_ANSWERS_H_

#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "signaling/fleet/fleet.h"
#include "signaling/fleet/work_loop.h"

namespace sluice::fleet {

class OwedAnswers {
 public:
  class Answer {
   public:
    // Nothing happens when it was given before.
    void Give(absl::StatusOr<relay::v1::SessionState> state) {
      if (done_ == nullptr) return;
      all_->loop_.Cancel(deadline_);
      all_->answers_.erase(this);
      std::exchange(done_, nullptr)(std::move(state));
    }

   private:
    friend class OwedAnswers;
    OwedAnswers* all_ = nullptr;
    Fleet::StateCallback done_;
    WorkLoop::TimerId deadline_;
  };

  explicit OwedAnswers(WorkLoop& loop) : loop_(loop) {}

  std::shared_ptr<Answer> Owe(absl::Duration deadline, Fleet::StateCallback done) {
    auto answer = std::make_shared<Answer>();
    answer->all_ = this;
    answer->done_ = std::move(done);
    answer->deadline_ = loop_.After(deadline, [answer, deadline] {
      answer->Give(absl::DeadlineExceededError(absl::StrCat("no answer within ", absl::FormatDuration(deadline))));
    });
    answers_[answer.get()] = answer;
    return answer;
  }

  void GiveAll(const absl::Status& status) {
    std::vector<std::shared_ptr<Answer>> answers;
    for (const auto& [pointer, answer] : answers_) answers.push_back(answer);
    for (const std::shared_ptr<Answer>& answer : answers) answer->Give(status);
  }

 private:
  WorkLoop& loop_;
  absl::flat_hash_map<Answer*, std::shared_ptr<Answer>> answers_;
};

using OwedAnswer = std::shared_ptr<OwedAnswers::Answer>;

}  // namespace sluice::fleet

#endif  // SLUICE_SIGNALING_FLEET_OWED_ANSWERS_H_
