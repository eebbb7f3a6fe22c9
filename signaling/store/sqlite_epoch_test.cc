#include "signaling/store/sqlite_epoch.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "signaling/store/sqlite_schema.h"
#include "signaling/store/sqlite_store_test_bed.h"

namespace sluice::store {
namespace {

class SqliteEpochTest : public SqliteStoreTestBed {
 protected:
  SqliteEpochTest() { EXPECT_TRUE(UpdateSchema(*database_).ok()); }

  // Of an opening at `now`.
  uint64_t Take(absl::Time now) {
    const uint64_t epoch = ReadNextEpoch(*database_, now).value();
    EXPECT_TRUE(WriteEpoch(*database_, epoch).ok());
    return epoch;
  }
  void Put(const std::string& value) { EXPECT_TRUE(database_->Execute("UPDATE epochs SET epoch = " + value).ok()); }

  std::unique_ptr<SqliteDatabase> database_ = SqliteDatabase::Open(file_).value();
};

TEST_F(SqliteEpochTest, IsTheTime) {
  EXPECT_EQ(Take(kNow), 1'700'000'000'123'456);
  EXPECT_EQ(Take(kNow + absl::Hours(1)), 1'700'003'600'123'456);
}

TEST_F(SqliteEpochTest, RisesWhenTheClockDoesNot) {
  const uint64_t first = Take(kNow);
  EXPECT_EQ(Take(kNow), first + kEpochStep);
  EXPECT_EQ(Take(kNow - absl::Hours(24 * 365)), first + 2 * kEpochStep);
  EXPECT_EQ(Take(absl::InfinitePast()), first + 3 * kEpochStep);
}

TEST_F(SqliteEpochTest, GoesOnWhateverStandsThere) {
  for (const char* value : {"'nonsense'", "-1", "x'00ff'", "0.5"}) {
    Put(value);
    EXPECT_EQ(Take(kNow), 1'700'000'000'123'456) << value;
  }
  Put("9223372036854775807");
  EXPECT_EQ(Take(kNow), 9223372036854775807u);
  ASSERT_TRUE(database_->Execute("DELETE FROM epochs").ok());
  EXPECT_EQ(Take(kNow), 1'700'000'000'123'456);
}

TEST_F(SqliteEpochTest, EachOpeningOfTheStoreHasAHigherOne) {
  const uint64_t first = (*Open())->Epoch();
  EXPECT_GE(first, static_cast<uint64_t>(absl::ToUnixMicros(kNow)));
  EXPECT_GE((*Open())->Epoch(), first + kEpochStep);
}

}  // namespace
}  // namespace sluice::store
