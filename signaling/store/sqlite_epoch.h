// The number by which relays know a later opening of the store from an earlier one.
//
// Threads: one at a time; the owner of the connection locks.
#ifndef SLUICE_SIGNALING_STORE_SQLITE_EPOCH_H_
#define SLUICE_SIGNALING_STORE_SQLITE_EPOCH_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "signaling/store/sqlite_database.h"

namespace sluice::store {

// The least that lies between two epochs of a store, so that whoever fences a writer off with a number of his own, just
// above the writer's, does not fence off the next one too.
inline constexpr uint64_t kEpochStep = 1'000'000;

// What Store::Epoch is after the opening at `now`: the time in microseconds since 1970, but always `kEpochStep` more
// than the one before, also when the clock was set back.
absl::StatusOr<uint64_t> ReadNextEpoch(SqliteDatabase& database, absl::Time now);
absl::Status WriteEpoch(SqliteDatabase& database, uint64_t epoch);

}  // namespace sluice::store

#endif  // SLUICE_SIGNALING_STORE_SQLITE_EPOCH_H_
