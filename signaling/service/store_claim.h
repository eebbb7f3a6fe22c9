// One controller a store: two on the same SQLite file would both go on with the calls that are kept in it.
//
// A claim is a lock of the kernel's on the file (flock), which ends with the process, however that dies; SQLite's own
// locks are of another kind.
//
// Threads: any.
#ifndef SLUICE_SIGNALING_SERVICE_STORE_CLAIM_H_
#define SLUICE_SIGNALING_SERVICE_STORE_CLAIM_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace sluice::service {

class StoreClaim {
 public:
  // Makes `file` if there is none. FAILED_PRECONDITION if somebody else has it. A file that cannot be opened is left to
  // the store to complain of, and ":memory:" is nobody else's.
  static absl::StatusOr<StoreClaim> Take(const std::string& file);

  StoreClaim(StoreClaim&& other) noexcept : descriptor_(std::exchange(other.descriptor_, kNone)) {}
  StoreClaim& operator=(StoreClaim&&) = delete;
  // Not before the store is closed: closing the file would end SQLite's locks on it.
  ~StoreClaim();

 private:
  static constexpr int kNone = -1;

  explicit StoreClaim(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

}  // namespace sluice::service

#endif  // SLUICE_SIGNALING_SERVICE_STORE_CLAIM_H_
