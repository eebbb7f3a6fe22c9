#include "signaling/store/sqlite_tables.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace sluice::store {
namespace {

constexpr size_t kMaxNameBytes = 64;

#define SLUICE_RETURN_IF_ERROR(expression)                               \
  do {                                                                   \
    if (absl::Status status = (expression); !status.ok()) return status; \
  } while (false)

EndedBy ParseEndedBy(absl::string_view text) {
  for (uint8_t by = 0; by <= static_cast<uint8_t>(EndedBy::kSessionTimer); ++by) {
    if (EndedByName(static_cast<EndedBy>(by)) == text) return static_cast<EndedBy>(by);
  }
  return EndedBy::kUnknown;
}

absl::Time TimeColumn(const SqliteStatement& row, int column) {
  return row.IsInteger(column) ? absl::FromUnixMicros(row.Integer(column)) : absl::InfinitePast();
}

// NULL for a time that has not come: a parameter that is not bound since the last reset keeps its value, so bind in
// every case.
void BindTime(SqliteStatement& statement, int parameter, absl::Time time) {
  if (time == absl::InfinitePast()) {
    statement.BindNull(parameter);
  } else {
    statement.Bind(parameter, absl::ToUnixMicros(time));
  }
}

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

std::string BindingDefect(const Binding& binding) {
  if (binding.contact.find(':') == std::string::npos) return "contact is not a URI";
  if (binding.call_id.empty()) return "call_id is empty";
  if (binding.transport.empty()) return "transport is empty";
  const size_t colon = binding.source.rfind(':');
  uint32_t port = 0;
  if (colon == std::string::npos || !absl::SimpleAtoi(binding.source.substr(colon + 1), &port) || port == 0 ||
      port > std::numeric_limits<uint16_t>::max()) {
    return "source is not address:port";
  }
  return "";
}

// A row that could not be used. `condition` finds it again, `row` shows it.
struct BadRow {
  std::string key;
  std::string row;
  std::string reason;
};

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
    SLUICE_RETURN_IF_ERROR(copy->Bind(1, table).Bind(2, row.row).Bind(3, row.reason).Run());
    SLUICE_RETURN_IF_ERROR(remove->Bind(1, row.key).Run());
    set_aside.push_back(absl::StrCat("store: a record of ", table, " was set aside: ", row.reason, ": ", row.row));
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
                      .create_time = TimeColumn(*query, 3)};
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
  SLUICE_RETURN_IF_ERROR(SetAside(database, "accounts", "quote(name)", bad_accounts, set_aside));

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
  SLUICE_RETURN_IF_ERROR(SetAside(database, "account_digests",
                                  "quote(account)||','||quote(realm)||','||quote(algorithm)", bad_digests, set_aside));
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
                      .expire_time = TimeColumn(*query, 4),
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
  SLUICE_RETURN_IF_ERROR(SetAside(database, "bindings", "CAST(id AS TEXT)", bad, set_aside));
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
      .Bind(4, absl::ToUnixMicros(account.create_time));
  if (account.follow_redirections.has_value()) {
    insert->Bind(5, int64_t{*account.follow_redirections});
  } else {
    insert->BindNull(5);
  }
  SLUICE_RETURN_IF_ERROR(insert->Run());
  absl::StatusOr<SqliteStatement> digests =
      database.Prepare("INSERT INTO account_digests (account, realm, algorithm, hash) VALUES (?, ?, ?, ?)");
  if (!digests.ok()) return digests.status();
  for (const DigestHash& digest : account.digests) {
    SLUICE_RETURN_IF_ERROR(
        digests->Bind(1, account.name).Bind(2, digest.realm).Bind(3, digest.algorithm).Bind(4, digest.hash).Run());
  }
  return absl::OkStatus();
}

absl::Status DeleteAccount(SqliteDatabase& database, absl::string_view name) {
  for (const char* const sql :
       {"DELETE FROM bindings WHERE account = ?", "DELETE FROM account_digests WHERE account = ?",
        "DELETE FROM accounts WHERE name = ?"}) {
    absl::StatusOr<SqliteStatement> statement = database.Prepare(sql);
    if (!statement.ok()) return statement.status();
    SLUICE_RETURN_IF_ERROR(statement->Bind(1, name).Run());
  }
  return absl::OkStatus();
}

