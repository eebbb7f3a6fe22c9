#include "signaling/store/sqlite_epoch.h"

#include <algorithm>
#include <limits>

namespace sluice::store {

absl::StatusOr<uint64_t> ReadNextEpoch(SqliteDatabase& database, absl::Time now) {
  absl::StatusOr<SqliteStatement> query = database.Prepare("SELECT MAX(epoch) FROM epochs");
  if (!query.ok()) return query.status();
  if (const absl::StatusOr<bool> row = query->Step(); !row.ok()) return row.status();
  const uint64_t by_clock = static_cast<uint64_t>(std::max<int64_t>(absl::ToUnixMicros(now), 0));
  // A number that somebody else has put there makes no sense, but must not end all numbers.
  constexpr uint64_t kHighest = std::numeric_limits<int64_t>::max() - kEpochStep;
  const uint64_t last = static_cast<uint64_t>(std::max<int64_t>(query->Integer(0), 0));
  return std::max(by_clock, std::min(last, kHighest) + kEpochStep);
}

absl::Status WriteEpoch(SqliteDatabase& database, uint64_t epoch) {
  absl::StatusOr<SqliteStatement> update = database.Prepare("UPDATE epochs SET epoch = ?");
  if (!update.ok()) return update.status();
  return update->Bind(1, static_cast<int64_t>(epoch)).Run();
}

}  // namespace sluice::store
