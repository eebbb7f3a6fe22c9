#include "signaling/store/sqlite_store.h"

#include <algorithm>
#include <deque>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "signaling/store/directory.h"
#include "signaling/store/sqlite_accounts.h"
#include "signaling/store/sqlite_call_records.h"
#include "signaling/store/sqlite_database.h"
#include "signaling/store/sqlite_epoch.h"
#include "signaling/store/sqlite_schema.h"
#include "signaling/store/sqlite_standing_calls.h"
#include "signaling/store/standing_call_queue.h"

namespace sluice::store {
namespace {

constexpr size_t kMaxBatchRecords = 1000;
constexpr size_t kMaxBatchAccounts = 1000;
constexpr size_t kMaxBatchStandingCalls = 1000;
// So few that writers of accounts, which wait for the transaction, do not notice.
constexpr size_t kExpiryBatch = 500;
constexpr absl::Duration kStopLimit = absl::Seconds(2);
// A list of call records waits this long for those that are not on disk yet.
constexpr absl::Duration kListLimit = absl::Seconds(1);

absl::Status NoSuchAccount(absl::string_view name) {
  return absl::NotFoundError(absl::StrCat("there is no account '", name, "'"));
}

class SqliteStore : public Store {
 public:
  SqliteStore(SqliteStoreOptions options, std::unique_ptr<SqliteDatabase> database,
              std::unique_ptr<SqliteDatabase> reader, BindingWriter binding_writer, CallRecordWriter record_writer,
              StandingCallWriter standing_writer)
      : options_(std::move(options)),
        database_(std::move(database)),
        reader_(std::move(reader)),
        binding_writer_(std::move(binding_writer)),
        record_writer_(std::move(record_writer)),
        standing_writer_(std::move(standing_writer)) {}

  ~SqliteStore() override {
    if (!writer_.joinable()) return;
    {
      absl::MutexLock lock(&queue_mutex_);
      stop_time_ = absl::Now();
    }
    writer_.join();
  }

  absl::Status Load();
  void StartWriter() {
    writer_ = std::thread([this] { WriteUntilStopped(); });
  }

  std::shared_ptr<const Account> FindAccount(absl::string_view name) const override {
    return directory_.FindAccount(name);
  }
  Page<std::shared_ptr<const Account>> ListAccounts(size_t page_size, absl::string_view token) const override;
  absl::Status CreateAccount(Account account) override;
  absl::Status UpdateAccount(Account account) override;
  absl::Status DeleteAccount(absl::string_view name) override;

  std::shared_ptr<const BindingSet> FindBindings(absl::string_view account) const override {
    return directory_.FindBindings(account);
  }
  bool ReplaceBindings(absl::string_view account, const std::shared_ptr<const BindingSet>& seen,
                       BindingSet next) override;
  bool AdoptBindings(absl::string_view account, const std::shared_ptr<const BindingSet>& seen,
                     BindingSet next) override;
  Page<AccountBindings> ListBindings(absl::string_view account, size_t page_size,
                                     absl::string_view token) const override;
  void ExpireBindings(absl::Time now) override;

  void AppendCallRecord(CallRecord record) override;
  absl::StatusOr<Page<CallRecord>> ListCallRecords(const CallRecordQuery& query) override;
  void KeepCall(absl::string_view call_id, std::string state) override;
  void ForgetCall(absl::string_view call_id) override;
  std::vector<StandingCall> TakeStandingCalls() override;
  std::vector<StandingCall> WithoutRecorded(std::vector<StandingCall> calls) override;
  absl::StatusOr<UncopiedCallRecords> ReadUncopied(size_t limit) override;
  absl::Status MarkCopied(int64_t position, const std::vector<RefusedCallRecord>& refused) override;
  absl::Status Flush(absl::Duration limit) override;
  uint64_t Epoch() const override { return epoch_; }
  StoreStatistics Statistics() const override;

 private:
  struct Batch {
    std::vector<std::string> accounts;
    std::vector<CallRecord> records;
    StandingCallQueue::Batch standing;
    // Calls that are over, for SqliteStoreOptions::shared.
    std::vector<std::string> ended;
  };
  // What the disk does not take, though it is well.
  struct Refusals {
    std::vector<std::string> lines;
    uint64_t records = 0;
  };

