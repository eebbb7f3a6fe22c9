#include "signaling/cluster/binding_exchange.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "signaling/cluster/binding_state.h"

namespace sluice::cluster {
namespace {

// Accounts that are written in one exchange.
constexpr size_t kBatchAccounts = 200;
constexpr size_t kPageSize = 1000;
// Shards that register the same account make this thread try again; more rounds than shards are never needed.
constexpr int kMaxRounds = 100;

// In milliseconds, for Redis.
int64_t Lifetime(const store::BindingSet& bindings, absl::Time now) {
  absl::Time latest = absl::InfinitePast();
  for (const store::Binding& binding : bindings) latest = std::max(latest, binding.expire_time);
  return absl::ToInt64Milliseconds(latest - now);
}

}  // namespace

void BindingExchange::Note(absl::string_view account) {
  absl::MutexLock lock(&mutex_);
  changed_.emplace(account);
}

size_t BindingExchange::waiting() const {
  absl::MutexLock lock(&mutex_);
  return changed_.size();
}

std::vector<std::string> BindingExchange::TakeChanged() {
  absl::MutexLock lock(&mutex_);
  std::vector<std::string> accounts;
  while (!changed_.empty() && accounts.size() < kBatchAccounts) {
    accounts.push_back(std::move(changed_.extract(changed_.begin()).value()));
  }
  return accounts;
}

bool BindingExchange::IsChanged(const std::string& account) const {
  absl::MutexLock lock(&mutex_);
  return changed_.contains(account);
}

absl::StatusOr<bool> BindingExchange::Exchange(store::Store& store, const RunScript& run) {
  // While all is read, what is here may be older than what comes.
  const std::vector<std::string> ours = reads_all_ ? std::vector<std::string>() : TakeChanged();
  const absl::Time now = absl::Now();
  std::deque<std::string> texts;
  std::vector<absl::string_view> arguments = {version_, generation_};
  for (const std::string& account : ours) {
    const std::shared_ptr<const store::BindingSet> bindings = store.FindBindings(account);
    const int64_t lifetime = Lifetime(*bindings, now);
    arguments.push_back(account);
    // What has expired meanwhile is as good as removed.
    arguments.push_back(texts.emplace_back(lifetime > 0 ? SerializeBindings(*bindings) : ""));
    arguments.push_back(texts.emplace_back(absl::StrCat(lifetime)));
  }
  const absl::StatusOr<Reply> reply = run(arguments);
  const auto note_all = [&] {
    for (const std::string& account : ours) Note(account);
  };
  if (!reply.ok()) {
    note_all();
    return reply.status();
  }
  const ReplyView answer = reply->view();
  const std::string generation(answer[1].Text().value_or(""));
  const std::string version(answer[2].Text().value_or(""));
  const bool is_all = answer[3].Integer() == 1;
  if (generation.empty() || version.empty()) {
    note_all();
    return absl::UnavailableError("Redis answers what makes no sense to a question for bindings");
  }
  if (generation != generation_) {
    reads_all_ = true;
    known_.clear();
    generation_ = generation;
  }
  // What was to be written and was not is written with the next exchange, as merged now.
  if (!is_all) note_all();
  for (size_t i = 4; i + 1 < answer.size(); i += 2) {
    const std::string account(answer[i].Text().value_or(""));
    if (std::find(ours.begin(), ours.end(), account) != ours.end()) Note(account);
    if (reads_all_) known_.insert(account);
    const std::optional<store::BindingSet> theirs = ParseBindings(answer[i + 1].Text().value_or(""));
    if (theirs.has_value()) Adopt(store, account, *theirs);
  }
  version_ = version;
  if (is_all && std::exchange(reads_all_, false)) NoteUnknown(store);
  return !is_all || waiting() > 0;
}

void BindingExchange::Adopt(store::Store& store, const std::string& account, const store::BindingSet& theirs) {
  for (int round = 0; round < kMaxRounds; ++round) {
    const std::shared_ptr<const store::BindingSet> ours = store.FindBindings(account);
    store::BindingSet next = IsChanged(account) ? Merge(*ours, theirs) : WithConnections(theirs, *ours);
    // Nobody has this account here: it is of no use, either.
    if (store.FindAccount(account) == nullptr || store.AdoptBindings(account, ours, std::move(next))) return;
  }
}

void BindingExchange::NoteUnknown(store::Store& store) {
  std::string token;
  do {
    const store::Page<store::AccountBindings> page = store.ListBindings("", kPageSize, token);
    for (const store::AccountBindings& item : page.items) {
      if (!known_.contains(item.account)) Note(item.account);
    }
    token = page.next_token;
  } while (!token.empty());
  known_.clear();
}

}  // namespace sluice::cluster
