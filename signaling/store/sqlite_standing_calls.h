// Rows of the table of standing calls, read and written over a given connection.
//
// Threads: one at a time; the owner of the connection locks.
#ifndef SLUICE_SIGNALING_STORE_SQLITE_STANDING_CALLS_H_
#define SLUICE_SIGNALING_STORE_SQLITE_STANDING_CALLS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "signaling/store/sqlite_database.h"
#include "signaling/store/store.h"

namespace sluice::store {

// Those that have no call record; one that has is over, and deleted. Rows that make no sense are moved to the table
// `set_aside`; `set_aside` gets one line about each.
absl::StatusOr<std::vector<StandingCall>> ReadStandingCalls(SqliteDatabase& database,
                                                            std::vector<std::string>& set_aside);

// What calls write, prepared once.
class StandingCallWriter {
 public:
  static absl::StatusOr<StandingCallWriter> Prepare(SqliteDatabase& database);

  // In the place of the state that the call had.
  absl::Status Keep(absl::string_view call_id, absl::string_view state);
  absl::Status Forget(absl::string_view call_id);

 private:
  StandingCallWriter(SqliteStatement keep, SqliteStatement forget)
      : keep_(std::move(keep)), forget_(std::move(forget)) {}

  SqliteStatement keep_;
  SqliteStatement forget_;
};

}  // namespace sluice::store

#endif  // SLUICE_SIGNALING_STORE_SQLITE_STANDING_CALLS_H_
