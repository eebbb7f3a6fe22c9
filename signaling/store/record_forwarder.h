// Copies call records from the store to a sink, so that none is lost when the sink is away.
//
// How it works. The store is the spool: every record goes to its disk first, whatever the sink does. One thread reads
// from there, oldest first, what has not been copied yet, writes it to the sink, and then moves the mark in the store.
// A sink that fails is tried again, after a second at first and then less often up to once a minute; the records wait
// on disk, over restarts too, for as long as the store has room. A crash between the two writes makes the sink see a
// record twice, which it knows by the call's id. A record that the sink can never hold stays in the store, marked so
// that it is not deleted for its age, is named once, and holds up nobody.
//
// Threads: any.
#ifndef SLUICE_SIGNALING_STORE_RECORD_FORWARDER_H_
#define SLUICE_SIGNALING_STORE_RECORD_FORWARDER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "signaling/store/record_sink.h"
#include "signaling/store/store.h"

namespace sluice::store {

struct ForwarderOptions {
  // Records in one write.
  size_t batch = 500;
  // How often the store is asked while nothing comes.
  absl::Duration interval = absl::Milliseconds(500);
  // After a failure, doubled with each further one.
  absl::Duration first_retry = absl::Seconds(1);
  absl::Duration longest_retry = absl::Minutes(1);
  // Told when copying begins to fail and when it works again, and of each record that cannot be copied, one line each.
  std::function<void(absl::string_view line)> report = [](absl::string_view) {};
};

struct ForwarderStatistics {
  uint64_t copied = 0;
  // Records that the sink cannot hold.
  uint64_t refused = 0;
  // Batches that failed; they are tried again.
  uint64_t failures = 0;
};

class RecordForwarder {
 public:
  // `store` outlives it.
  RecordForwarder(Store& store, std::unique_ptr<RecordSink> sink, ForwarderOptions options);
  // Copies nothing more; what waits is copied after the next start.
  ~RecordForwarder();

  ForwarderStatistics Statistics() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Run();
  struct Batch {
    size_t size = 0;
    std::vector<RefusedCallRecord> refused;
  };

  absl::StatusOr<Batch> CopyBatch();
  void Note(const absl::StatusOr<Batch>& batch) ABSL_LOCKS_EXCLUDED(mutex_);

  Store& store_;
  const std::unique_ptr<RecordSink> sink_;
  const ForwarderOptions options_;
  mutable absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  ForwarderStatistics statistics_ ABSL_GUARDED_BY(mutex_);
  // Why the last batch failed; empty while all is well. Of the thread.
  std::string last_error_;
  std::thread thread_;
};

}  // namespace sluice::store

#endif  // SLUICE_SIGNALING_STORE_RECORD_FORWARDER_H_
