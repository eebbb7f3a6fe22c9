// Rows that make no sense are moved to the table `set_aside`, with the reason, so that they stop nothing and are not
// lost.
//
// Threads: one at a time; the owner of the connection locks.
#ifndef SLUICE_SIGNALING_STORE_SQLITE_SET_ASIDE_H_
#define SLUICE_SIGNALING_STORE_SQLITE_SET_ASIDE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "signaling/store/sqlite_database.h"

namespace sluice::store {

// A row that could not be used. `key` finds it again, `row` shows it.
struct BadRow {
  std::string key;
  std::string row;
  std::string reason;
};

// Moves `rows` of `table`, whose `key_expression` is their key, there. `set_aside` gets one line about each.
absl::Status SetAside(SqliteDatabase& database, absl::string_view table, absl::string_view key_expression,
                      const std::vector<BadRow>& rows, std::vector<std::string>& set_aside);

}  // namespace sluice::store

#endif  // SLUICE_SIGNALING_STORE_SQLITE_SET_ASIDE_H_
