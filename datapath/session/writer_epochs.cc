#include "datapath/session/writer_epochs.h"

#include "absl/strings/str_cat.h"

namespace sluice::session {

absl::StatusOr<WriterEpochs::ShardIndex> WriterEpochs::Admit(const Writer& writer) {
  if (const auto found = index_of_.find(writer.shard); found != index_of_.end()) {
    uint64_t& epoch = epochs_[found->second];
    if (writer.epoch < epoch) {
      ++stale_;
      return absl::FailedPreconditionError(absl::StrCat("writer.epoch is ", writer.epoch, " and shard ", writer.shard,
                                                        " has written with ", epoch, " already"));
    }
    epoch = writer.epoch;
    return found->second;
  }
  if (absl::Status status = Check(writer); !status.ok()) return status;
  if (names_.size() == kMaxShards) {
    return absl::ResourceExhaustedError(absl::StrCat("writer.shard: more than ", kMaxShards, " shards have written"));
  }
  const auto index = static_cast<ShardIndex>(names_.size());
  index_of_.emplace(writer.shard, index);
  names_.push_back(writer.shard);
  epochs_.push_back(writer.epoch);
  return index;
}

}  // namespace sluice::session
