#include "signaling/store/directory.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"

namespace sluice::store {
namespace {

const std::shared_ptr<const BindingSet>& NoBindings() {
  static const auto* const none = new std::shared_ptr<const BindingSet>(std::make_shared<BindingSet>());
  return *none;
}

}  // namespace

Directory::Stripe& Directory::StripeOf(absl::string_view account) { return stripes_[absl::HashOf(account) % kStripes]; }

const Directory::Stripe& Directory::StripeOf(absl::string_view account) const {
  return stripes_[absl::HashOf(account) % kStripes];
}

std::shared_ptr<const Account> Directory::FindAccount(absl::string_view name) const {
  const Stripe& stripe = StripeOf(name);
  absl::ReaderMutexLock lock(&stripe.mutex);
  const auto found = stripe.accounts.find(name);
  return found == stripe.accounts.end() ? nullptr : found->second;
}

bool Directory::InsertAccount(std::shared_ptr<const Account> account) {
  Stripe& stripe = StripeOf(account->name);
  absl::MutexLock lock(&stripe.mutex);
  std::string name = account->name;
  if (!stripe.accounts.try_emplace(std::move(name), std::move(account)).second) return false;
  account_count_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

bool Directory::ReplaceAccount(std::shared_ptr<const Account> account) {
  Stripe& stripe = StripeOf(account->name);
  absl::MutexLock lock(&stripe.mutex);
  const auto found = stripe.accounts.find(account->name);
  if (found == stripe.accounts.end()) return false;
  found->second = std::move(account);
  return true;
}

bool Directory::EraseAccount(absl::string_view name) {
  Stripe& stripe = StripeOf(name);
  absl::MutexLock lock(&stripe.mutex);
  const auto found = stripe.accounts.find(name);
  if (found == stripe.accounts.end()) return false;
  stripe.accounts.erase(found);
  account_count_.fetch_sub(1, std::memory_order_relaxed);
  if (const auto bound = stripe.bindings.find(name); bound != stripe.bindings.end()) {
    binding_count_.fetch_sub(bound->second->size(), std::memory_order_relaxed);
    stripe.bindings.erase(bound);
  }
  return true;
}

std::vector<std::shared_ptr<const Account>> Directory::AccountsAfter(absl::string_view after, size_t limit) const {
  std::vector<std::shared_ptr<const Account>> accounts;
  for (const Stripe& stripe : stripes_) {
    absl::ReaderMutexLock lock(&stripe.mutex);
    for (const auto& [name, account] : stripe.accounts) {
      if (name > after) accounts.push_back(account);
    }
  }
  std::sort(accounts.begin(), accounts.end(), [](const auto& a, const auto& b) { return a->name < b->name; });
  if (accounts.size() > limit) accounts.resize(limit);
  return accounts;
}

std::shared_ptr<const BindingSet> Directory::FindBindings(absl::string_view account) const {
  const Stripe& stripe = StripeOf(account);
  absl::ReaderMutexLock lock(&stripe.mutex);
  const auto found = stripe.bindings.find(account);
  return found == stripe.bindings.end() ? NoBindings() : found->second;
}

bool Directory::ReplaceBindings(absl::string_view account, const std::shared_ptr<const BindingSet>& seen,
                                BindingSet next) {
  Stripe& stripe = StripeOf(account);
  absl::MutexLock lock(&stripe.mutex);
  const auto found = stripe.bindings.find(account);
  const std::shared_ptr<const BindingSet>& present = found == stripe.bindings.end() ? NoBindings() : found->second;
  if (present != seen || (!next.empty() && !stripe.accounts.contains(account))) return false;
  // Unsigned wrap-around makes this right when the set shrinks.
  binding_count_.fetch_add(next.size() - present->size(), std::memory_order_relaxed);
  if (next.empty()) {
    if (found != stripe.bindings.end()) stripe.bindings.erase(found);
  } else if (found == stripe.bindings.end()) {
    stripe.bindings.emplace(account, std::make_shared<BindingSet>(std::move(next)));
  } else {
    found->second = std::make_shared<BindingSet>(std::move(next));
  }
  return true;
}

std::vector<std::string> Directory::BoundAccountsAfter(absl::string_view after, size_t limit) const {
  std::vector<std::string> names;
  for (const Stripe& stripe : stripes_) {
    absl::ReaderMutexLock lock(&stripe.mutex);
    for (const auto& [name, bindings] : stripe.bindings) {
      if (name > after) names.push_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  if (names.size() > limit) names.resize(limit);
  return names;
}

std::vector<std::string> Directory::ExpireNextStripe(absl::Time now) {
  Stripe& stripe = stripes_[next_stripe_.fetch_add(1, std::memory_order_relaxed) % kStripes];
  std::vector<std::string> changed;
  absl::MutexLock lock(&stripe.mutex);
  for (auto entry = stripe.bindings.begin(); entry != stripe.bindings.end();) {
    const auto current = entry++;
    const BindingSet& bindings = *current->second;
    const auto expired = [now](const Binding& binding) { return binding.expire_time <= now; };
    const size_t count = std::count_if(bindings.begin(), bindings.end(), expired);
    if (count == 0) continue;
    changed.push_back(current->first);
    binding_count_.fetch_sub(count, std::memory_order_relaxed);
    if (count == bindings.size()) {
      stripe.bindings.erase(current);
      continue;
    }
    auto remaining = std::make_shared<BindingSet>();
    std::remove_copy_if(bindings.begin(), bindings.end(), std::back_inserter(*remaining), expired);
    current->second = std::move(remaining);
  }
  return changed;
}

}  // namespace sluice::store
