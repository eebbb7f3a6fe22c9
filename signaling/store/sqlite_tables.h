// Rows of the store's tables, read and written: one function a table and direction, each over a given connection.
//
// Threads: one at a time; the owner of the connection locks.
#ifndef SLUICE_SIGNALING_STORE_SQLITE_TABLES_H_
#define SLUICE_SIGNALING_STORE_SQLITE_TABLES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/store/account.h"
#include "signaling/store/binding.h"
#include "signaling/store/call_record.h"
#include "signaling/store/sqlite_database.h"
#include "signaling/store/store.h"

namespace sluice::store {

// What can be wrong with an account, as text for people; empty: nothing.
std::string AccountDefect(const Account& account);

// Rows that make no sense are moved to the table `set_aside`; `set_aside` gets one line about each.
absl::StatusOr<std::vector<Account>> ReadAccounts(SqliteDatabase& database, std::vector<std::string>& set_aside);
absl::StatusOr<std::vector<AccountBindings>> ReadBindings(SqliteDatabase& database,
                                                          std::vector<std::string>& set_aside);

absl::Status InsertAccount(SqliteDatabase& database, const Account& account);
// With its digests and bindings.
absl::Status DeleteAccount(SqliteDatabase& database, absl::string_view name);
absl::StatusOr<Page<CallRecord>> ReadCallRecords(SqliteDatabase& database, const CallRecordQuery& query);
// After the position of the mark, which SetCopiedMark moves.
absl::StatusOr<UncopiedCallRecords> ReadUncopiedCallRecords(SqliteDatabase& database, size_t limit);
absl::Status SetCopiedMark(SqliteDatabase& database, int64_t position);
// All but the newest `kept`.
absl::Status DeleteOldCallRecords(SqliteDatabase& database, size_t kept);
// Of calls that began before `time`, the oldest first, `limit` at most; `only_copied`: of those up to the mark. Answers
// how many.
absl::StatusOr<size_t> DeleteCallRecordsBefore(SqliteDatabase& database, absl::Time time, bool only_copied,
                                               size_t limit);

// The writes that calls and phones cause, prepared once.
class BatchWriter {
 public:
  static absl::StatusOr<BatchWriter> Prepare(SqliteDatabase& database);

  absl::Status WriteBindings(absl::string_view account, const BindingSet& bindings);
  // A record whose call_id is there already replaces it.
  absl::Status WriteCallRecord(const CallRecord& record);

 private:
  BatchWriter(SqliteDatabase& database, SqliteStatement delete_bindings, SqliteStatement insert_binding,
              SqliteStatement insert_record, SqliteStatement insert_stream);
  absl::Status WriteDirection(int64_t record, const StreamRecord& stream, absl::string_view sent_by,
                              const DirectionRecord& direction);

  SqliteDatabase* database_;
  SqliteStatement delete_bindings_;
  SqliteStatement insert_binding_;
  SqliteStatement insert_record_;
  SqliteStatement insert_stream_;
};

}  // namespace sluice::store

#endif  // SLUICE_SIGNALING_STORE_SQLITE_TABLES_H_
