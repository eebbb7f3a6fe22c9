// Whom the clients of TLS connections speak for, of those that have shown a certificate which was verified: the same
// for all shards, since a message may be another shard's than its connection.
//
// Threads: any.
#ifndef SLUICE_SIGNALING_TRANSPORT_CLIENT_IDENTITIES_H_
#define SLUICE_SIGNALING_TRANSPORT_CLIENT_IDENTITIES_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

namespace sluice::transport {

class ClientIdentities {
 public:
  // Ids of connections are never used again, so what was forgotten is nobody's.
  void Set(uint64_t connection, std::vector<std::string> identities) {
    absl::MutexLock lock(&mutex_);
    by_connection_[connection] = std::move(identities);
  }
  void Forget(uint64_t connection) {
    absl::MutexLock lock(&mutex_);
    by_connection_.erase(connection);
  }
  // Empty for a connection that there is not, or whose client has shown nothing.
  std::vector<std::string> Find(uint64_t connection) const {
    absl::MutexLock lock(&mutex_);
    const auto found = by_connection_.find(connection);
    return found == by_connection_.end() ? std::vector<std::string>() : found->second;
  }

 private:
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<uint64_t, std::vector<std::string>> by_connection_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sluice::transport

#endif  // SLUICE_SIGNALING_TRANSPORT_CLIENT_IDENTITIES_H_
