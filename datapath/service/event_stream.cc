#include "datapath/service/event_stream.h"

#include <utility>

#include "datapath/service/to_proto.h"
#include "process/grpc_status.h"

namespace sluice::service {
namespace {

constexpr size_t kMaxEvents = 256;  // An answer.

}  // namespace

EventStream* EventStream::Start(session::EventLog& log, const std::string& resume_token) {
  std::shared_ptr<EventStream> stream(new EventStream(log));
  stream->self_ = stream;
  const absl::StatusOr<uint64_t> seen = log.Resume(resume_token);
  if (!seen.ok()) {
    {
      absl::MutexLock lock(&stream->mutex_);
      stream->over_ = true;
    }
    stream->Finish(process::ToGrpcStatus(seen.status()));
    return stream.get();
  }
  {
    absl::MutexLock lock(&stream->mutex_);
    stream->seen_ = *seen;
  }
  stream->watcher_ = log.AddWatcher([weak = std::weak_ptr<EventStream>(stream)] {
    if (const std::shared_ptr<EventStream> self = weak.lock(); self != nullptr) self->Pump();
  });
  stream->Pump();
  return stream.get();
}

EventStream::~EventStream() {
  if (watcher_ != 0) log_.RemoveWatcher(watcher_);
}

void EventStream::Pump() {
  {
    absl::MutexLock lock(&mutex_);
    if (writing_ || over_) return;
    session::EventLog::Page page = log_.Read(seen_, kMaxEvents);
    if (greeted_ && page.events.empty() && page.missed == 0) return;
    greeted_ = true;
    writing_ = true;
    seen_ = page.last;
    response_.Clear();
    response_.set_resume_token(log_.TokenOf(page.last));
    response_.set_missed(page.missed);
    for (const session::Event& event : page.events) ToProto(event, *response_.add_events());
  }
  // Outside of the lock: gRPC may call back from within.
  StartWrite(&response_);
}

void EventStream::OnWriteDone(bool ok) {
  bool finish = false;
  {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    finish = !ok || over_;
    over_ = finish;
  }
  if (finish) {
    Finish(grpc::Status::CANCELLED);
  } else {
    Pump();
  }
}

void EventStream::OnCancel() {
  {
    absl::MutexLock lock(&mutex_);
    // A write that is on its way ends it.
    const bool was_over = std::exchange(over_, true);
    if (writing_ || was_over) return;
  }
  Finish(grpc::Status::CANCELLED);
}

void EventStream::OnDone() { self_.reset(); }

}  // namespace sluice::service
