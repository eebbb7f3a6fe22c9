#include "signaling/agent/failure_limiter.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace sluice::agent {
namespace {

// No address and no account name has a blank in it.
std::string Key(absl::string_view address, absl::string_view account) { return absl::StrCat(address, " ", account); }

}  // namespace

bool FailureLimiter::Fail(absl::string_view address, absl::string_view account, absl::Time now) {
  return failures_.Add(Key(address, account), now) >= tries_;
}

void FailureLimiter::Succeed(absl::string_view address, absl::string_view account) {
  if (failures_.size() > 0) failures_.Forget(Key(address, account));
}

}  // namespace sluice::agent
