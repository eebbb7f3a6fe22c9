#include "signaling/store/postgres_records.h"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "signaling/store/call_record.h"

namespace sluice::store {
namespace {

constexpr char kConnectSeconds[] = "5";

constexpr char kTables[] = R"sql(
CREATE TABLE IF NOT EXISTS call_records (
  call_id text PRIMARY KEY,
  start_time timestamptz NOT NULL,
  ring_time timestamptz,
  answer_time timestamptz,
  end_time timestamptz,
  caller_number text NOT NULL,
  caller_display_name text NOT NULL,
  caller_sip_call_id text NOT NULL,
  caller_peer text NOT NULL,
  caller_user_agent text NOT NULL,
  caller_account text NOT NULL,
  callee_number text NOT NULL,
  callee_display_name text NOT NULL,
  callee_sip_call_id text NOT NULL,
  callee_peer text NOT NULL,
  callee_user_agent text NOT NULL,
  callee_account text NOT NULL,
  relay text NOT NULL,
  sip_status integer NOT NULL,
  q850_cause integer NOT NULL,
  ended_by text NOT NULL,
  end_text text NOT NULL,
  media_unknown boolean NOT NULL
);
CREATE INDEX IF NOT EXISTS call_records_by_start ON call_records (start_time);
CREATE INDEX IF NOT EXISTS call_records_by_caller_account ON call_records (caller_account);
CREATE INDEX IF NOT EXISTS call_records_by_callee_account ON call_records (callee_account);
CREATE TABLE IF NOT EXISTS call_record_streams (
  call_id text NOT NULL REFERENCES call_records (call_id) ON DELETE CASCADE,
  stream_id bigint NOT NULL,
  sent_by text NOT NULL,
  media text NOT NULL,
  codec text NOT NULL,
  packets bigint NOT NULL,
  bytes bigint NOT NULL,
  lost bigint NOT NULL,
  duplicates bigint NOT NULL,
  reordered bigint NOT NULL,
  jitter_ms double precision NOT NULL,
  max_jitter_ms double precision NOT NULL,
  r_factor double precision NOT NULL,
  mos double precision NOT NULL,
  forwarded bigint NOT NULL,
  PRIMARY KEY (call_id, stream_id, sent_by)
);
CREATE TABLE IF NOT EXISTS call_record_legs (
  call_id text NOT NULL REFERENCES call_records (call_id) ON DELETE CASCADE,
  leg bigint NOT NULL,
  side text NOT NULL,
  number text NOT NULL,
  account text NOT NULL,
  sip_call_id text NOT NULL,
  peer text NOT NULL,
  user_agent text NOT NULL,
  start_time timestamptz NOT NULL,
  ring_time timestamptz,
  answer_time timestamptz,
  end_time timestamptz,
  sip_status integer NOT NULL,
  q850_cause integer NOT NULL,
  ended_by text NOT NULL,
  PRIMARY KEY (call_id, leg)
);
)sql";

constexpr char kInsertRecord[] =
    "INSERT INTO call_records VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,"
    "$23) ON CONFLICT (call_id) DO NOTHING";
constexpr char kInsertStream[] =
    "INSERT INTO call_record_streams VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15) ON CONFLICT DO "
    "NOTHING";

constexpr char kInsertLeg[] =
    "INSERT INTO call_record_legs VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15) ON CONFLICT DO NOTHING";

// Empty: NULL.
std::string TimeText(absl::Time time) {
  if (time == absl::InfinitePast()) return "";
  return absl::FormatTime("%Y-%m-%d %H:%M:%E6S+00", time, absl::UTCTimeZone());
}

const char* OrNull(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

// Of libpq: several lines, the last one empty.
std::string OneLine(const char* message) {
  return absl::StrReplaceAll(absl::StripAsciiWhitespace(message), {{"\n", " "}});
}

// libpq takes texts up to the first one, and PostgreSQL holds none.
bool HasNul(const CallRecord& record) {
  const auto is_bad = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  for (const CallParty* party : {&record.caller, &record.callee}) {
    if (is_bad(party->number) || is_bad(party->display_name) || is_bad(party->sip_call_id) || is_bad(party->peer) ||
        is_bad(party->user_agent) || is_bad(party->account)) {
      return true;
    }
  }
  for (const LegRecord& leg : record.legs) {
    if (is_bad(leg.number) || is_bad(leg.account) || is_bad(leg.sip_call_id) || is_bad(leg.peer) ||
        is_bad(leg.user_agent)) {
      return true;
    }
  }
  return is_bad(record.text) ||
         std::any_of(record.streams.begin(), record.streams.end(),
                     [&](const StreamRecord& stream) { return is_bad(stream.media) || is_bad(stream.codec); });
}

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};

}  // namespace

