// The names that TLS servers must speak for, as small numbers that fit into a hop: the same for all shards.
//
// Names are those of the config, so there are few, and none is forgotten.
//
// Threads: any.
#ifndef SLUICE_SIGNALING_TRANSPORT_TLS_NAMES_H_
#define SLUICE_SIGNALING_TRANSPORT_TLS_NAMES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace sluice::transport {

class TlsNames {
 public:
  // The same for each call with this name. 0 for the empty name.
  uint32_t NumberOf(const std::string& name);
  // Empty for 0 and for what NumberOf has never given.
  std::string NameOf(uint32_t number) const;

 private:
  mutable absl::Mutex mutex_;
  // By number, from 1.
  std::vector<std::string> names_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sluice::transport

#endif  // SLUICE_SIGNALING_TRANSPORT_TLS_NAMES_H_
