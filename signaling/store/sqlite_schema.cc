#include "signaling/store/sqlite_schema.h"

#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"

namespace sluice::store {
namespace {

// Step i brings version i to version i + 1. A step that was released is never changed; a new one is added.
// Times are microseconds since 1970; NULL: did not happen.
constexpr const char* kSteps[] = {
    R"sql(
CREATE TABLE accounts (
  name TEXT PRIMARY KEY NOT NULL,
  display_name TEXT NOT NULL,
  allow_legacy_digest INTEGER NOT NULL,
  create_time INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE account_digests (
  account TEXT NOT NULL,
  realm TEXT NOT NULL,
  algorithm TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (account, realm, algorithm)
) WITHOUT ROWID;
CREATE TABLE bindings (
  id INTEGER PRIMARY KEY,
  account TEXT NOT NULL,
  contact TEXT NOT NULL,
  call_id TEXT NOT NULL,
  cseq INTEGER NOT NULL,
  expire_time INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  user_agent TEXT NOT NULL,
  path TEXT NOT NULL,
  instance TEXT NOT NULL,
  reg_id INTEGER NOT NULL,
  transport TEXT NOT NULL,
  source TEXT NOT NULL,
  local TEXT NOT NULL,
  behind_nat INTEGER NOT NULL
);
CREATE INDEX bindings_by_account ON bindings (account);
CREATE TABLE call_records (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  call_id TEXT NOT NULL UNIQUE,
  start_time INTEGER NOT NULL,
  ring_time INTEGER,
  answer_time INTEGER,
  end_time INTEGER,
  caller_number TEXT NOT NULL,
  caller_display_name TEXT NOT NULL,
  caller_sip_call_id TEXT NOT NULL,
  caller_peer TEXT NOT NULL,
  caller_user_agent TEXT NOT NULL,
  caller_account TEXT NOT NULL,
  callee_number TEXT NOT NULL,
  callee_display_name TEXT NOT NULL,
  callee_sip_call_id TEXT NOT NULL,
  callee_peer TEXT NOT NULL,
  callee_user_agent TEXT NOT NULL,
  callee_account TEXT NOT NULL,
  relay TEXT NOT NULL,
  sip_status INTEGER NOT NULL,
  q850_cause INTEGER NOT NULL,
  ended_by TEXT NOT NULL,
  end_text TEXT NOT NULL,
  media_unknown INTEGER NOT NULL
);
CREATE INDEX call_records_by_start ON call_records (start_time);
CREATE TABLE call_record_streams (
  record INTEGER NOT NULL REFERENCES call_records (id) ON DELETE CASCADE,
  stream_id INTEGER NOT NULL,
  sent_by TEXT NOT NULL,
  media TEXT NOT NULL,
  codec TEXT NOT NULL,
  packets INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  lost INTEGER NOT NULL,
  duplicates INTEGER NOT NULL,
  reordered INTEGER NOT NULL,
  jitter_ms REAL NOT NULL,
  max_jitter_ms REAL NOT NULL,
  r_factor REAL NOT NULL,
  mos REAL NOT NULL,
  forwarded INTEGER NOT NULL,
  statistics BLOB NOT NULL,
  PRIMARY KEY (record, stream_id, sent_by)
) WITHOUT ROWID;
CREATE TABLE set_aside (
  id INTEGER PRIMARY KEY,
  time INTEGER NOT NULL DEFAULT (CAST(strftime('%s', 'now') AS INTEGER) * 1000000),
  table_name TEXT NOT NULL,
  row TEXT NOT NULL,
  reason TEXT NOT NULL
);
)sql",
    R"sql(
CREATE INDEX call_records_by_caller_account ON call_records (caller_account);
CREATE INDEX call_records_by_callee_account ON call_records (callee_account);
CREATE TABLE copied_call_records (
  up_to INTEGER NOT NULL
);
INSERT INTO copied_call_records (up_to) VALUES (0);
)sql",
    R"sql(
ALTER TABLE accounts ADD COLUMN follow_redirections INTEGER;
)sql",
    // Why it can be kept nowhere else; NULL: nothing is known against that.
    R"sql(
ALTER TABLE call_records ADD COLUMN copy_error TEXT;
)sql",
    // What goes on after a restart; the state is the signalling's own.
    R"sql(
CREATE TABLE standing_calls (
  call_id TEXT PRIMARY KEY NOT NULL,
  state BLOB NOT NULL
);
)sql",
    // One row: the epoch of the last opening (Store::Epoch).
    R"sql(
CREATE TABLE epochs (
  epoch INTEGER NOT NULL
);
INSERT INTO epochs (epoch) VALUES (0);
)sql",
    // Records of before have none.
    R"sql(
CREATE TABLE call_record_legs (
  record INTEGER NOT NULL REFERENCES call_records (id) ON DELETE CASCADE,
  leg INTEGER NOT NULL,
  side TEXT NOT NULL,
  number TEXT NOT NULL,
  account TEXT NOT NULL,
  sip_call_id TEXT NOT NULL,
  peer TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  start_time INTEGER NOT NULL,
  ring_time INTEGER,
  answer_time INTEGER,
  end_time INTEGER,
  sip_status INTEGER NOT NULL,
  q850_cause INTEGER NOT NULL,
  ended_by TEXT NOT NULL,
  PRIMARY KEY (record, leg)
) WITHOUT ROWID;
)sql",
};

}  // namespace

int SchemaVersion() { return static_cast<int>(std::size(kSteps)); }

absl::Status UpdateSchema(SqliteDatabase& database) {
  int64_t version = 0;
  {
    absl::StatusOr<SqliteStatement> query = database.Prepare("PRAGMA user_version");
    if (!query.ok()) return query.status();
    const absl::StatusOr<bool> row = query->Step();
    if (!row.ok()) return row.status();
    version = query->Integer(0);
  }
  if (version > SchemaVersion()) {
    return absl::FailedPreconditionError(absl::StrCat("the store file has schema version ", version,
                                                      ", this program knows versions up to ", SchemaVersion(),
                                                      ": it was written by a newer Sluice"));
  }
  for (int64_t step = version; step < SchemaVersion(); ++step) {
    const absl::Status status =
        database.Execute(absl::StrCat("BEGIN IMMEDIATE;", kSteps[step], "PRAGMA user_version=", step + 1, ";COMMIT;"));
    if (!status.ok()) {
      database.Execute("ROLLBACK").IgnoreError();
      return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace sluice::store