std::string PostgresConnectionDefect(const std::string& connection) {
  char* error = nullptr;
  const std::unique_ptr<PQconninfoOption, FreeOptions> options(PQconninfoParse(connection.c_str(), &error));
  if (options == nullptr) {
    std::string text = error == nullptr ? "cannot be read" : OneLine(error);
    PQfreemem(error);
    return text;
  }
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (absl::string_view(option->keyword) == "password" && option->val != nullptr) {
      return "holds a password; allowed: password_file";
    }
  }
  return "";
}

PostgresRecords::PostgresRecords(PostgresOptions options) : options_(std::move(options)) {}

PostgresRecords::~PostgresRecords() = default;

void PostgresRecords::Finish::operator()(pg_conn* connection) const { PQfinish(connection); }

PostgresRecords::Result PostgresRecords::Connect() {
  if (connection_ != nullptr && PQstatus(connection_.get()) == CONNECTION_OK) return {};
  // Later ones win; the first is taken apart (expand_dbname). A null ends the list, and a null value is left out.
  const char* const password = OrNull(options_.password);
  const std::array<const char*, 6> keywords = {
      "dbname", "connect_timeout", "application_name", "client_encoding", password == nullptr ? nullptr : "password",
      nullptr};
  const std::array<const char*, 6> values = {
      options_.connection.c_str(), kConnectSeconds, "sluice-controller", "UTF8", password, nullptr};
  connection_.reset(PQconnectdbParams(keywords.data(), values.data(), 1));
  if (connection_ == nullptr || PQstatus(connection_.get()) != CONNECTION_OK) {
    Result failed = {Outcome::kFailed, OneLine(PQerrorMessage(connection_.get()))};
    connection_.reset();
    return failed;
  }
  // It says of each table that it is there already.
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  const std::unique_ptr<PGresult, Clear> made(PQexec(connection_.get(), kTables));
  if (PQresultStatus(made.get()) == PGRES_COMMAND_OK) return {};
  Result failed = {Outcome::kFailed, OneLine(PQresultErrorMessage(made.get()))};
  connection_.reset();
  return failed;
}

PostgresRecords::Result PostgresRecords::Run(const char* sql, const std::vector<const char*>& parameters) {
  const std::unique_ptr<PGresult, Clear> result(PQexecParams(
      connection_.get(), sql, static_cast<int>(parameters.size()), nullptr, parameters.data(), nullptr, nullptr, 0));
  if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) return {};
  const char* const state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
  // Class 22: data exception.
  const bool faulty = state != nullptr && absl::string_view(state).substr(0, 2) == "22";
  return {faulty ? Outcome::kFaultyData : Outcome::kFailed, OneLine(PQerrorMessage(connection_.get()))};
}

PostgresRecords::Result PostgresRecords::WriteStream(const CallRecord& record, const StreamRecord& stream,
                                                     const char* sent_by, const DirectionRecord& direction) {
  const std::array<std::string, 11> numbers = {
      absl::StrCat(stream.stream_id),    absl::StrCat(direction.packets),       absl::StrCat(direction.bytes),
      absl::StrCat(direction.lost),      absl::StrCat(direction.duplicates),    absl::StrCat(direction.reordered),
      absl::StrCat(direction.jitter_ms), absl::StrCat(direction.max_jitter_ms), absl::StrCat(direction.r_factor),
      absl::StrCat(direction.mos),       absl::StrCat(direction.forwarded)};
  std::vector<const char*> parameters = {record.call_id.c_str(), numbers[0].c_str(), sent_by, stream.media.c_str(),
                                         stream.codec.c_str()};
  for (size_t i = 1; i < numbers.size(); ++i) parameters.push_back(numbers[i].c_str());
  return Run(kInsertStream, parameters);
}