namespace {

constexpr char kRecordColumns[] =
    "call_id, start_time, ring_time, answer_time, end_time, caller_number, caller_display_name, caller_sip_call_id, "
    "caller_peer, caller_user_agent, caller_account, callee_number, callee_display_name, callee_sip_call_id, "
    "callee_peer, callee_user_agent, callee_account, relay, sip_status, q850_cause, ended_by, end_text, media_unknown";
constexpr char kRecordParameters[] = "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?";
constexpr char kStreamColumns[] =
    "record, stream_id, sent_by, media, codec, packets, bytes, lost, duplicates, reordered, jitter_ms, max_jitter_ms, "
    "r_factor, mos, forwarded, statistics";
constexpr char kStreamParameters[] = "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?";

CallParty PartyColumns(const SqliteStatement& row, int first) {
  return {.number = row.Text(first),
          .display_name = row.Text(first + 1),
          .sip_call_id = row.Text(first + 2),
          .peer = row.Text(first + 3),
          .user_agent = row.Text(first + 4),
          .account = row.Text(first + 5)};
}

void BindParty(SqliteStatement& statement, int first, const CallParty& party) {
  statement.Bind(first, party.number)
      .Bind(first + 1, party.display_name)
      .Bind(first + 2, party.sip_call_id)
      .Bind(first + 3, party.peer)
      .Bind(first + 4, party.user_agent)
      .Bind(first + 5, party.account);
}

absl::StatusOr<std::vector<StreamRecord>> ReadStreams(SqliteStatement& query, int64_t record) {
  std::vector<StreamRecord> streams;
  query.Bind(1, record);
  while (true) {
    const absl::StatusOr<bool> row = query.Step();
    if (!row.ok()) return row.status();
    if (!*row) return streams;
    const auto stream_id = static_cast<uint32_t>(query.Integer(1));
    if (streams.empty() || streams.back().stream_id != stream_id) {
      streams.push_back({.stream_id = stream_id, .media = query.Text(3), .codec = query.Text(4)});
    }
    DirectionRecord& direction = query.Text(2) == "caller" ? streams.back().from_caller : streams.back().from_callee;
    direction.packets = query.Integer(5);
    direction.bytes = query.Integer(6);
    direction.lost = query.Integer(7);
    direction.duplicates = query.Integer(8);
    direction.reordered = query.Integer(9);
    direction.jitter_ms = query.Real(10);
    direction.max_jitter_ms = query.Real(11);
    direction.r_factor = query.Real(12);
    direction.mos = query.Real(13);
    direction.forwarded = query.Integer(14);
    direction.statistics = query.Text(15);
  }
}

struct NumberedRecord {
  int64_t id = 0;
  CallRecord record;
};

// Rows of kRecordColumns and the id, with their streams.
absl::StatusOr<std::vector<NumberedRecord>> ReadRecords(SqliteDatabase& database, SqliteStatement& rows) {
  absl::StatusOr<SqliteStatement> streams = database.Prepare(absl::StrCat(
      "SELECT ", kStreamColumns, " FROM call_record_streams WHERE record = ? ORDER BY stream_id, sent_by"));
  if (!streams.ok()) return streams.status();
  std::vector<NumberedRecord> records;
  while (true) {
    const absl::StatusOr<bool> row = rows.Step();
    if (!row.ok()) return row.status();
    if (!*row) return records;
    const int64_t id = rows.Integer(23);
    absl::StatusOr<std::vector<StreamRecord>> of_record = ReadStreams(*streams, id);
    if (!of_record.ok()) return of_record.status();
    records.push_back({id,
                       {.call_id = rows.Text(0),
                        .caller = PartyColumns(rows, 5),
                        .callee = PartyColumns(rows, 11),
                        .relay = rows.Text(17),
                        .start_time = TimeColumn(rows, 1),
                        .ring_time = TimeColumn(rows, 2),
                        .answer_time = TimeColumn(rows, 3),
                        .end_time = TimeColumn(rows, 4),
                        .sip_status = static_cast<uint32_t>(rows.Integer(18)),
                        .q850_cause = static_cast<uint32_t>(rows.Integer(19)),
                        .ended_by = ParseEndedBy(rows.Text(20)),
                        .text = rows.Text(21),
                        .streams = *std::move(of_record),
                        .media_unknown = rows.Integer(22) != 0}});
  }
}

}  // namespace

