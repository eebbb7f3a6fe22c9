// Rows of the tables of accounts, their digests and their bindings, read and written over a given connection.
//
// Threads: one at a time; the owner of the connection locks.
#ifndef SLUICE_SIGNALING_STORE_SQLITE_ACCOUNTS_H_
#define SLUICE_SIGNALING_STORE_SQLITE_ACCOUNTS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "signaling/store/account.h"
#include "signaling/store/binding.h"
#include "signaling/store/sqlite_database.h"
#include "signaling/store/store.h"

namespace sluice::store {

// What can be wrong with an account, as text for people; empty: nothing.
std::string AccountDefect(const Account& account);

// Rows that make no sense are moved to the table `set_aside`; `set_aside` gets one line about each.
absl::StatusOr<std::vector<Account>> ReadAccounts(SqliteDatabase& database, std::vector<std::string>& set_aside);
absl::StatusOr<std::vector<AccountBindings>> ReadBindings(SqliteDatabase& database,
                                                          std::vector<std::string>& set_aside);

absl::Status InsertAccount(SqliteDatabase& database, const Account& account);
// In the place of the one of that name; its bindings stay.
absl::Status ReplaceAccount(SqliteDatabase& database, const Account& account);
// With its digests and bindings.
absl::Status DeleteAccount(SqliteDatabase& database, absl::string_view name);

// What phones write, prepared once.
class BindingWriter {
 public:
  static absl::StatusOr<BindingWriter> Prepare(SqliteDatabase& database);

  // In the place of those that the account had.
  absl::Status Write(absl::string_view account, const BindingSet& bindings);

 private:
  BindingWriter(SqliteStatement remove, SqliteStatement insert)
      : remove_(std::move(remove)), insert_(std::move(insert)) {}

  SqliteStatement remove_;
  SqliteStatement insert_;
};

}  // namespace sluice::store

#endif  // SLUICE_SIGNALING_STORE_SQLITE_ACCOUNTS_H_
