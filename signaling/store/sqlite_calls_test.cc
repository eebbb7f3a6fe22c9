// Standing calls in the SQLite store: what a run of the controller finds of those of the run before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "signaling/store/sqlite_database.h"
#include "signaling/store/sqlite_store.h"
#include "signaling/store/sqlite_store_test_bed.h"

namespace sluice::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// Bytes that text could not hold.
const std::string kState("\0\xff\x08state", 8);

class SqliteCallsTest : public SqliteStoreTestBed {
 protected:
  static std::vector<std::string> Taken(Store& store) {
    std::vector<std::string> taken;
    for (const StandingCall& call : store.TakeStandingCalls()) taken.push_back(call.call_id + "=" + call.state);
    return taken;
  }
  std::vector<std::string> TakenAfterARestart() { return Taken(**Open()); }

  // As if the process were killed now: the file and its write-ahead log as they are, opened elsewhere.
  std::vector<std::string> TakenAfterAKill() {
    const auto options = std::filesystem::copy_options::overwrite_existing;
    const std::string copy = folder_ / "killed.db";
    for (const char* part : {"", "-wal"}) {
      if (std::filesystem::exists(file_ + part)) std::filesystem::copy_file(file_ + part, copy + part, options);
    }
    return Taken(**OpenSqliteStore({.file = copy}));
  }
};

TEST_F(SqliteCallsTest, FindsTheLatestStateOfACallAfterARestart) {
  {
    const auto store = *Open();
    EXPECT_THAT(store->TakeStandingCalls(), IsEmpty());
    store->KeepCall("call-1", "first");
    store->KeepCall("call-1", kState);
    store->KeepCall("call-2", "second");
  }
  EXPECT_THAT(TakenAfterARestart(), UnorderedElementsAre("call-1=" + kState, "call-2=second"));
}

TEST_F(SqliteCallsTest, FindsThemAgainIfTheRunThatTookThemDidNotForgetThem) {
  (*Open())->KeepCall("call-1", "state");
  {
    const auto store = *Open();
    EXPECT_THAT(Taken(*store), ElementsAre("call-1=state"));
    EXPECT_THAT(Taken(*store), IsEmpty()) << "they are taken once";
    EXPECT_EQ(store->Statistics().standing_calls, 1u);
  }
  {
    const auto store = *Open();
    EXPECT_THAT(Taken(*store), ElementsAre("call-1=state"));
    store->ForgetCall("call-1");
  }
  EXPECT_THAT(TakenAfterARestart(), IsEmpty());
}

TEST_F(SqliteCallsTest, HasTheirStateOnDiskSoonWithoutBeingAsked) {
  const auto store = *Open();
  store->KeepCall("call-1", "state");
  ASSERT_TRUE(Comes([&] { return store->Statistics().standing_calls_waiting == 0; }));
  ASSERT_TRUE(store->Flush(kLimit).ok());
  EXPECT_THAT(TakenAfterAKill(), ElementsAre("call-1=state"));
}

TEST_F(SqliteCallsTest, WritesNothingOfACallThatWasForgottenBeforeItWasWritten) {
  const auto store = *Open();
  const auto other = *SqliteDatabase::Open(file_);
  ASSERT_TRUE(other
                  ->Execute("CREATE TRIGGER watch BEFORE INSERT ON standing_calls BEGIN INSERT INTO set_aside "
                            "(table_name, row, reason) VALUES ('standing_calls', new.call_id, 'written'); END")
                  .ok());
  // So that nothing can be written between the two.
  ASSERT_TRUE(other->Execute("BEGIN IMMEDIATE").ok());
  store->KeepCall("short", "state");
  store->ForgetCall("short");
  store->KeepCall("long", "state");
  ASSERT_TRUE(other->Execute("ROLLBACK").ok());
  ASSERT_TRUE(store->Flush(kLimit).ok());
  auto written = *other->Prepare("SELECT group_concat(row) FROM set_aside");
  ASSERT_TRUE(*written.Step());
  EXPECT_EQ(written.Text(0), "long");
}

TEST_F(SqliteCallsTest, DoesNotRestoreACallThatHasARecord) {
  {
    const auto store = *Open();
    store->KeepCall("recorded", "state");
    store->KeepCall("standing", "state");
    store->AppendCallRecord(AnsweredCall("recorded"));
  }
  EXPECT_THAT(TakenAfterARestart(), ElementsAre("standing=state"));
  auto left = *(*SqliteDatabase::Open(file_))->Prepare("SELECT COUNT(*) FROM standing_calls");
  ASSERT_TRUE(*left.Step());
  EXPECT_EQ(left.Integer(0), 1);
}

