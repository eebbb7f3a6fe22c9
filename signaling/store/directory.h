// Accounts and bindings in memory: what the SIP side reads and changes without waiting for a disk.
//
// 16 stripes by account name, each with a lock of its own that is held for a look-up or a pointer swap only. Accounts
// and binding sets are immutable and handed out by shared pointer, so a reader keeps a consistent view for as long as
// it likes.
//
// Threads: any.
#ifndef SLUICE_SIGNALING_STORE_DIRECTORY_H_
#define SLUICE_SIGNALING_STORE_DIRECTORY_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "signaling/store/account.h"
#include "signaling/store/binding.h"

namespace sluice::store {

class Directory {
 public:
  static constexpr size_t kStripes = 16;

  std::shared_ptr<const Account> FindAccount(absl::string_view name) const;
  // False, and nothing changes, if there is one of that name.
  bool InsertAccount(std::shared_ptr<const Account> account);
  // In the place of the one of that name, with its bindings. False, and nothing changes, if there is none.
  bool ReplaceAccount(std::shared_ptr<const Account> account);
  // Removes the bindings too. False if there is no such account.
  bool EraseAccount(absl::string_view name);
  // At most `limit` accounts by name, those after `after`.
  std::vector<std::shared_ptr<const Account>> AccountsAfter(absl::string_view after, size_t limit) const;

  // Never null.
  std::shared_ptr<const BindingSet> FindBindings(absl::string_view account) const;
  bool ReplaceBindings(absl::string_view account, const std::shared_ptr<const BindingSet>& seen, BindingSet next);
  // Names of accounts with bindings, sorted, those after `after`.
  std::vector<std::string> BoundAccountsAfter(absl::string_view after, size_t limit) const;
  // Drops expired bindings of the next stripe; answers the accounts that lost some.
  std::vector<std::string> ExpireNextStripe(absl::Time now);

  uint64_t account_count() const { return account_count_.load(std::memory_order_relaxed); }
  uint64_t binding_count() const { return binding_count_.load(std::memory_order_relaxed); }

 private:
  struct Stripe {
    mutable absl::Mutex mutex;
    absl::flat_hash_map<std::string, std::shared_ptr<const Account>> accounts ABSL_GUARDED_BY(mutex);
    absl::flat_hash_map<std::string, std::shared_ptr<const BindingSet>> bindings ABSL_GUARDED_BY(mutex);
  };

  Stripe& StripeOf(absl::string_view account);
  const Stripe& StripeOf(absl::string_view account) const;

  std::array<Stripe, kStripes> stripes_;
  // Statistics and the round of ExpireNextStripe; order with other memory does not matter.
  std::atomic<uint64_t> account_count_ = 0;
  std::atomic<uint64_t> binding_count_ = 0;
  std::atomic<size_t> next_stripe_ = 0;
};

}  // namespace sluice::store

#endif  // SLUICE_SIGNALING_STORE_DIRECTORY_H_
