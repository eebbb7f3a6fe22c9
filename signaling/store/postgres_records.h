// Call records in PostgreSQL: tables `call_records`, `call_record_streams` and `call_record_legs`, made when they are
// not there, with the columns of the store's own tables, but times as timestamptz.
//
// One connection, made when it is needed and made anew after it was lost. A batch is one transaction. When PostgreSQL
// finds fault with the data of a batch (a name that is no UTF-8, a number beyond its column), its records are written
// one by one and the faulty ones are refused, which holds up no other.
//
// Threads: one at a time.
#ifndef SLUICE_SIGNALING_STORE_POSTGRES_RECORDS_H_
#define SLUICE_SIGNALING_STORE_POSTGRES_RECORDS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "signaling/store/record_sink.h"

struct pg_conn;

namespace sluice::store {

struct PostgresOptions {
  // As libpq takes it: "host=/run/postgresql dbname=sluice user=sluice", "postgresql://sluice@198.18.0.5/sluice".
  std::string connection;
  // Empty: none, or what libpq finds by itself.
  std::string password;
};

// What is wrong with a connection string, as text for people; empty: nothing.
std::string PostgresConnectionDefect(const std::string& connection);

class PostgresRecords final : public RecordSink {
 public:
  explicit PostgresRecords(PostgresOptions options);
  ~PostgresRecords() override;

  // UNAVAILABLE with what PostgreSQL says.
  absl::StatusOr<std::vector<RefusedCallRecord>> Write(const std::vector<CallRecord>& records) override;

 private:
  struct Finish {
    void operator()(pg_conn* connection) const;
  };
  enum class Outcome { kDone, kFaultyData, kFailed };
  struct Result {
    Outcome outcome = Outcome::kDone;
    std::string error;
  };

  Result Connect();
  // With texts as parameters; null: NULL.
  Result Run(const char* sql, const std::vector<const char*>& parameters = {});
  Result WriteTransaction(const CallRecord* records, size_t count);
  Result WriteRecord(const CallRecord& record);
  Result WriteStream(const CallRecord& record, const StreamRecord& stream, const char* sent_by,
                     const DirectionRecord& direction);
  Result WriteLeg(const CallRecord& record, const LegRecord& leg);
  absl::Status Unavailable(const Result& result);

  const PostgresOptions options_;
  // Null: not connected.
  std::unique_ptr<pg_conn, Finish> connection_;
};

}  // namespace sluice::store

#endif  // SLUICE_SIGNALING_STORE_POSTGRES_RECORDS_H_