TEST_F(SqliteCallsTest, EndsACallOnDiskNotBeforeItsRecordIsThere) {
  // More records than go in one transaction, the last of which is the one of the call.
  constexpr size_t kRecords = 2500;
  waiting_records_ = kRecords;
  const auto store = *Open();
  store->KeepCall("call-1", "state");
  ASSERT_TRUE(store->Flush(kLimit).ok());
  // Whoever deletes a state without its record is refused, and the batch with it.
  const auto other = *SqliteDatabase::Open(file_);
  ASSERT_TRUE(other
                  ->Execute("CREATE TRIGGER watch BEFORE DELETE ON standing_calls WHEN NOT EXISTS "
                            "(SELECT 1 FROM call_records WHERE call_id = old.call_id) "
                            "BEGIN SELECT RAISE(ABORT, 'has no record yet'); END")
                  .ok());
  ASSERT_TRUE(other->Execute("BEGIN IMMEDIATE").ok());
  for (size_t i = 1; i < kRecords; ++i) store->AppendCallRecord(AnsweredCall(absl::StrCat("other-", i)));
  store->AppendCallRecord(AnsweredCall("call-1"));
  store->ForgetCall("call-1");
  ASSERT_TRUE(other->Execute("ROLLBACK").ok());
  ASSERT_TRUE(store->Flush(kLimit).ok());
  EXPECT_EQ(store->Statistics().records_written, kRecords);
  EXPECT_EQ(store->Statistics().standing_calls, 0u);
  for (const std::string& line : Reports()) EXPECT_THAT(line, testing::Not(HasSubstr("has no record yet")));
}

TEST_F(SqliteCallsTest, GoesOnWhileTheFileIsLockedAndCatchesUpWithTheLatest) {
  const auto store = *Open();
  for (const char* id : {"changed", "over"}) store->KeepCall(id, "before");
  ASSERT_TRUE(store->Flush(kLimit).ok());
  const auto other = *SqliteDatabase::Open(file_);
  ASSERT_TRUE(other->Execute("BEGIN IMMEDIATE").ok());
  store->KeepCall("changed", "meanwhile");
  store->KeepCall("new", "meanwhile");
  ASSERT_TRUE(Comes([&] { return store->Statistics().failed_writes > 0; }));
  store->KeepCall("changed", "at last");
  store->ForgetCall("over");
  EXPECT_EQ(store->Statistics().standing_calls_waiting, 3u);
  ASSERT_TRUE(other->Execute("ROLLBACK").ok());
  ASSERT_TRUE(store->Flush(kLimit).ok());
  EXPECT_THAT(TakenAfterAKill(), UnorderedElementsAre("changed=at last", "new=meanwhile"));
  EXPECT_EQ(Reports().size(), 2u);
}

TEST_F(SqliteCallsTest, SetsDamagedRowsAsideAndTakesTheRest) {
  {
    const auto store = *Open();
    for (const char* id : {"whole", "text", "empty"}) store->KeepCall(id, "state");
  }
  ASSERT_TRUE((*SqliteDatabase::Open(file_))
                  ->Execute("UPDATE standing_calls SET state = 'no bytes' WHERE call_id = 'text';"
                            "UPDATE standing_calls SET state = x'' WHERE call_id = 'empty';"
                            "INSERT INTO standing_calls (call_id, state) VALUES ('', x'00')")
                  .ok());
  {
    const auto store = *Open();
    EXPECT_THAT(Taken(*store), ElementsAre("whole=state"));
    EXPECT_EQ(store->Statistics().set_aside, 3u);
    EXPECT_THAT(Reports(),
                UnorderedElementsAre(HasSubstr("call_id is not text or state is not bytes: 'text'"),
                                     HasSubstr("state is empty: 'empty'"), HasSubstr("call_id is empty: ''")));
  }
  EXPECT_EQ((*Open())->Statistics().set_aside, 0u);
}

TEST_F(SqliteCallsTest, LeavesOutAStateThatTheDiskRefusesAndWritesTheRest) {
  const auto store = *Open();
  const auto other = *SqliteDatabase::Open(file_);
  ASSERT_TRUE(other
                  ->Execute("CREATE TRIGGER refuse BEFORE INSERT ON standing_calls WHEN new.call_id = 'bad' "
                            "BEGIN SELECT RAISE(ABORT, 'not this one'); END")
                  .ok());
  for (const char* id : {"bad", "good"}) store->KeepCall(id, "state");
  ASSERT_TRUE(store->Flush(kLimit).ok());
  EXPECT_THAT(Reports(), ElementsAre(HasSubstr("store: standing call bad cannot be written: ")));
  EXPECT_THAT(TakenAfterAKill(), ElementsAre("good=state"));
}

TEST_F(SqliteCallsTest, KeepsNoCallInMemory) {
  const auto store = *OpenSqliteStore({.file = ":memory:"});
  store->KeepCall("call-1", "state");
  EXPECT_EQ(store->Statistics().standing_calls_waiting, 0u);
  store->ForgetCall("call-1");
  EXPECT_TRUE(store->Flush(kLimit).ok());
  EXPECT_THAT(store->TakeStandingCalls(), IsEmpty());
}

