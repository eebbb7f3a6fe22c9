#include "signaling/store/sqlite_call_records.h"

#include <cstdint>
#include <limits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace sluice::store {
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
constexpr char kLegColumns[] =
    "record, leg, side, number, account, sip_call_id, peer, user_agent, start_time, ring_time, answer_time, end_time, "
    "sip_status, q850_cause, ended_by";
constexpr char kLegParameters[] = "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?";

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

EndedBy ParseEndedBy(absl::string_view text) {
  for (uint8_t by = 0; by <= static_cast<uint8_t>(kLastEndedBy); ++by) {
    if (EndedByName(static_cast<EndedBy>(by)) == text) return static_cast<EndedBy>(by);
  }
  return EndedBy::kUnknown;
}

CallSide ParseCallSide(absl::string_view text) {
  for (const CallSide side : {CallSide::kCaller, CallSide::kCallee}) {
    if (CallSideName(side) == text) return side;
  }
  return CallSide::kUnknown;
}

absl::StatusOr<std::vector<LegRecord>> ReadLegs(SqliteStatement& query, int64_t record) {
  std::vector<LegRecord> legs;
  query.Bind(1, record);
  while (true) {
    const absl::StatusOr<bool> row = query.Step();
    if (!row.ok()) return row.status();
    if (!*row) return legs;
    legs.push_back({.leg = static_cast<uint32_t>(query.Integer(1)),
                    .side = ParseCallSide(query.Text(2)),
                    .number = query.Text(3),
                    .account = query.Text(4),
                    .sip_call_id = query.Text(5),
                    .peer = query.Text(6),
                    .user_agent = query.Text(7),
                    .start_time = query.Time(8),
                    .ring_time = query.Time(9),
                    .answer_time = query.Time(10),
                    .end_time = query.Time(11),
                    .sip_status = static_cast<uint32_t>(query.Integer(12)),
                    .q850_cause = static_cast<uint32_t>(query.Integer(13)),
                    .ended_by = ParseEndedBy(query.Text(14))});
  }
}

struct NumberedRecord {
  int64_t id = 0;
  CallRecord record;
};

