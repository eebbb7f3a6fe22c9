// What outlives a call: accounts, bindings and call records; and what outlives the controller: calls that stand.
//
// Everything that SIP reads (accounts, bindings) is answered from memory, and everything that SIP writes is taken at
// once and reaches the disk later by a thread of the store's own. So no shard ever waits for a disk, and a disk that is
// full or locked costs durability, never a call: the store keeps trying, counts, and says so in `Statistics`. Only what
// operators do (accounts) waits for the disk and fails with it.
//
// Bindings are shared by all shards, so they change by compare and replace: read the set, compute the next one,
// `ReplaceBindings`; when another shard was faster, read again. A set is never changed in place.
//
// Where several controllers stand in for each other, standing calls are in a place that all of them reach
// (SharedState) and not on this disk.
//
// Threads: any, unless a function says otherwise.
#ifndef SLUICE_SIGNALING_STORE_STORE_H_
#define SLUICE_SIGNALING_STORE_STORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/store/account.h"
#include "signaling/store/binding.h"
#include "signaling/store/call_record.h"

namespace sluice::store {

// One page of a list, and where the next one begins.
template <typename T>
struct Page {
  std::vector<T> items;
  // Empty: this was the last page.
  std::string next_token;
};

struct AccountBindings {
  std::string account;
  Binding binding;
};

struct CallRecordQuery {
  // Whose calls, made or taken: an account, or a trunk. Empty: everybody's.
  std::string account;
  absl::Time from = absl::InfinitePast();
  absl::Time to = absl::InfiniteFuture();
  size_t page_size = 100;
  std::string token;
};

// Call records that are on disk and have not been copied elsewhere, the oldest first.
struct UncopiedCallRecords {
  std::vector<CallRecord> records;
  // Of the last one; for MarkCopied.
  int64_t position = 0;
};

// A call that goes on after a restart of the controller.
struct StandingCall {
  std::string call_id;
  // Whatever its keeper needs to go on with it, serialised; the store does not look into it.
  std::string state;
};

struct StoreStatistics {
  uint64_t accounts = 0;
  uint64_t bindings = 0;
  // Standing calls that are on disk (in a cluster: where all see them), and those whose latest state, or end, waits.
  uint64_t standing_calls = 0;
  uint64_t standing_calls_waiting = 0;
  // Call records that are on disk, that wait, and that were given up because too many waited.
  uint64_t records_written = 0;
  uint64_t records_waiting = 0;
  uint64_t records_dropped = 0;
  // Those that were deleted for their age.
  uint64_t records_expired = 0;
  // Batches that the disk refused; they are tried again.
  uint64_t failed_writes = 0;
  // Records that were found damaged at the start and set aside.
  uint64_t set_aside = 0;
  // Why the last write failed; empty while all is well.
  std::string last_error;
};

class Store {
 public:
  virtual ~Store() = default;

  // Null if there is no such account.
  virtual std::shared_ptr<const Account> FindAccount(absl::string_view name) const = 0;
  // By name, beginning after `token`.
  virtual Page<std::shared_ptr<const Account>> ListAccounts(size_t page_size, absl::string_view token) const = 0;
  // ALREADY_EXISTS, INVALID_ARGUMENT (name), or what the disk says. Waits for the disk: not on a shard's thread.
  virtual absl::Status CreateAccount(Account account) = 0;
  // Takes the place of the one of that name, whose bindings stay. NOT_FOUND, INVALID_ARGUMENT, or what the disk says.
  // Waits for the disk: not on a shard's thread.
  virtual absl::Status UpdateAccount(Account account) = 0;
  // Removes its bindings too. NOT_FOUND, or what the disk says. Waits for the disk: not on a shard's thread.
  virtual absl::Status DeleteAccount(absl::string_view name) = 0;

  // Bindings of an account, expired ones included until `ExpireBindings` has seen them. Never null.
  virtual std::shared_ptr<const BindingSet> FindBindings(absl::string_view account) const = 0;
  // Puts `next` in the place of `seen` (a pointer that FindBindings gave). False, and nothing changes, if the set is
  // another one by now.
  virtual bool ReplaceBindings(absl::string_view account, const std::shared_ptr<const BindingSet>& seen,
                               BindingSet next) = 0;
  // As ReplaceBindings, for what another controller of the cluster has told of the account.
  virtual bool AdoptBindings(absl::string_view account, const std::shared_ptr<const BindingSet>& seen,
                             BindingSet next) = 0;
  // By account. Empty `account`: of all.
  virtual Page<AccountBindings> ListBindings(absl::string_view account, size_t page_size,
                                             absl::string_view token) const = 0;
  // Forgets bindings that have expired by `now`; looks at a part of them with each call, at all of them within 16
  // calls.
  virtual void ExpireBindings(absl::Time now) = 0;

  // Takes a record to be written soon. Never waits; with too many waiting, the record is dropped and counted.
  virtual void AppendCallRecord(CallRecord record) = 0;
  // Newest first. Sees every record appended before the call. INVALID_ARGUMENT (token) or what the disk says. Waits for
  // the disk.
  virtual absl::StatusOr<Page<CallRecord>> ListCallRecords(const CallRecordQuery& query) = 0;

  // Standing calls: what goes on after a restart. Taken at once, on disk soon, only the latest state of a call. Never
  // waits; what waits for the disk is one state a call at most.
  virtual void KeepCall(absl::string_view call_id, std::string state) = 0;
  // The call is over. To be called after its record was appended: the disk gets them together or in this order, so
  // neither a record is lost nor a call comes back that has one. A call that was not on disk yet costs no write.
  virtual void ForgetCall(absl::string_view call_id) = 0;
  // Those that were on disk when the store was opened and have no call record, in no order; they stay there until they
  // are forgotten. To be taken once, before anything is kept.
  virtual std::vector<StandingCall> TakeStandingCalls() = 0;

  // Those of `calls` that are not over, as far as this disk knows: without those that have a record on it. All, where
  // it cannot be read. Waits for the disk.
  virtual std::vector<StandingCall> WithoutRecorded(std::vector<StandingCall> calls) = 0;

  // For whoever copies records to another place (RecordForwarder); both wait for the disk and fail with it. MarkCopied:
  // all up to `position` are there but those `refused`, which are kept whatever their age.
  virtual absl::StatusOr<UncopiedCallRecords> ReadUncopied(size_t limit) = 0;
  virtual absl::Status MarkCopied(int64_t position, const std::vector<RefusedCallRecord>& refused) = 0;

  // Waits until all that was given so far is on disk. UNAVAILABLE with the disk's reason when that does not happen
  // within `limit`.
  virtual absl::Status Flush(absl::Duration limit) = 0;

  // Higher than at any earlier opening of the same store, whatever the clock says: Writer.epoch at relays.
  virtual uint64_t Epoch() const = 0;

  virtual StoreStatistics Statistics() const = 0;
};

}  // namespace sluice::store

#endif  // SLUICE_SIGNALING_STORE_STORE_H_
