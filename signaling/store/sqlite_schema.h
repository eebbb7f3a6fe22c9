// The tables of the store, and how a file of any older version is brought up to date.
#ifndef SLUICE_SIGNALING_STORE_SQLITE_SCHEMA_H_
#define SLUICE_SIGNALING_STORE_SQLITE_SCHEMA_H_

#include "absl/status/status.h"
#include "signaling/store/sqlite_database.h"

namespace sluice::store {

// PRAGMA user_version of a file that this program writes.
int SchemaVersion();

// Brings the file to SchemaVersion(), each step in a transaction of its own. FAILED_PRECONDITION if the file is newer
// than that.
absl::Status UpdateSchema(SqliteDatabase& database);

}  // namespace sluice::store

#endif  // SLUICE_SIGNALING_STORE_SQLITE_SCHEMA_H_
