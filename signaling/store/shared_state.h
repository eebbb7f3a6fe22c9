// What a controller of a cluster shares with the others, beside what is in its own file.
//
// Threads: any; nothing here waits.
#ifndef SLUICE_SIGNALING_STORE_SHARED_STATE_H_
#define SLUICE_SIGNALING_STORE_SHARED_STATE_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace sluice::store {

class SharedState {
 public:
  struct Statistics {
    // Standing calls that are there, and those whose latest state, or end, is not.
    uint64_t standing_calls = 0;
    uint64_t standing_calls_waiting = 0;
  };

  virtual ~SharedState() = default;

  // As Store::KeepCall.
  virtual void KeepCall(absl::string_view call_id, std::string state) = 0;
  // Its record is on disk.
  virtual void ForgetCall(absl::string_view call_id) = 0;

  // The bindings of `account` have changed here, and not because another controller told so.
  virtual void NoteBindings(absl::string_view account) = 0;

  virtual Statistics StateStatistics() const = 0;
};

}  // namespace sluice::store

#endif  // SLUICE_SIGNALING_STORE_SHARED_STATE_H_
