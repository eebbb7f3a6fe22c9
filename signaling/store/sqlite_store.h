// The store in one SQLite file.
//
// Start: the schema is brought up to date (PRAGMA user_version), accounts and bindings are read into memory
// (`Directory`), and the calls that stood when it was last written. A row that makes no sense is moved to the table
// `set_aside` with the reason, reported, and does not stop the start. Writing: bindings that changed are remembered as
// a set of account names, so a phone that registers often costs one write a batch; of a standing call its latest state
// waits; call records wait in a bounded queue. One thread writes all of them, everything that waits in one transaction
// (WAL), `gather_interval` after the first of it came, or at once when somebody waits for it. A batch that fails is
// tried again after a second for as long as it takes. The destructor writes what is left, trying for at most two
// seconds. Between batches the thread deletes call records that are too old, a few hundred in a transaction; the file
// keeps the room for new ones.
#ifndef SLUICE_SIGNALING_STORE_SQLITE_STORE_H_
#define SLUICE_SIGNALING_STORE_SQLITE_STORE_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/store/shared_state.h"
#include "signaling/store/store.h"

namespace sluice::store {

struct SqliteStoreOptions {
  // ":memory:" keeps nothing over a restart, no call either, and only the newest `records_in_memory` call records.
  std::string file;
  // Call records that may wait for the disk.
  size_t waiting_records = 65536;
  size_t records_in_memory = 10000;
  // What comes within this time is written together: a transaction costs much more than a row.
  absl::Duration gather_interval = absl::Milliseconds(100);
  // How long call records stay, from the start of the call.
  absl::Duration keep_records = absl::InfiniteDuration();
  // They are copied elsewhere: none is deleted for its age before MarkCopied has told of it.
  bool records_are_copied = false;
  // How often it is looked for records that are too old.
  absl::Duration expiry_interval = absl::Minutes(1);
  // Told which bindings change here. Standing calls go there and not to the file, their ends once their records are in
  // the file; those that the file has from before are moved there. Null: there is no cluster. Outlives the store.
  SharedState* shared = nullptr;
  // A failed batch is tried again after this long.
  absl::Duration retry_interval = absl::Seconds(1);
  // Told about damaged records at the start, and when writing begins to fail and when it works again, one line each.
  // From any thread.
  std::function<void(absl::string_view line)> report = [](absl::string_view) {};
};

// Opens or makes the file. Errors name the file and what to do: NOT_FOUND (folder), PERMISSION_DENIED, DATA_LOSS (not a
// database, damaged), UNAVAILABLE (locked by another process), FAILED_PRECONDITION (written by a newer Sluice).
absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(SqliteStoreOptions options);

}  // namespace sluice::store

#endif  // SLUICE_SIGNALING_STORE_SQLITE_STORE_H_
