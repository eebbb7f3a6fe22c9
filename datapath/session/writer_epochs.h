// Who may write: the highest epoch of each shard, so that a controller which lost its lease cannot disturb its
// successor.
//
// Threads: one control thread at a time.

#ifndef SLUICE_DATAPATH_SESSION_WRITER_EPOCHS_H_
#define SLUICE_DATAPATH_SESSION_WRITER_EPOCHS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "datapath/session/session_spec.h"

namespace sluice::session {

class WriterEpochs {
 public:
  using ShardIndex = uint16_t;
  static constexpr size_t kMaxShards = 4096;

  // The shard's index, for Name. INVALID_ARGUMENT for a wrong writer, FAILED_PRECONDITION for an epoch that is lower
  // than one seen before, RESOURCE_EXHAUSTED for more than kMaxShards different shards.
  absl::StatusOr<ShardIndex> Admit(const Writer& writer);

  const std::string& Name(ShardIndex index) const { return names_[index]; }
  // Writes refused for their epoch.
  uint64_t stale() const { return stale_; }

 private:
  absl::flat_hash_map<std::string, ShardIndex> index_of_;
  std::vector<std::string> names_;
  std::vector<uint64_t> epochs_;
  uint64_t stale_ = 0;
};

}  // namespace sluice::session

#endif  // SLUICE_DATAPATH_SESSION_WRITER_EPOCHS_H_
