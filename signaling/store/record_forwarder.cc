#include "signaling/store/record_forwarder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace sluice::store {

RecordForwarder::RecordForwarder(Store& store, std::unique_ptr<RecordSink> sink, ForwarderOptions options)
    : store_(store), sink_(std::move(sink)), options_(std::move(options)), thread_([this] { Run(); }) {}

RecordForwarder::~RecordForwarder() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

ForwarderStatistics RecordForwarder::Statistics() const {
  absl::MutexLock lock(&mutex_);
  return statistics_;
}

void RecordForwarder::Run() {
  absl::Duration retry = options_.first_retry;
  absl::Duration wait = absl::ZeroDuration();
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      if (mutex_.AwaitWithTimeout(absl::Condition(&stopping_), wait)) return;
    }
    const absl::StatusOr<size_t> copied = CopyBatch();
    Note(copied);
    if (!copied.ok()) {
      wait = retry;
      retry = std::min(2 * retry, options_.longest_retry);
      continue;
    }
    retry = options_.first_retry;
    wait = *copied < options_.batch ? options_.interval : absl::ZeroDuration();
  }
}

absl::StatusOr<size_t> RecordForwarder::CopyBatch() {
  const absl::StatusOr<UncopiedCallRecords> uncopied = store_.ReadUncopied(options_.batch);
  if (!uncopied.ok()) return uncopied.status();
  if (uncopied->records.empty()) return 0;
  if (absl::Status status = sink_->Write(uncopied->records); !status.ok()) return status;
  if (absl::Status status = store_.MarkCopied(uncopied->position); !status.ok()) return status;
  return uncopied->records.size();
}

void RecordForwarder::Note(const absl::StatusOr<size_t>& copied) {
  if (copied.ok()) {
    if (!last_error_.empty() && *copied > 0) {
      options_.report("call records are copied again");
      last_error_.clear();
    }
  } else if (last_error_ != copied.status().message()) {
    last_error_ = std::string(copied.status().message());
    options_.report(absl::StrCat("call records cannot be copied and wait in the store: ", last_error_));
  }
  absl::MutexLock lock(&mutex_);
  statistics_.copied += copied.ok() ? *copied : 0;
  statistics_.failures += copied.ok() ? 0 : 1;
}

}  // namespace sluice::store
