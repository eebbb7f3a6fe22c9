// Keeps the bindings of this controller and those of the others the same, by way of Redis.
//
// How it works. Redis numbers the changes of accounts. One exchange reads what has changed since the last number and
// writes what has changed here, in one script; an account that both have changed is not written, but merged here and
// written with the next exchange, so the change of neither is lost. When Redis has lost what it had, everything is read
// from the beginning, and what it does not know is written. Bindings that expire are nobody's change: each sees it.
//
// Threads: Note from any, the rest from one.
#ifndef SLUICE_SIGNALING_CLUSTER_BINDING_EXCHANGE_H_
#define SLUICE_SIGNALING_CLUSTER_BINDING_EXCHANGE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "signaling/cluster/redis_connection.h"
#include "signaling/store/binding.h"
#include "signaling/store/store.h"

namespace sluice::cluster {

class BindingExchange {
 public:
  // Runs kBindingsScript with these arguments behind run and token.
  using RunScript = std::function<absl::StatusOr<Reply>(const std::vector<absl::string_view>& arguments)>;

  // The bindings of `account` have changed here.
  void Note(absl::string_view account) ABSL_LOCKS_EXCLUDED(mutex_);

  // Reads and writes a part. True: there is more to do at once. Errors are those of `run`, and nothing is lost by them.
  absl::StatusOr<bool> Exchange(store::Store& store, const RunScript& run) ABSL_LOCKS_EXCLUDED(mutex_);

  // Accounts whose bindings wait to be written.
  size_t waiting() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  std::vector<std::string> TakeChanged() ABSL_LOCKS_EXCLUDED(mutex_);
  bool IsChanged(const std::string& account) const ABSL_LOCKS_EXCLUDED(mutex_);
  // What others have of `account`, where this controller has changed nothing, or has.
  void Adopt(store::Store& store, const std::string& account, const store::BindingSet& theirs);
  // Accounts here that Redis does not know.
  void NoteUnknown(store::Store& store);

  // Of the last change that was read, and of the data that it belongs to.
  std::string version_ = "0";
  std::string generation_;
  // Redis is read from the beginning; these are there.
  bool reads_all_ = true;
  absl::flat_hash_set<std::string> known_;

  mutable absl::Mutex mutex_;
  absl::flat_hash_set<std::string> changed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sluice::cluster

#endif  // SLUICE_SIGNALING_CLUSTER_BINDING_EXCHANGE_H_
