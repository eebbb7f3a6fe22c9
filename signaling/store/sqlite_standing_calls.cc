#include "signaling/store/sqlite_standing_calls.h"

#include "absl/strings/str_cat.h"
#include "signaling/store/sqlite_set_aside.h"

namespace sluice::store {

absl::StatusOr<std::vector<StandingCall>> ReadStandingCalls(SqliteDatabase& database,
                                                            std::vector<std::string>& set_aside) {
  // Looked up one by one: there may be millions of records.
  const absl::Status cleared = database.Execute(
      "DELETE FROM standing_calls WHERE EXISTS (SELECT 1 FROM call_records WHERE call_records.call_id = "
      "standing_calls.call_id)");
  if (!cleared.ok()) return cleared;
  std::vector<StandingCall> calls;
  std::vector<BadRow> bad_calls;
  {
    absl::StatusOr<SqliteStatement> query = database.Prepare(
        "SELECT call_id, state, quote(call_id), typeof(call_id) = 'text' AND typeof(state) = 'blob' "
        "FROM standing_calls");
    if (!query.ok()) return query.status();
    while (true) {
      const absl::StatusOr<bool> row = query->Step();
      if (!row.ok()) return row.status();
      if (!*row) break;
      StandingCall call{.call_id = query->Text(0), .state = query->Text(1)};
      std::string reason;
      if (call.call_id.empty()) reason = "call_id is empty";
      if (call.state.empty()) reason = "state is empty";
      if (query->Integer(3) == 0) reason = "call_id is not text or state is not bytes";
      if (reason.empty()) {
        calls.push_back(std::move(call));
      } else {
        bad_calls.push_back({query->Text(2), query->Text(2), reason});
      }
    }
  }
  if (absl::Status status = SetAside(database, "standing_calls", "quote(call_id)", bad_calls, set_aside); !status.ok())
    return status;
  return calls;
}

absl::StatusOr<StandingCallWriter> StandingCallWriter::Prepare(SqliteDatabase& database) {
  absl::StatusOr<SqliteStatement> keep =
      database.Prepare("INSERT OR REPLACE INTO standing_calls (call_id, state) VALUES (?, ?)");
  if (!keep.ok()) return keep.status();
  absl::StatusOr<SqliteStatement> forget = database.Prepare("DELETE FROM standing_calls WHERE call_id = ?");
  if (!forget.ok()) return forget.status();
  return StandingCallWriter(*std::move(keep), *std::move(forget));
}

absl::Status StandingCallWriter::Keep(absl::string_view call_id, absl::string_view state) {
  return keep_.Bind(1, call_id).BindBlob(2, state).Run();
}

absl::Status StandingCallWriter::Forget(absl::string_view call_id) { return forget_.Bind(1, call_id).Run(); }

}  // namespace sluice::store
