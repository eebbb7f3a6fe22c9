// Rows of the tables of call records, of their streams and of their legs, read and written over a given connection.
//
// Threads: one at a time; the owner of the connection locks.
#ifndef SLUICE_SIGNALING_STORE_SQLITE_CALL_RECORDS_H_
#define SLUICE_SIGNALING_STORE_SQLITE_CALL_RECORDS_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/store/call_record.h"
#include "signaling/store/sqlite_database.h"
#include "signaling/store/store.h"

namespace sluice::store {

absl::StatusOr<Page<CallRecord>> ReadCallRecords(SqliteDatabase& database, const CallRecordQuery& query);
// After the position of the mark, which SetCopiedMark moves.
absl::StatusOr<UncopiedCallRecords> ReadUncopiedCallRecords(SqliteDatabase& database, size_t limit);
absl::Status SetCopiedMark(SqliteDatabase& database, int64_t position);
absl::Status SetCopyError(SqliteDatabase& database, const RefusedCallRecord& refused);
// Takes away the calls that have a record.
absl::Status EraseRecorded(SqliteDatabase& database, std::vector<StandingCall>& calls);
// All but the newest `kept`.
absl::Status DeleteOldCallRecords(SqliteDatabase& database, size_t kept);
// Of calls that began before `time`, the oldest first, `limit` at most; `only_copied`: of those up to the mark that
// have no copy error. Answers how many.
absl::StatusOr<size_t> DeleteCallRecordsBefore(SqliteDatabase& database, absl::Time time, bool only_copied,
                                               size_t limit);

// What calls write, prepared once.
class CallRecordWriter {
 public:
  static absl::StatusOr<CallRecordWriter> Prepare(SqliteDatabase& database);

  // A record whose call_id is there already replaces it.
  absl::Status Write(const CallRecord& record);

 private:
  CallRecordWriter(SqliteDatabase& database, SqliteStatement record, SqliteStatement stream, SqliteStatement leg)
      : database_(&database), record_(std::move(record)), stream_(std::move(stream)), leg_(std::move(leg)) {}
  absl::Status WriteDirection(int64_t record, const StreamRecord& stream, absl::string_view sent_by,
                              const DirectionRecord& direction);
  absl::Status WriteLeg(int64_t record, const LegRecord& leg);

  SqliteDatabase* database_;
  SqliteStatement record_;
  SqliteStatement stream_;
  SqliteStatement leg_;
};

}  // namespace sluice::store

#endif  // SLUICE_SIGNALING_STORE_SQLITE_CALL_RECORDS_H_
