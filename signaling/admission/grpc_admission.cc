#include "signaling/admission/grpc_admission.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "signaling/admission/verdict.h"

namespace sluice::admission {
namespace {

using v1::AdmitCallRequest;
using v1::AdmitCallResponse;

// Whoever comes back is found so soon.
constexpr int kFirstBackoffMs = 100;
constexpr int kLongestBackoffMs = 1000;
// A verdict is small.
constexpr int kMostBytes = 64 << 10;

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  // A new channel is a new connection.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstBackoffMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kLongestBackoffMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLongestBackoffMs);
  // It is reached directly and by address, whatever the environment says of proxies.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetMaxReceiveMessageSize(kMostBytes);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

// What Admission::Ask promises.
absl::StatusOr<Verdict> ReadAnswer(const absl::Status& status, const AdmitCallResponse& response) {
  if (status.ok()) return ReadVerdict(response);
  if (absl::IsDeadlineExceeded(status) || absl::IsUnavailable(status) || absl::IsCancelled(status)) return status;
  return absl::InternalError(
      absl::StrCat(absl::StatusCodeToString(status.code()), status.message().empty() ? "" : ": ", status.message()));
}

}  // namespace

GrpcAdmission::GrpcAdmission(GrpcAdmissionOptions options) : options_(std::move(options)) {
  Connect();
  loop_.Start("admission");
}

GrpcAdmission::~GrpcAdmission() {
  absl::Notification cancelled;
  loop_.Post([&] {
    for (const auto& [question, context] : contexts_) context->TryCancel();
    cancelled.Notify();
  });
  cancelled.WaitForNotification();
  // The loop is needed until the last call has ended.
  open_calls_->WaitUntilNone();
  loop_.Stop();
}

void GrpcAdmission::Connect() { stub_ = v1::CallAdmissionService::NewStub(MakeChannel(options_.address)); }

void GrpcAdmission::Ask(const Question& question, absl::Duration timeout, AnswerFunction done) {
  bool is_full = false;
  {
    absl::MutexLock lock(&mutex_);
    ++statistics_.asked;
    is_full = statistics_.open >= options_.most_open;
    ++(is_full ? statistics_.too_many : statistics_.open);
  }
  if (is_full) return done(absl::ResourceExhaustedError(absl::StrCat(options_.most_open, " questions are open")));
  loop_.Post([this, request = ToRequest(question, options_.controller), timeout, asked = Clock::now(),
              done = std::move(done)]() mutable { Send(request, timeout, asked, std::move(done)); });
}

void GrpcAdmission::Send(const AdmitCallRequest& request, absl::Duration timeout, Clock::time_point asked,
                         AnswerFunction done) {
  const absl::Duration left = timeout - absl::FromChrono(Clock::now() - asked);
  const uint64_t question = ++last_question_;
  contexts_[question] = fleet::BeginUnary<AdmitCallRequest, AdmitCallResponse>(
      {loop_, open_calls_}, request, left,
      [this](auto... arguments) { return stub_->PrepareAsyncAdmitCall(arguments...); },
      [this, question, asked, done = std::move(done)](const absl::Status& status, AdmitCallResponse& response) {
        contexts_.erase(question);
        const absl::StatusOr<Verdict> verdict = ReadAnswer(status, response);
        Count(verdict, asked);
        Judge(verdict.status());
        done(verdict);
      });
}

void GrpcAdmission::Count(const absl::StatusOr<Verdict>& verdict, Clock::time_point asked) {
  absl::MutexLock lock(&mutex_);
  --statistics_.open;
  if (verdict.ok()) {
    ++(verdict->status == 0 ? statistics_.admitted : statistics_.refused);
    statistics_.verdict_time += absl::FromChrono(Clock::now() - asked);
  } else if (absl::IsDeadlineExceeded(verdict.status())) {
    ++statistics_.timeouts;
  } else if (absl::IsUnavailable(verdict.status())) {
    ++statistics_.unavailable;
  } else if (!absl::IsCancelled(verdict.status())) {
    ++statistics_.errors;
  }
}

void GrpcAdmission::Judge(const absl::Status& status) {
  if (absl::IsCancelled(status)) return;
  timeouts_in_a_row_ = absl::IsDeadlineExceeded(status) ? timeouts_in_a_row_ + 1 : 0;
  if (timeouts_in_a_row_ >= options_.timeouts_until_anew) {
    timeouts_in_a_row_ = 0;
    Connect();
  }
  const Clock::time_point now = Clock::now();
  if (!status.ok()) {
    latest_failure_ = now;
    ++undecided_;
    if (!std::exchange(is_away_, true)) {
      options_.report(absl::StrCat("admission: the service at ", options_.address, " does not decide: ",
                                   status.message(), "; calls to trunks meanwhile go by admission.on_failure"));
    }
  } else if (is_away_ && absl::FromChrono(now - latest_failure_) >= options_.settling) {
    is_away_ = false;
    options_.report(absl::StrCat("admission: the service at ", options_.address,
                                 " decides again; calls without verdict: ", std::exchange(undecided_, 0)));
  }
}

AdmissionStatistics GrpcAdmission::Statistics() const {
  absl::MutexLock lock(&mutex_);
  return statistics_;
}

}  // namespace sluice::admission