absl::StatusOr<Page<CallRecord>> ReadCallRecords(SqliteDatabase& database, const CallRecordQuery& query) {
  int64_t before = std::numeric_limits<int64_t>::max();
  if (!query.token.empty() && !absl::SimpleAtoi(query.token, &before)) {
    return absl::InvalidArgumentError(
        absl::StrCat("page_token '", query.token, "' is none that this service has given"));
  }
  // A separate statement for all accounts, so that each can use its index.
  const absl::string_view of_account = query.account.empty()
                                           ? ""
                                           : " AND id IN (SELECT id FROM call_records WHERE caller_account = ?5 UNION "
                                             "SELECT id FROM call_records WHERE callee_account = ?5)";
  absl::StatusOr<SqliteStatement> records = database.Prepare(absl::StrCat(
      "SELECT ", kRecordColumns, ", id FROM call_records WHERE id < ?1 AND start_time >= ?2 AND start_time < ?3",
      of_account, " ORDER BY id DESC LIMIT ?4"));
  if (!records.ok()) return records.status();
  records->Bind(1, before)
      .Bind(2, absl::ToUnixMicros(query.from))
      .Bind(3, absl::ToUnixMicros(query.to))
      .Bind(4, static_cast<int64_t>(query.page_size) + 1);
  if (!query.account.empty()) records->Bind(5, query.account);
  absl::StatusOr<std::vector<NumberedRecord>> found = ReadRecords(database, *records);
  if (!found.ok()) return found.status();
  Page<CallRecord> page;
  if (found->size() > query.page_size) {
    found->pop_back();
    page.next_token = absl::StrCat(found->back().id);
  }
  for (NumberedRecord& numbered : *found) page.items.push_back(std::move(numbered.record));
  return page;
}

absl::StatusOr<UncopiedCallRecords> ReadUncopiedCallRecords(SqliteDatabase& database, size_t limit) {
  absl::StatusOr<SqliteStatement> records = database.Prepare(
      absl::StrCat("SELECT ", kRecordColumns,
                   ", id FROM call_records WHERE id > (SELECT up_to FROM copied_call_records) ORDER BY id LIMIT ?"));
  if (!records.ok()) return records.status();
  records->Bind(1, static_cast<int64_t>(limit));
  absl::StatusOr<std::vector<NumberedRecord>> found = ReadRecords(database, *records);
  if (!found.ok()) return found.status();
  UncopiedCallRecords uncopied;
  for (NumberedRecord& numbered : *found) {
    uncopied.position = numbered.id;
    uncopied.records.push_back(std::move(numbered.record));
  }
  return uncopied;
}

absl::Status SetCopiedMark(SqliteDatabase& database, int64_t position) {
  return database.Execute(absl::StrCat("UPDATE copied_call_records SET up_to = ", position));
}

absl::Status DeleteOldCallRecords(SqliteDatabase& database, size_t kept) {
  return database.Execute(
      absl::StrCat("DELETE FROM call_records WHERE id <= (SELECT MAX(id) FROM call_records) - ", kept));
}

absl::StatusOr<size_t> DeleteCallRecordsBefore(SqliteDatabase& database, absl::Time time, bool only_copied,
                                               size_t limit) {
  absl::StatusOr<SqliteStatement> deletion = database.Prepare(
      absl::StrCat("DELETE FROM call_records WHERE id IN (SELECT id FROM call_records WHERE start_time < ?",
                   only_copied ? " AND id <= (SELECT up_to FROM copied_call_records)" : "",
                   " ORDER BY start_time LIMIT ?) RETURNING id"));
  if (!deletion.ok()) return deletion.status();
  deletion->Bind(1, absl::ToUnixMicros(time)).Bind(2, static_cast<int64_t>(limit));
  size_t count = 0;
  while (true) {
    const absl::StatusOr<bool> row = deletion->Step();
    if (!row.ok()) return row.status();
    if (!*row) return count;
    ++count;
  }
}

BatchWriter::BatchWriter(SqliteDatabase& database, SqliteStatement delete_bindings, SqliteStatement insert_binding,
                         SqliteStatement insert_record, SqliteStatement insert_stream)
    : database_(&database),
      delete_bindings_(std::move(delete_bindings)),
      insert_binding_(std::move(insert_binding)),
      insert_record_(std::move(insert_record)),
      insert_stream_(std::move(insert_stream)) {}

