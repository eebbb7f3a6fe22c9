#include "signaling/service/store_claim.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace sluice::service {
namespace {

// As SQLite makes it.
constexpr mode_t kMode = 0644;

}  // namespace

absl::StatusOr<StoreClaim> StoreClaim::Take(const std::string& file) {
  if (file == ":memory:") return StoreClaim(kNone);
  StoreClaim claim(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kMode));
  if (claim.descriptor_ != kNone && flock(claim.descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return absl::FailedPreconditionError(
        absl::StrCat("store.sqlite_file ", file,
                     " belongs to a sluice-controller that runs: stop that one, or give this one a file of its own"));
  }
  return claim;
}

StoreClaim::~StoreClaim() {
  if (descriptor_ != kNone) close(descriptor_);
}

}  // namespace sluice::service
