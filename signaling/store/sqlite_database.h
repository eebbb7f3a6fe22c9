// A thin, typed shell around one SQLite connection: errors as absl::Status that name the file and what to do.
//
// Threads: one at a time; the owner locks.
#ifndef SLUICE_SIGNALING_STORE_SQLITE_DATABASE_H_
#define SLUICE_SIGNALING_STORE_SQLITE_DATABASE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

struct sqlite3;
struct sqlite3_stmt;

namespace sluice::store {

// A prepared statement. Columns and parameters count from 0 and 1 as in SQLite. It must not outlive its database.
class SqliteStatement {
 public:
  SqliteStatement(SqliteStatement&&) = default;
  SqliteStatement& operator=(SqliteStatement&&) = default;

  SqliteStatement& Bind(int parameter, absl::string_view text);
  SqliteStatement& BindBlob(int parameter, absl::string_view bytes);
  SqliteStatement& Bind(int parameter, int64_t value);
  SqliteStatement& Bind(int parameter, double value);
  // As microseconds since 1970; NULL for InfinitePast: it has not happened.
  SqliteStatement& Bind(int parameter, absl::Time time);
  SqliteStatement& BindNull(int parameter);

  // True: a row is there. False: done. After that, or after an error, the statement is ready to be bound and run again.
  absl::StatusOr<bool> Step();
  // Runs a statement that answers no rows.
  absl::Status Run();

  std::string Text(int column) const;
  int64_t Integer(int column) const;
  double Real(int column) const;
  absl::Time Time(int column) const;
  bool IsText(int column) const;
  bool IsInteger(int column) const;

 private:
  friend class SqliteDatabase;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  SqliteStatement(sqlite3_stmt* statement, const std::string* file) : statement_(statement), file_(file) {}

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  const std::string* file_;
};

class SqliteDatabase {
 public:
  // Opens `file`, making it if it is not there, in WAL mode.
  static absl::StatusOr<std::unique_ptr<SqliteDatabase>> Open(const std::string& file);

  // Runs any number of statements.
  absl::Status Execute(const std::string& sql);
  absl::StatusOr<SqliteStatement> Prepare(absl::string_view sql);
  // Row id of the last insert.
  int64_t LastRowId() const;

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  explicit SqliteDatabase(std::string file) : file_(std::move(file)) {}

  const std::string file_;
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace sluice::store

#endif  // SLUICE_SIGNALING_STORE_SQLITE_DATABASE_H_
