#include "signaling/store/sqlite_accounts.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "signaling/store/sqlite_set_aside.h"

namespace sluice::store {
namespace {

constexpr size_t kMaxNameBytes = 64;

bool IsLowerHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f'); });
}

std::string DigestDefect(const DigestHash& digest) {
  if (digest.realm.empty()) return "realm is empty";
  const size_t length = digest.algorithm == "MD5" ? 32 : digest.algorithm.starts_with("SHA-") ? 64 : 0;
  if (length == 0) return absl::StrCat("algorithm '", digest.algorithm, "' is none of MD5, SHA-256, SHA-512-256");
  if (digest.hash.size() != length || !IsLowerHex(digest.hash)) {
    return absl::StrCat("hash is not ", length, " lower-case hex digits");
  }
  return "";
}

constexpr char kDeleteBindings[] = "DELETE FROM bindings WHERE account = ?";
constexpr char kDeleteDigests[] = "DELETE FROM account_digests WHERE account = ?";
constexpr char kDeleteAccount[] = "DELETE FROM accounts WHERE name = ?";

// Of the account `name`, by each of the statements.
absl::Status DeleteRows(SqliteDatabase& database, std::initializer_list<const char*> statements,
                        absl::string_view name) {
  for (const char* const sql : statements) {
    absl::StatusOr<SqliteStatement> statement = database.Prepare(sql);
    if (!statement.ok()) return statement.status();
    if (absl::Status status = statement->Bind(1, name).Run(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

std::string AccountDefect(const Account& account) {
  if (account.name.empty() || account.name.size() > kMaxNameBytes) {
    return absl::StrCat("name has ", account.name.size(), " bytes, allowed are 1 to ", kMaxNameBytes);
  }
  if (!std::all_of(account.name.begin(), account.name.end(),
                   [](char c) { return absl::ascii_isgraph(c) && c != '"'; })) {
    return "name has a blank, a quote, a control or a non-ASCII character; allowed are printable ASCII characters";
  }
  for (const DigestHash& digest : account.digests) {
    if (std::string defect = DigestDefect(digest); !defect.empty()) return "digest " + defect;
  }
  return "";
}

absl::StatusOr<std::vector<Account>> ReadAccounts(SqliteDatabase& database, std::vector<std::string>& set_aside) {
  std::map<std::string, Account> accounts;
  std::vector<BadRow> bad_accounts;
  {
    absl::StatusOr<SqliteStatement> query = database.Prepare(
        "SELECT name, display_name, allow_legacy_digest, create_time, quote(name), "
        "quote(name)||','||quote(display_name)||','||quote(allow_legacy_digest)||','||quote(create_time)||','||"
        "quote(follow_redirections), follow_redirections FROM accounts");
    if (!query.ok()) return query.status();
    while (true) {
      const absl::StatusOr<bool> row = query->Step();
      if (!row.ok()) return row.status();
      if (!*row) break;
      Account account{.name = query->Text(0),
                      .display_name = query->Text(1),
                      .allow_legacy_digest = query->Integer(2) != 0,
                      .create_time = query->Time(3)};
      if (query->IsInteger(6)) account.follow_redirections = query->Integer(6) != 0;
      std::string reason = AccountDefect(account);
      if (!query->IsText(0)) reason = "name is not text";
      if (!query->IsInteger(2) || !query->IsInteger(3)) reason = "allow_legacy_digest or create_time is not a number";
      if (!reason.empty()) {
        bad_accounts.push_back({query->Text(4), query->Text(5), reason});
        continue;
      }
      std::string name = account.name;
      accounts.emplace(std::move(name), std::move(account));
    }
  }
  if (absl::Status status = SetAside(database, "accounts", "quote(name)", bad_accounts, set_aside); !status.ok())
    return status;

  std::vector<BadRow> bad_digests;
  {
    const std::string key = "quote(account)||','||quote(realm)||','||quote(algorithm)";
    absl::StatusOr<SqliteStatement> query =
        database.Prepare(absl::StrCat("SELECT account, realm, algorithm, hash, ", key, " FROM account_digests"));
    if (!query.ok()) return query.status();
    while (true) {
      const absl::StatusOr<bool> row = query->Step();
      if (!row.ok()) return row.status();
      if (!*row) break;
      DigestHash digest{query->Text(1), query->Text(2), query->Text(3)};
      const auto account = accounts.find(query->Text(0));
      std::string reason = DigestDefect(digest);
      if (account == accounts.end()) reason = "there is no such account";
      if (!reason.empty()) {
        // The hash is as good as a password: it is not copied into texts.
        bad_digests.push_back({query->Text(4), query->Text(4), reason});
        continue;
      }
      account->second.digests.push_back(std::move(digest));
    }
  }
  if (absl::Status status =
          SetAside(database, "account_digests", "quote(account)||','||quote(realm)||','||quote(algorithm)", bad_digests,
                   set_aside);
      !status.ok())
    return status;
  std::vector<Account> result;
  result.reserve(accounts.size());
  for (auto& [name, account] : accounts) result.push_back(std::move(account));
  return result;
}

absl::StatusOr<std::vector<AccountBindings>> ReadBindings(SqliteDatabase& database,
                                                          std::vector<std::string>& set_aside) {
  std::vector<AccountBindings> bindings;
  std::vector<BadRow> bad;
  {
    absl::StatusOr<SqliteStatement> query = database.Prepare(
        "SELECT b.account, b.contact, b.call_id, b.cseq, b.expire_time, b.priority, b.user_agent, b.path, b.instance, "
        "b.reg_id, b.transport, b.source, b.local, b.behind_nat, b.id, a.name IS NULL, "
        "quote(b.account)||','||quote(b.contact)||','||quote(b.expire_time)||','||quote(b.source) "
        "FROM bindings b LEFT JOIN accounts a ON a.name = b.account ORDER BY b.id");
    if (!query.ok()) return query.status();
    while (true) {
      const absl::StatusOr<bool> row = query->Step();
      if (!row.ok()) return row.status();
      if (!*row) break;
      Binding binding{.contact = query->Text(1),
                      .call_id = query->Text(2),
                      .cseq = static_cast<uint32_t>(query->Integer(3)),
                      .expire_time = query->Time(4),
                      .priority = static_cast<uint32_t>(query->Integer(5)),
                      .user_agent = query->Text(6),
                      .path = query->Text(7),
                      .instance = query->Text(8),
                      .reg_id = static_cast<uint32_t>(query->Integer(9)),
                      .transport = query->Text(10),
                      .source = query->Text(11),
                      .local = query->Text(12),
                      .behind_nat = query->Integer(13) != 0};
      std::string reason = BindingDefect(binding);
      if (!query->IsInteger(3) || !query->IsInteger(4)) reason = "cseq or expire_time is not a number";
      if (query->Integer(15) != 0) reason = "there is no such account";
      if (!reason.empty()) {
        bad.push_back({query->Text(14), query->Text(16), reason});
        continue;
      }
      bindings.push_back({query->Text(0), std::move(binding)});
    }
  }
  if (absl::Status status = SetAside(database, "bindings", "CAST(id AS TEXT)", bad, set_aside); !status.ok())
    return status;
  return bindings;
}

absl::Status InsertAccount(SqliteDatabase& database, const Account& account) {
  absl::StatusOr<SqliteStatement> insert = database.Prepare(
      "INSERT INTO accounts (name, display_name, allow_legacy_digest, create_time, follow_redirections) "
      "VALUES (?, ?, ?, ?, ?)");
  if (!insert.ok()) return insert.status();
  insert->Bind(1, account.name)
      .Bind(2, account.display_name)
      .Bind(3, int64_t{account.allow_legacy_digest})
      .Bind(4, account.create_time);
  if (account.follow_redirections.has_value()) {
    insert->Bind(5, int64_t{*account.follow_redirections});
  } else {
    insert->BindNull(5);
  }
  if (absl::Status status = insert->Run(); !status.ok()) return status;
  absl::StatusOr<SqliteStatement> digests =
      database.Prepare("INSERT INTO account_digests (account, realm, algorithm, hash) VALUES (?, ?, ?, ?)");
  if (!digests.ok()) return digests.status();
  for (const DigestHash& digest : account.digests) {
    if (absl::Status status =
            digests->Bind(1, account.name).Bind(2, digest.realm).Bind(3, digest.algorithm).Bind(4, digest.hash).Run();
        !status.ok())
      return status;
  }
  return absl::OkStatus();
}

absl::Status ReplaceAccount(SqliteDatabase& database, const Account& account) {
  if (absl::Status status = DeleteRows(database, {kDeleteDigests, kDeleteAccount}, account.name); !status.ok()) {
    return status;
  }
  return InsertAccount(database, account);
}

absl::Status DeleteAccount(SqliteDatabase& database, absl::string_view name) {
  return DeleteRows(database, {kDeleteBindings, kDeleteDigests, kDeleteAccount}, name);
}

absl::StatusOr<BindingWriter> BindingWriter::Prepare(SqliteDatabase& database) {
  absl::StatusOr<SqliteStatement> remove = database.Prepare(kDeleteBindings);
  if (!remove.ok()) return remove.status();
  absl::StatusOr<SqliteStatement> insert = database.Prepare(
      "INSERT INTO bindings (account, contact, call_id, cseq, expire_time, priority, user_agent, path, instance, "
      "reg_id, transport, source, local, behind_nat) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  if (!insert.ok()) return insert.status();
  return BindingWriter(*std::move(remove), *std::move(insert));
}

absl::Status BindingWriter::Write(absl::string_view account, const BindingSet& bindings) {
  if (absl::Status status = remove_.Bind(1, account).Run(); !status.ok()) return status;
  for (const Binding& binding : bindings) {
    if (absl::Status status = insert_.Bind(1, account)
                                  .Bind(2, binding.contact)
                                  .Bind(3, binding.call_id)
                                  .Bind(4, int64_t{binding.cseq})
                                  .Bind(5, binding.expire_time)
                                  .Bind(6, int64_t{binding.priority})
                                  .Bind(7, binding.user_agent)
                                  .Bind(8, binding.path)
                                  .Bind(9, binding.instance)
                                  .Bind(10, int64_t{binding.reg_id})
                                  .Bind(11, binding.transport)
                                  .Bind(12, binding.source)
                                  .Bind(13, binding.local)
                                  .Bind(14, int64_t{binding.behind_nat})
                                  .Run();
        !status.ok())
      return status;
  }
  return absl::OkStatus();
}
}  // namespace sluice::store
