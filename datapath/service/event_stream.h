// One WatchEvents call: events from a resume token on, as fast as the client takes them.
//
// The first answer comes at once, perhaps without events: it has the token to resume from. After that there is an
// answer whenever the log has something new and the client has taken the one before. Nothing is buffered here: a client
// that is too slow for the log is told how many events it missed.
//
// Threads: gRPC's and those that wake the event log. A write is on its way or the call is over before anybody else may
// end it, so the call lives as long as somebody works on it.

#ifndef SLUICE_DATAPATH_SERVICE_EVENT_STREAM_H_
#define SLUICE_DATAPATH_SERVICE_EVENT_STREAM_H_

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "datapath/session/event_log.h"
#include "sluice/relay/v1/session_service.pb.h"

namespace sluice::service {

class EventStream final : public grpc::ServerWriteReactor<relay::v1::WatchEventsResponse>,
                          public std::enable_shared_from_this<EventStream> {
 public:
  // INVALID_ARGUMENT ends the call at once for a token that is none. The call owns itself.
  static EventStream* Start(session::EventLog& log, const std::string& resume_token);
  ~EventStream() override;

  void OnWriteDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnCancel() override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnDone() override;

 private:
  explicit EventStream(session::EventLog& log) : log_(log) {}

  // Writes what is new, unless something is on its way.
  void Pump() ABSL_LOCKS_EXCLUDED(mutex_);

  session::EventLog& log_;
  session::EventLog::WatcherId watcher_ = 0;
  // Until OnDone.
  std::shared_ptr<EventStream> self_;
  // Of the write that is on its way.
  relay::v1::WatchEventsResponse response_;

  absl::Mutex mutex_;
  uint64_t seen_ ABSL_GUARDED_BY(mutex_) = 0;
  bool greeted_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool over_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace sluice::service

#endif  // SLUICE_DATAPATH_SERVICE_EVENT_STREAM_H_
