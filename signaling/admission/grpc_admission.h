// The operator's service over gRPC (sluice/admission/v1): one channel, and one loop on a thread of its own.
//
// How a question goes: the shard counts it and posts it to the loop, so no shard ever waits for gRPC; the loop asks,
// with a deadline, and gives the answer on. What comes while `most_open` questions have no answer is not asked.
//
// The service counts as away from the first question on that it does not decide until it has decided all for
// `settling`: one line at either end, however many calls there are. A connection on which nothing comes any more, as
// when the host is gone, is given up after some time-outs in a row.
#ifndef SLUICE_SIGNALING_ADMISSION_GRPC_ADMISSION_H_
#define SLUICE_SIGNALING_ADMISSION_GRPC_ADMISSION_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "signaling/admission/admission.h"
#include "signaling/fleet/open_calls.h"
#include "signaling/fleet/unary_call.h"
#include "signaling/fleet/work_loop.h"
#include "sluice/admission/v1/call_admission.grpc.pb.h"

namespace sluice::admission {

struct GrpcAdmissionOptions {
  // "unix:/run/rating.sock", "198.18.0.7:7090".
  std::string address;
  // Name of this controller.
  std::string controller;
  // Questions at a time.
  size_t most_open = 1000;
  absl::Duration settling = absl::Seconds(5);
  // Time-outs in a row until the connection is made anew.
  uint32_t timeouts_until_anew = 10;
  // Gets the lines for the log. On the loop's thread.
  std::function<void(absl::string_view line)> report = [](absl::string_view) {};
};

struct AdmissionStatistics {
  uint64_t asked = 0;
  uint64_t admitted = 0;
  uint64_t refused = 0;
  // Without a verdict: none came in time; nobody serves; it was an error, or said nothing; too many were open.
  uint64_t timeouts = 0;
  uint64_t unavailable = 0;
  uint64_t errors = 0;
  uint64_t too_many = 0;
  // All that the verdicts took together.
  absl::Duration verdict_time;
  // Now.
  uint64_t open = 0;
};

class GrpcAdmission final : public Admission {
 public:
  // Connects with the first question.
  explicit GrpcAdmission(GrpcAdmissionOptions options);
  // Questions that are open are answered CANCELLED.
  ~GrpcAdmission() override;

  void Ask(const Question& question, absl::Duration timeout, AnswerFunction done) override ABSL_LOCKS_EXCLUDED(mutex_);

  // Threads: any.
  AdmissionStatistics Statistics() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using Clock = std::chrono::steady_clock;

  void Connect();
  void Send(const v1::AdmitCallRequest& request, absl::Duration timeout, Clock::time_point asked, AnswerFunction done);
  void Count(const absl::StatusOr<Verdict>& verdict, Clock::time_point asked) ABSL_LOCKS_EXCLUDED(mutex_);
  // What the answer says about the service.
  void Judge(const absl::Status& status);

  const GrpcAdmissionOptions options_;
  fleet::WorkLoop loop_;
  const std::shared_ptr<fleet::OpenCalls> open_calls_ = std::make_shared<fleet::OpenCalls>();
  mutable absl::Mutex mutex_;
  AdmissionStatistics statistics_ ABSL_GUARDED_BY(mutex_);

  // The loop's.
  std::unique_ptr<v1::CallAdmissionService::Stub> stub_;
  std::map<uint64_t, fleet::SharedContext> contexts_;
  uint64_t last_question_ = 0;
  uint32_t timeouts_in_a_row_ = 0;
  bool is_away_ = false;
  Clock::time_point latest_failure_;
  uint64_t undecided_ = 0;
};

}  // namespace sluice::admission

#endif  // SLUICE_SIGNALING_ADMISSION_GRPC_ADMISSION_H_