// Rows of kRecordColumns and the id, with their streams and legs.
absl::StatusOr<std::vector<NumberedRecord>> ReadRecords(SqliteDatabase& database, SqliteStatement& rows) {
  absl::StatusOr<SqliteStatement> streams = database.Prepare(absl::StrCat(
      "SELECT ", kStreamColumns, " FROM call_record_streams WHERE record = ? ORDER BY stream_id, sent_by"));
  if (!streams.ok()) return streams.status();
  absl::StatusOr<SqliteStatement> legs =
      database.Prepare(absl::StrCat("SELECT ", kLegColumns, " FROM call_record_legs WHERE record = ? ORDER BY leg"));
  if (!legs.ok()) return legs.status();
  std::vector<NumberedRecord> records;
  while (true) {
    const absl::StatusOr<bool> row = rows.Step();
    if (!row.ok()) return row.status();
    if (!*row) return records;
    const int64_t id = rows.Integer(23);
    absl::StatusOr<std::vector<StreamRecord>> of_record = ReadStreams(*streams, id);
    if (!of_record.ok()) return of_record.status();
    absl::StatusOr<std::vector<LegRecord>> legs_of_record = ReadLegs(*legs, id);
    if (!legs_of_record.ok()) return legs_of_record.status();
    records.push_back({id,
                       {.call_id = rows.Text(0),
                        .caller = PartyColumns(rows, 5),
                        .callee = PartyColumns(rows, 11),
                        .relay = rows.Text(17),
                        .start_time = rows.Time(1),
                        .ring_time = rows.Time(2),
                        .answer_time = rows.Time(3),
                        .end_time = rows.Time(4),
                        .sip_status = static_cast<uint32_t>(rows.Integer(18)),
                        .q850_cause = static_cast<uint32_t>(rows.Integer(19)),
                        .ended_by = ParseEndedBy(rows.Text(20)),
                        .text = rows.Text(21),
                        .streams = *std::move(of_record),
                        .legs = *std::move(legs_of_record),
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

absl::Status SetCopyError(SqliteDatabase& database, const RefusedCallRecord& refused) {
  absl::StatusOr<SqliteStatement> update = database.Prepare("UPDATE call_records SET copy_error = ? WHERE call_id = ?");
  if (!update.ok()) return update.status();
  return update->Bind(1, refused.reason).Bind(2, refused.call_id).Run();
}

absl::Status EraseRecorded(SqliteDatabase& database, std::vector<StandingCall>& calls) {
  absl::StatusOr<SqliteStatement> query = database.Prepare("SELECT 1 FROM call_records WHERE call_id = ?");
  if (!query.ok()) return query.status();
  std::vector<StandingCall> left;
  for (StandingCall& call : calls) {
    query->Bind(1, call.call_id);
    const absl::StatusOr<bool> is_recorded = query->Step();
    if (!is_recorded.ok()) return is_recorded.status();
    if (!*is_recorded) {
      left.push_back(std::move(call));
    } else if (absl::Status done = query->Step().status(); !done.ok()) {
      return done;
    }
  }
  calls = std::move(left);
  return absl::OkStatus();
}

absl::Status DeleteOldCallRecords(SqliteDatabase& database, size_t kept) {
  return database.Execute(
      absl::StrCat("DELETE FROM call_records WHERE id <= (SELECT MAX(id) FROM call_records) - ", kept));
}

absl::StatusOr<size_t> DeleteCallRecordsBefore(SqliteDatabase& database, absl::Time time, bool only_copied,
                                               size_t limit) {
  absl::StatusOr<SqliteStatement> deletion = database.Prepare(
      absl::StrCat("DELETE FROM call_records WHERE id IN (SELECT id FROM call_records WHERE start_time < ?",
                   only_copied ? " AND id <= (SELECT up_to FROM copied_call_records) AND copy_error IS NULL" : "",
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

absl::StatusOr<CallRecordWriter> CallRecordWriter::Prepare(SqliteDatabase& database) {
  absl::StatusOr<SqliteStatement> record = database.Prepare(
      absl::StrCat("INSERT OR REPLACE INTO call_records (", kRecordColumns, ") VALUES (", kRecordParameters, ")"));
  if (!record.ok()) return record.status();
  absl::StatusOr<SqliteStatement> stream = database.Prepare(absl::StrCat(
      "INSERT OR REPLACE INTO call_record_streams (", kStreamColumns, ") VALUES (", kStreamParameters, ")"));
  if (!stream.ok()) return stream.status();
  absl::StatusOr<SqliteStatement> leg = database.Prepare(
      absl::StrCat("INSERT OR REPLACE INTO call_record_legs (", kLegColumns, ") VALUES (", kLegParameters, ")"));
  if (!leg.ok()) return leg.status();
  return CallRecordWriter(database, *std::move(record), *std::move(stream), *std::move(leg));
}

absl::Status CallRecordWriter::Write(const CallRecord& record) {
  record_.Bind(1, record.call_id)
      .Bind(2, record.start_time)
      .Bind(3, record.ring_time)
      .Bind(4, record.answer_time)
      .Bind(5, record.end_time);
  BindParty(record_, 6, record.caller);
  BindParty(record_, 12, record.callee);
  if (absl::Status status = record_.Bind(18, record.relay)
                                .Bind(19, int64_t{record.sip_status})
                                .Bind(20, int64_t{record.q850_cause})
                                .Bind(21, EndedByName(record.ended_by))
                                .Bind(22, record.text)
                                .Bind(23, int64_t{record.media_unknown})
                                .Run();
      !status.ok())
    return status;
  const int64_t id = database_->LastRowId();
  for (const StreamRecord& stream : record.streams) {
    if (absl::Status status = WriteDirection(id, stream, "caller", stream.from_caller); !status.ok()) return status;
    if (absl::Status status = WriteDirection(id, stream, "callee", stream.from_callee); !status.ok()) return status;
  }
  for (const LegRecord& leg : record.legs) {
    if (absl::Status status = WriteLeg(id, leg); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CallRecordWriter::WriteDirection(int64_t record, const StreamRecord& stream, absl::string_view sent_by,
                                              const DirectionRecord& direction) {
  return stream_.Bind(1, record)
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

absl::Status CallRecordWriter::WriteLeg(int64_t record, const LegRecord& leg) {
  return leg_.Bind(1, record)
      .Bind(2, int64_t{leg.leg})
      .Bind(3, CallSideName(leg.side))
      .Bind(4, leg.number)
      .Bind(5, leg.account)
      .Bind(6, leg.sip_call_id)
      .Bind(7, leg.peer)
      .Bind(8, leg.user_agent)
      .Bind(9, leg.start_time)
      .Bind(10, leg.ring_time)
      .Bind(11, leg.answer_time)
      .Bind(12, leg.end_time)
      .Bind(13, int64_t{leg.sip_status})
      .Bind(14, int64_t{leg.q850_cause})
      .Bind(15, EndedByName(leg.ended_by))
      .Run();
}
}  // namespace sluice::store
