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
    const absl::StatusOr<Batch> batch = CopyBatch();
    Note(batch);
    if (!batch.ok()) {
      wait = retry;
      retry = std::min(2 * retry, options_.longest_retry);
      continue;
    }
    retry = options_.first_retry;
    wait = batch->size < options_.batch ? options_.interval : absl::ZeroDuration();
  }
}

absl::StatusOr<RecordForwarder::Batch> RecordForwarder::CopyBatch() {
  const absl::StatusOr<UncopiedCallRecords> uncopied = store_.ReadUncopied(options_.batch);
  if (!uncopied.ok()) return uncopied.status();
  if (uncopied->records.empty()) return Batch();
  absl::StatusOr<std::vector<RefusedCallRecord>> refused = sink_->Write(uncopied->records);
  if (!refused.ok()) return refused.status();
  if (absl::Status status = store_.MarkCopied(uncopied->position, *refused); !status.ok()) return status;
  return Batch{uncopied->records.size(), *std::move(refused)};
}

void RecordForwarder::Note(const absl::StatusOr<Batch>& batch) {
  if (!batch.ok()) {
    if (last_error_ != batch.status().message()) {
      last_error_ = std::string(batch.status().message());
      options_.report(absl::StrCat("call records cannot be copied and wait in the store: ", last_error_));
    }
    absl::MutexLock lock(&mutex_);
    ++statistics_.failures;
    return;
  }
  if (!last_error_.empty() && batch->size > 0) {
    options_.report("call records are copied again");
    last_error_.clear();
  }
  for (const RefusedCallRecord& record : batch->refused) {
    options_.report(absl::StrCat("call record ", record.call_id, " stays in the store only: ", record.reason));
  }
  absl::MutexLock lock(&mutex_);
  statistics_.copied += batch->size - batch->refused.size();
  statistics_.refused += batch->refused.size();
}

}  // namespace sluice::store