// Says what it is told, and how many records were in the file by then.
class SharedStateFake : public SharedState {
 public:
  explicit SharedStateFake(std::string file) : file_(std::move(file)) {}

  void KeepCall(absl::string_view call_id, std::string state) override { Note(absl::StrCat(call_id, "=", state)); }
  void ForgetCall(absl::string_view call_id) override {
    const auto database = *SqliteDatabase::Open(file_);
    auto count = *database->Prepare("SELECT count(*) FROM call_records");
    Note(absl::StrCat(call_id, " ended, records: ", *count.Step() ? count.Integer(0) : 0));
  }
  void NoteBindings(absl::string_view account) override { Note(absl::StrCat("bindings of ", account)); }
  Statistics StateStatistics() const override { return {.standing_calls = 3, .standing_calls_waiting = 2}; }

  std::vector<std::string> heard() {
    std::lock_guard<std::mutex> lock(mutex_);
    return heard_;
  }

 private:
  void Note(std::string line) {
    std::lock_guard<std::mutex> lock(mutex_);
    heard_.push_back(std::move(line));
  }

  const std::string file_;
  std::mutex mutex_;
  std::vector<std::string> heard_;
};

TEST_F(SqliteCallsTest, GivesTheCallsOfAClusterToItAndEndsThemBehindTheirRecords) {
  SharedStateFake shared(file_);
  {
    const auto store = *OpenSqliteStore({.file = file_, .shared = &shared});
    store->KeepCall("call-1", "state");
    EXPECT_THAT(shared.heard(), ElementsAre("call-1=state"));
    store->AppendCallRecord(AnsweredCall("call-1"));
    store->ForgetCall("call-1");
    ASSERT_TRUE(store->Flush(kLimit).ok());
    EXPECT_EQ(store->Statistics().standing_calls, 3u);
    EXPECT_EQ(store->Statistics().standing_calls_waiting, 2u);
  }
  EXPECT_THAT(shared.heard(), ElementsAre("call-1=state", "call-1 ended, records: 1"));
  EXPECT_THAT(TakenAfterARestart(), IsEmpty());
}

TEST_F(SqliteCallsTest, KnowsWhichCallsAreOver) {
  const auto store = *Open();
  for (const char* call : {"call-1", "call-3"}) store->AppendCallRecord(AnsweredCall(call));
  ASSERT_TRUE(store->Flush(kLimit).ok());
  const auto left =
      store->WithoutRecorded({{"call-1", "a"}, {"call-2", "b"}, {"call-3", "c"}, {"call-4", "d"}, {"call-1", "e"}});
  ASSERT_EQ(left.size(), 2u);
  EXPECT_EQ(left[0].call_id + left[0].state, "call-2b");
  EXPECT_EQ(left[1].call_id, "call-4");
}

TEST_F(SqliteCallsTest, GivesTheClusterWhatTheFileHasFromBefore) {
  (*Open())->KeepCall("call-1", "state");
  SharedStateFake shared(file_);
  {
    const auto store = *OpenSqliteStore({.file = file_, .shared = &shared});
    EXPECT_THAT(Taken(*store), ElementsAre("call-1=state"));
    EXPECT_THAT(shared.heard(), ElementsAre("call-1=state"));
  }
  EXPECT_THAT(TakenAfterARestart(), IsEmpty());
}

TEST_F(SqliteCallsTest, TellsTheClusterOfBindingsThatChangeHere) {
  SharedStateFake shared(file_);
  const auto store = *OpenSqliteStore({.file = file_, .shared = &shared});
  ASSERT_TRUE(store->CreateAccount({.name = "2000"}).ok());
  const Binding binding{.contact = "sip:2000@198.18.1.2", .expire_time = kNow};
  EXPECT_TRUE(store->ReplaceBindings("2000", store->FindBindings("2000"), {binding}));
  EXPECT_FALSE(store->ReplaceBindings("2000", std::make_shared<BindingSet>(), {}));
  EXPECT_THAT(shared.heard(), ElementsAre("bindings of 2000"));
  // Not of what it was told itself, nor of time that passes: that others see, too.
  EXPECT_TRUE(store->AdoptBindings("2000", store->FindBindings("2000"), {binding, binding}));
  EXPECT_EQ(store->FindBindings("2000")->size(), 2u);
  for (int call = 0; call < 16; ++call) store->ExpireBindings(kNow + absl::Seconds(1));
  EXPECT_TRUE(store->FindBindings("2000")->empty());
  EXPECT_THAT(shared.heard(), ElementsAre("bindings of 2000"));
}

}  // namespace
}  // namespace sluice::store
