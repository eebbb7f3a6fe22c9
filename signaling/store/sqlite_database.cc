#include "signaling/store/sqlite_database.h"

#include <sqlite3.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace sluice::store {
namespace {

absl::Status ToStatus(int code, const std::string& file, absl::string_view detail) {
  const std::string what = absl::StrCat("store file '", file, "'");
  // It makes a file of 32 KiB beside the one that it opens.
  if (code == SQLITE_IOERR_SHMSIZE) return absl::ResourceExhaustedError(absl::StrCat(what, ": the disk is full"));
  switch (code & 0xff) {
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(absl::StrCat(what, ": the disk is full"));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(absl::StrCat(what, " is locked by another process"));
    case SQLITE_NOTADB:
      return absl::DataLossError(absl::StrCat(what, " is not an SQLite database: move it away or name another one"));
    case SQLITE_CORRUPT:
      return absl::DataLossError(
          absl::StrCat(what, " is damaged (", detail, "): restore it from a copy, or move it away"));
    case SQLITE_CANTOPEN:
      return absl::NotFoundError(absl::StrCat(what, " cannot be opened: its folder must exist and be writable"));
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return absl::PermissionDeniedError(absl::StrCat(what, " cannot be written: check the rights of file and folder"));
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      return absl::InvalidArgumentError(absl::StrCat(what, " refuses a row: ", detail));
    default:
      return absl::UnavailableError(absl::StrCat(what, ": ", detail, " (SQLite code ", code, ")"));
  }
}

}  // namespace

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

SqliteStatement& SqliteStatement::Bind(int parameter, absl::string_view text) {
  sqlite3_bind_text(statement_.get(), parameter, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
  return *this;
}

SqliteStatement& SqliteStatement::BindBlob(int parameter, absl::string_view bytes) {
  sqlite3_bind_blob(statement_.get(), parameter, bytes.data(), static_cast<int>(bytes.size()), SQLITE_TRANSIENT);
  return *this;
}

SqliteStatement& SqliteStatement::Bind(int parameter, int64_t value) {
  sqlite3_bind_int64(statement_.get(), parameter, value);
  return *this;
}

SqliteStatement& SqliteStatement::Bind(int parameter, double value) {
  sqlite3_bind_double(statement_.get(), parameter, value);
  return *this;
}

SqliteStatement& SqliteStatement::Bind(int parameter, absl::Time time) {
  return time == absl::InfinitePast() ? BindNull(parameter) : Bind(parameter, absl::ToUnixMicros(time));
}

SqliteStatement& SqliteStatement::BindNull(int parameter) {
  sqlite3_bind_null(statement_.get(), parameter);
  return *this;
}

absl::StatusOr<bool> SqliteStatement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  absl::Status status;
  if (code != SQLITE_DONE) status = ToStatus(code, *file_, sqlite3_errmsg(sqlite3_db_handle(statement_.get())));
  sqlite3_reset(statement_.get());
  if (!status.ok()) return status;
  return false;
}

absl::Status SqliteStatement::Run() { return Step().status(); }

std::string SqliteStatement::Text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return bytes == nullptr ? std::string() : std::string(static_cast<const char*>(bytes), size);
}

int64_t SqliteStatement::Integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

double SqliteStatement::Real(int column) const { return sqlite3_column_double(statement_.get(), column); }

absl::Time SqliteStatement::Time(int column) const {
  return IsInteger(column) ? absl::FromUnixMicros(Integer(column)) : absl::InfinitePast();
}

bool SqliteStatement::IsText(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_TEXT; }

bool SqliteStatement::IsInteger(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_INTEGER;
}

void SqliteDatabase::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

absl::StatusOr<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(const std::string& file) {
  auto database = std::unique_ptr<SqliteDatabase>(new SqliteDatabase(file));
  sqlite3* connection = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &connection,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  database->database_.reset(connection);
  if (code != SQLITE_OK) return ToStatus(code, file, sqlite3_errstr(code));
  sqlite3_extended_result_codes(connection, 1);
  // Long enough for a reader's checkpoint, short enough that a stop is not delayed.
  sqlite3_busy_timeout(connection, 500);
  // WAL: readers never wait for the writer. NORMAL: a power cut may cost the last batch, never the file.
  const absl::Status status =
      database->Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;");
  if (!status.ok()) return status;
  return database;
}

absl::Status SqliteDatabase::Execute(const std::string& sql) {
  char* message = nullptr;
  const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, &message);
  const std::string detail = message == nullptr ? sqlite3_errstr(code) : message;
  sqlite3_free(message);
  return code == SQLITE_OK ? absl::OkStatus() : ToStatus(code, file_, detail);
}

absl::StatusOr<SqliteStatement> SqliteDatabase::Prepare(absl::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (code != SQLITE_OK) return ToStatus(code, file_, sqlite3_errmsg(database_.get()));
  return SqliteStatement(statement, &file_);
}

int64_t SqliteDatabase::LastRowId() const { return sqlite3_last_insert_rowid(database_.get()); }

}  // namespace sluice::store