absl::StatusOr<BatchWriter> BatchWriter::Prepare(SqliteDatabase& database) {
  absl::StatusOr<SqliteStatement> delete_bindings = database.Prepare("DELETE FROM bindings WHERE account = ?");
  if (!delete_bindings.ok()) return delete_bindings.status();
  absl::StatusOr<SqliteStatement> insert_binding = database.Prepare(
      "INSERT INTO bindings (account, contact, call_id, cseq, expire_time, priority, user_agent, path, instance, "
      "reg_id, "
      "transport, source, local, behind_nat) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  if (!insert_binding.ok()) return insert_binding.status();
  absl::StatusOr<SqliteStatement> insert_record = database.Prepare(
      absl::StrCat("INSERT OR REPLACE INTO call_records (", kRecordColumns, ") VALUES (", kRecordParameters, ")"));
  if (!insert_record.ok()) return insert_record.status();
  absl::StatusOr<SqliteStatement> insert_stream = database.Prepare(absl::StrCat(
      "INSERT OR REPLACE INTO call_record_streams (", kStreamColumns, ") VALUES (", kStreamParameters, ")"));
  if (!insert_stream.ok()) return insert_stream.status();
  return BatchWriter(database, *std::move(delete_bindings), *std::move(insert_binding), *std::move(insert_record),
                     *std::move(insert_stream));
}

absl::Status BatchWriter::WriteBindings(absl::string_view account, const BindingSet& bindings) {
  SLUICE_RETURN_IF_ERROR(delete_bindings_.Bind(1, account).Run());
  for (const Binding& binding : bindings) {
    SLUICE_RETURN_IF_ERROR(insert_binding_.Bind(1, account)
                               .Bind(2, binding.contact)
                               .Bind(3, binding.call_id)
                               .Bind(4, int64_t{binding.cseq})
                               .Bind(5, absl::ToUnixMicros(binding.expire_time))
                               .Bind(6, int64_t{binding.priority})
                               .Bind(7, binding.user_agent)
                               .Bind(8, binding.path)
                               .Bind(9, binding.instance)
                               .Bind(10, int64_t{binding.reg_id})
                               .Bind(11, binding.transport)
                               .Bind(12, binding.source)
                               .Bind(13, binding.local)
                               .Bind(14, int64_t{binding.behind_nat})
                               .Run());
  }
  return absl::OkStatus();
}

absl::Status BatchWriter::WriteCallRecord(const CallRecord& record) {
  SqliteStatement& insert = insert_record_;
  insert.Bind(1, record.call_id);
  BindTime(insert, 2, record.start_time);
  BindTime(insert, 3, record.ring_time);
  BindTime(insert, 4, record.answer_time);
  BindTime(insert, 5, record.end_time);
  BindParty(insert, 6, record.caller);
  BindParty(insert, 12, record.callee);
  SLUICE_RETURN_IF_ERROR(insert.Bind(18, record.relay)
                             .Bind(19, int64_t{record.sip_status})
                             .Bind(20, int64_t{record.q850_cause})
                             .Bind(21, EndedByName(record.ended_by))
                             .Bind(22, record.text)
                             .Bind(23, int64_t{record.media_unknown})
                             .Run());
  const int64_t id = database_->LastRowId();
  for (const StreamRecord& stream : record.streams) {
    SLUICE_RETURN_IF_ERROR(WriteDirection(id, stream, "caller", stream.from_caller));
    SLUICE_RETURN_IF_ERROR(WriteDirection(id, stream, "callee", stream.from_callee));
  }
  return absl::OkStatus();
}

absl::Status BatchWriter::WriteDirection(int64_t record, const StreamRecord& stream, absl::string_view sent_by,
                                         const DirectionRecord& direction) {
  return insert_stream_.Bind(1, record)
      .Bind(2, int64_t{stream.stream_id})
      .Bind(3, sent_by)
      .Bind(4, stream.media)
      .Bind(5, stream.codec)
      .Bind(6, static_cast<int64_t>(direction.packets))
      .Bind(7, static_cast<int64_t>(direction.bytes))
      .Bind(8, static_cast<int64_t>(direction.lost))
      .Bind(9, static_cast<int64_t>(direction.duplicates))
      .Bind(10, static_cast<int64_t>(direction.reordered))
      .Bind(11, direction.jitter_ms)
      .Bind(12, direction.max_jitter_ms)
      .Bind(13, direction.r_factor)
      .Bind(14, direction.mos)
      .Bind(15, static_cast<int64_t>(direction.forwarded))
      .BindBlob(16, direction.statistics)
      .Run();
}

#undef SLUICE_RETURN_IF_ERROR

}  // namespace sluice::store
