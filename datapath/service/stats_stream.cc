#include "datapath/service/stats_stream.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "datapath/service/to_proto.h"
#include "process/checks.h"
#include "process/grpc_status.h"

namespace sluice::service {
namespace {

constexpr absl::Duration kShortest = absl::Milliseconds(100);
constexpr absl::Duration kLongest = absl::Hours(1);
constexpr size_t kMaxSessions = 1000;  // A message.

}  // namespace

StatsStream::StatsStream(ControlLoop& loop, session::SessionModel& model, RelayReport& report,
                         const relay::v1::WatchStatsRequest& request)
    : loop_(loop),
      model_(model),
      report_(report),
      include_sessions_(request.include_sessions()),
      interval_(process::ToAbsl(request.interval())),
      next_(absl::Now()) {
  if (request.has_interval() && (interval_ < kShortest || interval_ > kLongest)) {
    Finish(process::ToGrpcStatus(absl::InvalidArgumentError(
        absl::StrCat("interval is ", absl::FormatDuration(interval_), ", allowed is 100ms to 1h"))));
    return;
  }
  Begin();
}

void StatsStream::Begin() {
  const absl::Status posted = loop_.Post([this](const session::Moment& now) { Fill(now); });
  if (!posted.ok()) Finish(process::ToGrpcStatus(posted));
}

void StatsStream::Fill(const session::Moment& now) {
  response_.Clear();
  if (after_.empty()) {
    began_ = now;
    report_.ToProto(now, response_);
  } else {
    *response_.mutable_time() = ToProto(began_.time);
  }
  if (include_sessions_) {
    const session::SessionModel::Page page = model_.ListSessions(after_, kMaxSessions, false, now);
    for (const session::SessionState& state : page.sessions) ToProto(state, *response_.add_sessions());
    after_ = page.next;
  }
  StartWrite(&response_);
}

void StatsStream::OnWriteDone(bool ok) {
  if (!ok) {
    Finish(grpc::Status::CANCELLED);
  } else if (!after_.empty()) {
    Begin();
  } else if (interval_ == absl::ZeroDuration()) {
    Finish(grpc::Status::OK);
  } else {
    Wait();
  }
}

void StatsStream::Wait() {
  // In step, but never two at once for a client that was slow.
  next_ = std::max(next_ + interval_, absl::Now() + kShortest / 2);
  bool cancelled = false;
  {
    absl::MutexLock lock(&mutex_);
    cancelled = cancelled_;
    if (!cancelled) {
      alarm_.Set(absl::ToChronoTime(next_), [this](bool ok) {
        if (ok) {
          Begin();
        } else {
          Finish(grpc::Status::CANCELLED);
        }
      });
    }
  }
  if (cancelled) Finish(grpc::Status::CANCELLED);
}

void StatsStream::OnCancel() {
  {
    absl::MutexLock lock(&mutex_);
    cancelled_ = true;
  }
  // Nothing happens if it is not set.
  alarm_.Cancel();
}

void StatsStream::OnDone() { delete this; }

}  // namespace sluice::service