PostgresRecords::Result PostgresRecords::WriteLeg(const CallRecord& record, const LegRecord& leg) {
  const std::string number = absl::StrCat(leg.leg);
  const std::array<std::string, 4> times = {TimeText(leg.start_time), TimeText(leg.ring_time),
                                            TimeText(leg.answer_time), TimeText(leg.end_time)};
  const std::string sip_status = absl::StrCat(leg.sip_status);
  const std::string q850_cause = absl::StrCat(leg.q850_cause);
  const std::string side(CallSideName(leg.side));
  const std::string ended_by(EndedByName(leg.ended_by));
  return Run(kInsertLeg,
             {record.call_id.c_str(), number.c_str(), side.c_str(), leg.number.c_str(), leg.account.c_str(),
              leg.sip_call_id.c_str(), leg.peer.c_str(), leg.user_agent.c_str(), OrNull(times[0]), OrNull(times[1]),
              OrNull(times[2]), OrNull(times[3]), sip_status.c_str(), q850_cause.c_str(), ended_by.c_str()});
}

PostgresRecords::Result PostgresRecords::WriteRecord(const CallRecord& record) {
  if (HasNul(record)) return {Outcome::kFaultyData, "a text has a NUL character"};
  const std::array<std::string, 4> times = {TimeText(record.start_time), TimeText(record.ring_time),
                                            TimeText(record.answer_time), TimeText(record.end_time)};
  const std::string sip_status = absl::StrCat(record.sip_status);
  const std::string q850_cause = absl::StrCat(record.q850_cause);
  const std::string ended_by(EndedByName(record.ended_by));
  std::vector<const char*> parameters = {record.call_id.c_str()};
  for (const std::string& time : times) parameters.push_back(OrNull(time));
  for (const CallParty* party : {&record.caller, &record.callee}) {
    for (const std::string* text : {&party->number, &party->display_name, &party->sip_call_id, &party->peer,
                                    &party->user_agent, &party->account}) {
      parameters.push_back(text->c_str());
    }
  }
  for (const char* text : {record.relay.c_str(), sip_status.c_str(), q850_cause.c_str(), ended_by.c_str(),
                           record.text.c_str(), record.media_unknown ? "true" : "false"}) {
    parameters.push_back(text);
  }
  if (Result result = Run(kInsertRecord, parameters); result.outcome != Outcome::kDone) return result;
  for (const StreamRecord& stream : record.streams) {
    if (Result result = WriteStream(record, stream, "caller", stream.from_caller); result.outcome != Outcome::kDone) {
      return result;
    }
    if (Result result = WriteStream(record, stream, "callee", stream.from_callee); result.outcome != Outcome::kDone) {
      return result;
    }
  }
  for (const LegRecord& leg : record.legs) {
    if (Result result = WriteLeg(record, leg); result.outcome != Outcome::kDone) return result;
  }
  return {};
}

PostgresRecords::Result PostgresRecords::WriteTransaction(const CallRecord* records, size_t count) {
  Result result = Run("BEGIN");
  for (size_t i = 0; i < count && result.outcome == Outcome::kDone; ++i) result = WriteRecord(records[i]);
  if (result.outcome == Outcome::kDone) result = Run("COMMIT");
  if (result.outcome != Outcome::kDone) Run("ROLLBACK");
  return result;
}

absl::Status PostgresRecords::Unavailable(const Result& result) {
  connection_.reset();
  return absl::UnavailableError(absl::StrCat("PostgreSQL: ", result.error));
}

absl::StatusOr<std::vector<RefusedCallRecord>> PostgresRecords::Write(const std::vector<CallRecord>& records) {
  if (const Result connected = Connect(); connected.outcome != Outcome::kDone) return Unavailable(connected);
  std::vector<RefusedCallRecord> refused;
  const Result all = WriteTransaction(records.data(), records.size());
  if (all.outcome == Outcome::kDone) return refused;
  if (all.outcome == Outcome::kFailed) return Unavailable(all);
  for (const CallRecord& record : records) {
    const Result one = WriteTransaction(&record, 1);
    if (one.outcome == Outcome::kFailed) return Unavailable(one);
    if (one.outcome == Outcome::kFaultyData) refused.push_back({record.call_id, one.error});
  }
  return refused;
}

}  // namespace sluice::store