  bool InMemory() const { return reader_ == nullptr; }
  void MarkChanged(absl::string_view account) ABSL_LOCKS_EXCLUDED(queue_mutex_);
  bool SomethingWaits() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(queue_mutex_) {
    return !changed_.empty() || !records_.empty() || !standing_.empty() || !ended_.empty();
  }
  bool ShouldWake() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(queue_mutex_) {
    return SomethingWaits() || stop_time_ != absl::InfiniteFuture();
  }
  bool Stopping() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(queue_mutex_) { return stop_time_ != absl::InfiniteFuture(); }
  // No more is gathered: the batch is full, or somebody waits for it.
  bool MustWrite() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(queue_mutex_) {
    return flushers_ > 0 || records_.size() >= kMaxBatchRecords || standing_.waiting() >= kMaxBatchStandingCalls ||
           Stopping();
  }
  bool AllWritten() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(queue_mutex_) { return !SomethingWaits() && !writing_; }

  void WriteUntilStopped();
  Batch TakeBatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(queue_mutex_);
  void PutBack(Batch batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(queue_mutex_);
  absl::Status Write(const Batch& batch) ABSL_LOCKS_EXCLUDED(database_mutex_);
  absl::Status WriteRows(const Batch& batch, Refusals& refusals) ABSL_EXCLUSIVE_LOCKS_REQUIRED(database_mutex_);
  // Deletes a few of the records that are too old; answers when to go on.
  absl::Time ExpireRecords() ABSL_EXCLUSIVE_LOCKS_REQUIRED(queue_mutex_);
  absl::StatusOr<size_t> DeleteRecordsBefore(absl::Time time) ABSL_LOCKS_EXCLUDED(database_mutex_);
  // How writing, or deleting what is too old, went; `fails` is what is known of that. Reports each reason once until
  // both work again.
  void Note(const absl::Status& status, bool& fails) ABSL_EXCLUSIVE_LOCKS_REQUIRED(queue_mutex_);
  absl::Status InTransaction(const std::function<absl::Status()>& body) ABSL_EXCLUSIVE_LOCKS_REQUIRED(database_mutex_);

  const SqliteStoreOptions options_;
  Directory directory_;
  // Set by Load.
  uint64_t epoch_ = 0;

  // Held while a transaction runs. Taken before queue_mutex_ if both.
  absl::Mutex database_mutex_ ABSL_ACQUIRED_BEFORE(queue_mutex_);
  const std::unique_ptr<SqliteDatabase> database_ ABSL_PT_GUARDED_BY(database_mutex_);
  // Reads call records beside the writer. Null for ":memory:", whose only connection is `database_`.
  absl::Mutex reader_mutex_;
  const std::unique_ptr<SqliteDatabase> reader_ ABSL_PT_GUARDED_BY(reader_mutex_);
  BindingWriter binding_writer_ ABSL_GUARDED_BY(database_mutex_);
  CallRecordWriter record_writer_ ABSL_GUARDED_BY(database_mutex_);
  StandingCallWriter standing_writer_ ABSL_GUARDED_BY(database_mutex_);

  mutable absl::Mutex queue_mutex_;
  // Accounts whose bindings on disk are not those in memory.
  absl::flat_hash_set<std::string> changed_ ABSL_GUARDED_BY(queue_mutex_);
  std::deque<CallRecord> records_ ABSL_GUARDED_BY(queue_mutex_);
  StandingCallQueue standing_ ABSL_GUARDED_BY(queue_mutex_);
  // Calls that `shared` has and that are over.
  std::vector<std::string> ended_ ABSL_GUARDED_BY(queue_mutex_);
  // Until they are taken.
  std::vector<StandingCall> stood_at_start_ ABSL_GUARDED_BY(queue_mutex_);
  bool writing_ ABSL_GUARDED_BY(queue_mutex_) = false;
  bool write_fails_ ABSL_GUARDED_BY(queue_mutex_) = false;
  bool expiry_fails_ ABSL_GUARDED_BY(queue_mutex_) = false;
  // Reasons that have been reported since both worked.
  absl::flat_hash_set<std::string> told_ ABSL_GUARDED_BY(queue_mutex_);
  // Threads that wait in Flush.
  int flushers_ ABSL_GUARDED_BY(queue_mutex_) = 0;
  absl::Time stop_time_ ABSL_GUARDED_BY(queue_mutex_) = absl::InfiniteFuture();
  StoreStatistics statistics_ ABSL_GUARDED_BY(queue_mutex_);

  std::thread writer_;
};

absl::Status SqliteStore::Load() {
  std::vector<std::string> set_aside;
  std::vector<StandingCall> standing;
  absl::MutexLock lock(&database_mutex_);
  const absl::Status status = InTransaction([&]() -> absl::Status {
    absl::StatusOr<std::vector<Account>> accounts = ReadAccounts(*database_, set_aside);
    if (!accounts.ok()) return accounts.status();
    for (Account& account : *accounts) directory_.InsertAccount(std::make_shared<Account>(std::move(account)));
    absl::StatusOr<std::vector<AccountBindings>> bindings = ReadBindings(*database_, set_aside);
    if (!bindings.ok()) return bindings.status();
    for (AccountBindings& entry : *bindings) {
      const std::shared_ptr<const BindingSet> seen = directory_.FindBindings(entry.account);
      BindingSet next = *seen;
      next.push_back(std::move(entry.binding));
      directory_.ReplaceBindings(entry.account, seen, std::move(next));
    }
    absl::StatusOr<std::vector<StandingCall>> calls = ReadStandingCalls(*database_, set_aside);
    if (!calls.ok()) return calls.status();
    standing = *std::move(calls);
    const absl::StatusOr<uint64_t> epoch = ReadNextEpoch(*database_, absl::Now());
    if (!epoch.ok()) return epoch.status();
    epoch_ = *epoch;
    return absl::OkStatus();
  });
  // A disk that takes nothing keeps nobody from calling: the clock has then to be right at the next start.
  if (status.ok()) {
    if (const absl::Status kept = WriteEpoch(*database_, epoch_); !kept.ok()) {
      options_.report(absl::StrCat("store: ", kept.message()));
    }
  }
  for (const std::string& line : set_aside) options_.report(line);
  absl::MutexLock queue_lock(&queue_mutex_);
  statistics_.set_aside = set_aside.size();
  for (const StandingCall& call : standing) standing_.NoteOnDisk(call.call_id);
  stood_at_start_ = std::move(standing);
  return status;
}

Page<std::shared_ptr<const Account>> SqliteStore::ListAccounts(size_t page_size, absl::string_view token) const {
  Page<std::shared_ptr<const Account>> page{directory_.AccountsAfter(token, page_size + 1), ""};
  if (page.items.size() > page_size) {
    page.items.pop_back();
    page.next_token = page.items.back()->name;
  }
  return page;
}

absl::Status SqliteStore::CreateAccount(Account account) {
  if (std::string defect = AccountDefect(account); !defect.empty()) {
    return absl::InvalidArgumentError("account: " + defect);
  }
  absl::MutexLock lock(&database_mutex_);
  if (directory_.FindAccount(account.name) != nullptr) {
    return absl::AlreadyExistsError(absl::StrCat("account '", account.name, "' exists already"));
  }
  const absl::Status status = InTransaction([&] { return InsertAccount(*database_, account); });
  if (!status.ok()) return status;
  directory_.InsertAccount(std::make_shared<Account>(std::move(account)));
  return absl::OkStatus();
}

absl::Status SqliteStore::UpdateAccount(Account account) {
  if (std::string defect = AccountDefect(account); !defect.empty()) {
    return absl::InvalidArgumentError("account: " + defect);
  }
  absl::MutexLock lock(&database_mutex_);
  if (directory_.FindAccount(account.name) == nullptr) return NoSuchAccount(account.name);
  const absl::Status status = InTransaction([&] { return ReplaceAccount(*database_, account); });
  if (!status.ok()) return status;
  directory_.ReplaceAccount(std::make_shared<Account>(std::move(account)));
  return absl::OkStatus();
}

absl::Status SqliteStore::DeleteAccount(absl::string_view name) {
  absl::MutexLock lock(&database_mutex_);
  if (directory_.FindAccount(name) == nullptr) return NoSuchAccount(name);
  const absl::Status status = InTransaction([&] { return store::DeleteAccount(*database_, name); });
  if (!status.ok()) return status;
  directory_.EraseAccount(name);
  return absl::OkStatus();
}

bool SqliteStore::ReplaceBindings(absl::string_view account, const std::shared_ptr<const BindingSet>& seen,
                                  BindingSet next) {
  if (!AdoptBindings(account, seen, std::move(next))) return false;
  if (options_.shared != nullptr) options_.shared->NoteBindings(account);
  return true;
}

bool SqliteStore::AdoptBindings(absl::string_view account, const std::shared_ptr<const BindingSet>& seen,
                                BindingSet next) {
  if (!directory_.ReplaceBindings(account, seen, std::move(next))) return false;
  MarkChanged(account);
  return true;
}

Page<AccountBindings> SqliteStore::ListBindings(absl::string_view account, size_t page_size,
                                                absl::string_view token) const {
  Page<AccountBindings> page;
  if (!account.empty()) {
    for (const Binding& binding : *directory_.FindBindings(account)) {
      page.items.push_back({std::string(account), binding});
    }
    return page;
  }
  // The token is an account's name: an account's bindings, which are few, stay on one page.
  const std::vector<std::string> names = directory_.BoundAccountsAfter(token, page_size + 1);
  for (const std::string& name : names) {
    if (page.items.size() >= page_size) {
      page.next_token = page.items.back().account;
      break;
    }
    for (const Binding& binding : *directory_.FindBindings(name)) page.items.push_back({name, binding});
  }
  return page;
}

void SqliteStore::ExpireBindings(absl::Time now) {
  for (const std::string& account : directory_.ExpireNextStripe(now)) MarkChanged(account);
}

void SqliteStore::MarkChanged(absl::string_view account) {
  absl::MutexLock lock(&queue_mutex_);
  changed_.emplace(account);
}

void SqliteStore::AppendCallRecord(CallRecord record) {
  absl::MutexLock lock(&queue_mutex_);
  if (records_.size() >= options_.waiting_records) {
    ++statistics_.records_dropped;
    return;
  }
  records_.push_back(std::move(record));
}

void SqliteStore::KeepCall(absl::string_view call_id, std::string state) {
  if (options_.shared != nullptr) return options_.shared->KeepCall(call_id, std::move(state));
  // What is lost with the process needs no copy of it.
  if (InMemory()) return;
  absl::MutexLock lock(&queue_mutex_);
  standing_.Keep(call_id, std::move(state));
}

void SqliteStore::ForgetCall(absl::string_view call_id) {
  absl::MutexLock lock(&queue_mutex_);
  standing_.Forget(call_id);
  if (options_.shared != nullptr) ended_.emplace_back(call_id);
}

std::vector<StandingCall> SqliteStore::TakeStandingCalls() {
  absl::MutexLock lock(&queue_mutex_);
  std::vector<StandingCall> calls = std::exchange(stood_at_start_, {});
  if (options_.shared == nullptr) return calls;
  for (const StandingCall& call : calls) {
    options_.shared->KeepCall(call.call_id, call.state);
    standing_.Forget(call.call_id);
  }
  return calls;
}

absl::StatusOr<Page<CallRecord>> SqliteStore::ListCallRecords(const CallRecordQuery& query) {
  // What is on disk is shown even when the rest cannot be written now.
  Flush(kListLimit).IgnoreError();
  if (InMemory()) {
    absl::MutexLock lock(&database_mutex_);
    return ReadCallRecords(*database_, query);
  }
  absl::MutexLock lock(&reader_mutex_);
  return ReadCallRecords(*reader_, query);
}

std::vector<StandingCall> SqliteStore::WithoutRecorded(std::vector<StandingCall> calls) {
  std::vector<StandingCall> left = calls;
  absl::Status status;
  if (InMemory()) {
    absl::MutexLock lock(&database_mutex_);
    status = EraseRecorded(*database_, left);
  } else {
    absl::MutexLock lock(&reader_mutex_);
    status = EraseRecorded(*reader_, left);
  }
  return status.ok() ? left : calls;
}

absl::StatusOr<UncopiedCallRecords> SqliteStore::ReadUncopied(size_t limit) {
  if (InMemory()) {
    absl::MutexLock lock(&database_mutex_);
    return ReadUncopiedCallRecords(*database_, limit);
  }
  absl::MutexLock lock(&reader_mutex_);
  return ReadUncopiedCallRecords(*reader_, limit);
}

absl::Status SqliteStore::MarkCopied(int64_t position, const std::vector<RefusedCallRecord>& refused) {
  absl::MutexLock lock(&database_mutex_);
  return InTransaction([&]() -> absl::Status {
    for (const RefusedCallRecord& record : refused) {
      if (absl::Status status = SetCopyError(*database_, record); !status.ok()) return status;
    }
    return SetCopiedMark(*database_, position);
  });
}

absl::Status SqliteStore::Flush(absl::Duration limit) {
  absl::MutexLock lock(&queue_mutex_);
  ++flushers_;
  const bool written = queue_mutex_.AwaitWithTimeout(absl::Condition(this, &SqliteStore::AllWritten), limit);
  --flushers_;
  if (written) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("not all is written after ", absl::FormatDuration(limit),
                                             statistics_.last_error.empty() ? "" : ": ", statistics_.last_error));
}

StoreStatistics SqliteStore::Statistics() const {
  absl::MutexLock lock(&queue_mutex_);
  StoreStatistics statistics = statistics_;
  statistics.accounts = directory_.account_count();
  statistics.bindings = directory_.binding_count();
  statistics.records_waiting = records_.size();
  statistics.standing_calls = standing_.on_disk();
  statistics.standing_calls_waiting = standing_.waiting();
  if (options_.shared != nullptr) {
    const SharedState::Statistics shared = options_.shared->StateStatistics();
    statistics.standing_calls = shared.standing_calls;
    statistics.standing_calls_waiting = shared.standing_calls_waiting + ended_.size();
  }
  return statistics;
}

void SqliteStore::WriteUntilStopped() {
  absl::MutexLock lock(&queue_mutex_);
  absl::Time next_expiry =
      options_.keep_records == absl::InfiniteDuration() ? absl::InfiniteFuture() : absl::InfinitePast();
  while (true) {
    if (!Stopping() && absl::Now() >= next_expiry) next_expiry = ExpireRecords();
    if (!queue_mutex_.AwaitWithDeadline(absl::Condition(this, &SqliteStore::ShouldWake), next_expiry)) continue;
    queue_mutex_.AwaitWithTimeout(absl::Condition(this, &SqliteStore::MustWrite), options_.gather_interval);
    if (!SomethingWaits()) return;
    if (Stopping() && write_fails_ && absl::Now() > stop_time_ + kStopLimit) {
      options_.report(absl::StrCat("store: gave up ", records_.size(), " call records and ", standing_.waiting(),
                                   " states of standing calls at the stop: ", statistics_.last_error));
      return;
    }
    Batch batch = TakeBatch();
    writing_ = true;
    queue_mutex_.Unlock();
    const absl::Status status = Write(batch);
    queue_mutex_.Lock();
    writing_ = false;
    Note(status, write_fails_);
    if (status.ok()) {
      statistics_.records_written += batch.records.size();
      continue;
    }
    PutBack(std::move(batch));
    if (Stopping()) {
      queue_mutex_.AwaitWithTimeout(absl::Condition(
                                        +[](int*) { return false; }, static_cast<int*>(nullptr)),
                                    std::min(options_.retry_interval, kStopLimit / 10));
    } else {
      queue_mutex_.AwaitWithTimeout(absl::Condition(this, &SqliteStore::Stopping), options_.retry_interval);
    }
  }
}

void SqliteStore::Note(const absl::Status& status, bool& fails) {
  fails = !status.ok();
  if (fails) {
    ++statistics_.failed_writes;
    statistics_.last_error = std::string(status.message());
    if (!told_.insert(statistics_.last_error).second) return;
    options_.report(absl::StrCat("store: cannot write, calls go on, trying again: ", status.message()));
  } else if (!told_.empty() && !write_fails_ && !expiry_fails_) {
    statistics_.last_error.clear();
    told_.clear();
    options_.report("store: writing works again");
  }
}

absl::Time SqliteStore::ExpireRecords() {
  const absl::Time now = absl::Now();
  queue_mutex_.Unlock();
  const absl::StatusOr<size_t> deleted = DeleteRecordsBefore(now - options_.keep_records);
  queue_mutex_.Lock();
  Note(deleted.status(), expiry_fails_);
  if (!deleted.ok()) return now + options_.retry_interval;
  statistics_.records_expired += *deleted;
  // More are left: what has come meanwhile is written first.
  return now + (*deleted < kExpiryBatch ? options_.expiry_interval : options_.gather_interval);
}

absl::StatusOr<size_t> SqliteStore::DeleteRecordsBefore(absl::Time time) {
  absl::MutexLock lock(&database_mutex_);
  size_t count = 0;
  const absl::Status status = InTransaction([&]() -> absl::Status {
    const absl::StatusOr<size_t> deleted =
        DeleteCallRecordsBefore(*database_, time, options_.records_are_copied, kExpiryBatch);
    if (deleted.ok()) count = *deleted;
    return deleted.status();
  });
  if (!status.ok()) return status;
  return count;
}

SqliteStore::Batch SqliteStore::TakeBatch() {
  Batch batch;
  while (!changed_.empty() && batch.accounts.size() < kMaxBatchAccounts) {
    batch.accounts.push_back(std::move(changed_.extract(changed_.begin()).value()));
  }
  while (!records_.empty() && batch.records.size() < kMaxBatchRecords) {
    batch.records.push_back(std::move(records_.front()));
    records_.pop_front();
  }
  // A call ends on disk with its record or after it: while records are left, none ends.
  batch.standing = standing_.Take(kMaxBatchStandingCalls, records_.empty());
  if (records_.empty()) batch.ended.swap(ended_);
  return batch;
}

void SqliteStore::PutBack(Batch batch) {
  for (std::string& account : batch.accounts) changed_.insert(std::move(account));
  for (auto record = batch.records.rbegin(); record != batch.records.rend(); ++record) {
    records_.push_front(std::move(*record));
  }
  standing_.PutBack(std::move(batch.standing));
  ended_.insert(ended_.end(), batch.ended.begin(), batch.ended.end());
}

absl::Status SqliteStore::Write(const Batch& batch) {
  absl::MutexLock lock(&database_mutex_);
  Refusals refusals;
  const absl::Status written = InTransaction([&] { return WriteRows(batch, refusals); });
  // Else they come once more with the rest of the batch.
  if (written.ok()) {
    for (const std::string& line : refusals.lines) options_.report(line);
    for (const std::string& call_id : batch.ended) options_.shared->ForgetCall(call_id);
    absl::MutexLock queue_lock(&queue_mutex_);
    statistics_.records_dropped += refusals.records;
  }
  return written;
}

absl::Status SqliteStore::WriteRows(const Batch& batch, Refusals& refusals) {
  // A row that is not well must not hold up the others.
  const auto is_refused = [&](const absl::Status& status, absl::string_view what, absl::string_view call_id) {
    if (status.code() != absl::StatusCode::kInvalidArgument) return false;
    refusals.lines.push_back(absl::StrCat("store: ", what, " ", call_id, " cannot be written: ", status.message()));
    return true;
  };
  for (const std::string& account : batch.accounts) {
    // An account that was deleted meanwhile has no bindings in memory, so this leaves none on disk.
    const absl::Status status = binding_writer_.Write(account, *directory_.FindBindings(account));
    if (!status.ok()) return status;
  }
  for (const CallRecord& record : batch.records) {
    const absl::Status status = record_writer_.Write(record);
    if (is_refused(status, "call record", record.call_id)) {
      ++refusals.records;
    } else if (!status.ok()) {
      return status;
    }
  }
  for (const StandingCall& call : batch.standing.kept) {
    const absl::Status status = standing_writer_.Keep(call.call_id, call.state);
    if (!status.ok() && !is_refused(status, "standing call", call.call_id)) return status;
  }
  for (const std::string& call_id : batch.standing.forgotten) {
    if (absl::Status status = standing_writer_.Forget(call_id); !status.ok()) return status;
  }
  if (InMemory() && !batch.records.empty()) return DeleteOldCallRecords(*database_, options_.records_in_memory);
  return absl::OkStatus();
}

absl::Status SqliteStore::InTransaction(const std::function<absl::Status()>& body) {
  if (const absl::Status status = database_->Execute("BEGIN IMMEDIATE"); !status.ok()) return status;
  absl::Status status = body();
  if (status.ok()) status = database_->Execute("COMMIT");
  if (!status.ok()) database_->Execute("ROLLBACK").IgnoreError();
  return status;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(SqliteStoreOptions options) {
  absl::StatusOr<std::unique_ptr<SqliteDatabase>> database = SqliteDatabase::Open(options.file);
  if (!database.ok()) return database.status();
  if (absl::Status status = UpdateSchema(**database); !status.ok()) return status;
  std::unique_ptr<SqliteDatabase> reader;
  if (options.file != ":memory:") {
    absl::StatusOr<std::unique_ptr<SqliteDatabase>> second = SqliteDatabase::Open(options.file);
    if (!second.ok()) return second.status();
    reader = *std::move(second);
  }
  absl::StatusOr<BindingWriter> binding_writer = BindingWriter::Prepare(**database);
  if (!binding_writer.ok()) return binding_writer.status();
  absl::StatusOr<CallRecordWriter> record_writer = CallRecordWriter::Prepare(**database);
  if (!record_writer.ok()) return record_writer.status();
  absl::StatusOr<StandingCallWriter> standing_writer = StandingCallWriter::Prepare(**database);
  if (!standing_writer.ok()) return standing_writer.status();
  auto store =
      std::make_unique<SqliteStore>(std::move(options), *std::move(database), std::move(reader),
                                    *std::move(binding_writer), *std::move(record_writer), *std::move(standing_writer));
  if (absl::Status status = store->Load(); !status.ok()) return status;
  store->StartWriter();
  return store;
}

}  // namespace sluice::store
