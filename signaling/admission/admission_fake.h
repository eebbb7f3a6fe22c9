// Keeps what was asked until a test answers it.
//
// Threads: the test's.
#ifndef SLUICE_SIGNALING_ADMISSION_ADMISSION_FAKE_H_
#define SLUICE_SIGNALING_ADMISSION_ADMISSION_FAKE_H_

#include <cstddef>
#include <deque>
#include <utility>

#include "gtest/gtest.h"
#include "signaling/admission/admission.h"

namespace sluice::admission {

class FakeAdmission final : public Admission {
 public:
  void Ask(const Question& question, absl::Duration timeout, AnswerFunction done) override {
    open_.push_back({question, timeout, std::move(done)});
  }

  // Questions without an answer.
  size_t open() const { return open_.size(); }
  // The oldest of them, which must be there.
  const Question& question() const { return open_.at(0).question; }
  absl::Duration timeout() const { return open_.at(0).timeout; }
  // Answers it.
  void Answer(absl::StatusOr<Verdict> verdict) {
    ASSERT_FALSE(open_.empty()) << "nothing was asked";
    const AnswerFunction done = std::move(open_.front().done);
    open_.pop_front();
    done(std::move(verdict));
  }

 private:
  struct Open {
    Question question;
    absl::Duration timeout;
    AnswerFunction done;
  };
  std::deque<Open> open_;
};

}  // namespace sluice::admission

#endif  // SLUICE_SIGNALING_ADMISSION_ADMISSION_FAKE_H_
