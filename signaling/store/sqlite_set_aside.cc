#include "signaling/store/sqlite_set_aside.h"

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace sluice::store {

absl::Status SetAside(SqliteDatabase& database, absl::string_view table, absl::string_view key_expression,
                      const std::vector<BadRow>& rows, std::vector<std::string>& set_aside) {
  if (rows.empty()) return absl::OkStatus();
  absl::StatusOr<SqliteStatement> copy =
      database.Prepare("INSERT INTO set_aside (table_name, row, reason) VALUES (?, ?, ?)");
  if (!copy.ok()) return copy.status();
  absl::StatusOr<SqliteStatement> remove =
      database.Prepare(absl::StrCat("DELETE FROM ", table, " WHERE ", key_expression, " = ?"));
  if (!remove.ok()) return remove.status();
  for (const BadRow& row : rows) {
    if (absl::Status status = copy->Bind(1, table).Bind(2, row.row).Bind(3, row.reason).Run(); !status.ok())
      return status;
    if (absl::Status status = remove->Bind(1, row.key).Run(); !status.ok()) return status;
    set_aside.push_back(absl::StrCat("store: a record of ", table, " was set aside: ", row.reason, ": ", row.row));
  }
  return absl::OkStatus();
}

}  // namespace sluice::store
