// Call records in the SQLite store: what is kept, for how long, and what has been copied.
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

class SqliteRecordsTest : public SqliteStoreTestBed {};

TEST_F(SqliteRecordsTest, KeepsEveryFieldOfACallRecord) {
  const auto store = *Open();
  store->AppendCallRecord(AnsweredCall("call-1"));
  const auto page = *store->ListCallRecords({});
  ASSERT_EQ(page.items.size(), 1u);
  const CallRecord& record = page.items.front();
  EXPECT_EQ(record.call_id, "call-1");
  EXPECT_EQ(record.caller.display_name, "测试APP2");
  EXPECT_EQ(record.caller.peer, "udp:198.18.1.2:45426");
  EXPECT_EQ(record.callee.sip_call_id, "b-leg");
  EXPECT_EQ(record.callee.account, "20002230000");
  EXPECT_EQ(record.relay, "relay-1");
  EXPECT_EQ(record.start_time, kNow);
  EXPECT_EQ(record.ring_time, kNow + absl::Seconds(1));
  EXPECT_EQ(record.answer_time, kNow + absl::Seconds(2));
  EXPECT_EQ(record.end_time, kNow + absl::Seconds(12));
  EXPECT_EQ(record.sip_status, 200u);
  EXPECT_EQ(record.q850_cause, 16u);
  EXPECT_EQ(record.ended_by, EndedBy::kCaller);
  EXPECT_EQ(record.text, "normal clearing");
  ASSERT_EQ(record.streams.size(), 2u);
  EXPECT_EQ(record.streams[0].codec, "AMR");
  EXPECT_EQ(record.streams[0].from_caller.packets, 100u);
  EXPECT_EQ(record.streams[0].from_caller.lost, 1u);
  EXPECT_EQ(record.streams[0].from_caller.mos, 4.29);
  EXPECT_EQ(record.streams[0].from_caller.statistics, std::string("\x08\x00\x64", 3));
  EXPECT_EQ(record.streams[0].from_callee.packets, 99u);
  EXPECT_EQ(record.streams[0].from_callee.reordered, 2u);
  EXPECT_EQ(record.streams[0].from_callee.max_jitter_ms, 1.5);
  EXPECT_EQ(record.streams[1].media, "video");
}

TEST_F(SqliteRecordsTest, KeepsEveryFieldOfTheLegsInTheirOrder) {
  const auto store = *Open();
  store->AppendCallRecord(AnsweredCall("call-1"));
  const auto page = *store->ListCallRecords({});
  ASSERT_EQ(page.items.size(), 1u);
  const std::vector<LegRecord>& legs = page.items.front().legs;
  ASSERT_EQ(legs.size(), 3u);
  EXPECT_EQ(legs[0].leg, 1u);
  EXPECT_EQ(legs[0].side, CallSide::kCaller);
  EXPECT_EQ(legs[0].number, "20002230001");
  EXPECT_EQ(legs[0].ended_by, EndedBy::kCaller);
  EXPECT_EQ(legs[1].leg, 2u);
  EXPECT_EQ(legs[1].side, CallSide::kCallee);
  EXPECT_EQ(legs[1].account, "20002230000");
  EXPECT_EQ(legs[1].sip_call_id, "failed-leg");
  EXPECT_EQ(legs[1].peer, "udp:198.18.2.8:43518");
  EXPECT_EQ(legs[1].start_time, kNow + absl::Milliseconds(1));
  EXPECT_EQ(legs[1].ring_time, absl::InfinitePast());
  EXPECT_EQ(legs[1].answer_time, absl::InfinitePast());
  EXPECT_EQ(legs[1].end_time, kNow + absl::Milliseconds(3));
  EXPECT_EQ(legs[1].sip_status, 503u);
  EXPECT_EQ(legs[1].q850_cause, 41u);
  EXPECT_EQ(legs[1].ended_by, EndedBy::kCallee);
  EXPECT_EQ(legs[2].leg, 3u);
  EXPECT_EQ(legs[2].user_agent, "Zed-3-PDA");
  EXPECT_EQ(legs[2].ring_time, kNow + absl::Seconds(1));
  EXPECT_EQ(legs[2].answer_time, kNow + absl::Seconds(2));
}

TEST_F(SqliteRecordsTest, GivesLegsToTheRecordsOfAFileThatKnewNone) {
  (*Open())->AppendCallRecord(AnsweredCall("old"));
  ASSERT_TRUE((*SqliteDatabase::Open(file_))->Execute("DROP TABLE call_record_legs; PRAGMA user_version=6").ok());
  const auto store = *Open();
  store->AppendCallRecord(AnsweredCall("new"));
  const auto page = *store->ListCallRecords({});
  ASSERT_EQ(page.items.size(), 2u);
  EXPECT_EQ(page.items[0].legs.size(), 3u);
  EXPECT_EQ(page.items[1].call_id, "old");
  EXPECT_EQ(page.items[1].streams.size(), 2u);
  EXPECT_TRUE(page.items[1].legs.empty());
}

TEST_F(SqliteRecordsTest, ReplacesTheLegsOfARecordThatComesAgain) {
  const auto store = *Open();
  CallRecord record = AnsweredCall("call-1");
  store->AppendCallRecord(record);
  record.legs.pop_back();
  store->AppendCallRecord(record);
  EXPECT_EQ(store->ListCallRecords({})->items.at(0).legs.size(), 2u);
}

TEST_F(SqliteRecordsTest, ShowsAnUnansweredCallWithoutAnswerTime) {
  const auto store = *Open();
  CallRecord record = AnsweredCall("call-1");
  record.ring_time = record.answer_time = absl::InfinitePast();
  // The statement was used before with times: none may stay bound.
  store->AppendCallRecord(AnsweredCall("call-0"));
  store->AppendCallRecord(record);
  const auto page = *store->ListCallRecords({});
  ASSERT_EQ(page.items.size(), 2u);
  EXPECT_EQ(page.items[0].call_id, "call-1");
  EXPECT_EQ(page.items[0].answer_time, absl::InfinitePast());
  EXPECT_EQ(page.items[1].answer_time, kNow + absl::Seconds(2));
}

TEST_F(SqliteRecordsTest, ListsCallRecordsNewestFirstPageByPageAndByTime) {
  const auto store = *Open();
  for (int i = 0; i < 5; ++i) {
    CallRecord record = AnsweredCall(absl::StrCat("call-", i));
    record.start_time = kNow + absl::Seconds(i);
    store->AppendCallRecord(record);
  }
  const auto first = *store->ListCallRecords({.page_size = 3});
  ASSERT_EQ(first.items.size(), 3u);
  EXPECT_EQ(first.items[0].call_id, "call-4");
  const auto second = *store->ListCallRecords({.page_size = 3, .token = first.next_token});
  ASSERT_EQ(second.items.size(), 2u);
  EXPECT_EQ(second.items[1].call_id, "call-0");
  EXPECT_EQ(second.next_token, "");
  const auto middle = *store->ListCallRecords({.from = kNow + absl::Seconds(1), .to = kNow + absl::Seconds(3)});
  ASSERT_EQ(middle.items.size(), 2u);
  EXPECT_EQ(middle.items[0].call_id, "call-2");
  EXPECT_EQ(store->ListCallRecords({.token = "x"}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(SqliteRecordsTest, KeepsOnlyTheNewestRecordsInMemory) {
  const auto store = *OpenSqliteStore({.file = ":memory:", .records_in_memory = 2});
  for (int i = 0; i < 5; ++i) store->AppendCallRecord(AnsweredCall(absl::StrCat("call-", i)));
  const auto page = *store->ListCallRecords({});
  ASSERT_EQ(page.items.size(), 2u);
  EXPECT_EQ(page.items[0].call_id, "call-4");
  EXPECT_EQ(page.items[1].streams.size(), 2u);
}

TEST_F(SqliteRecordsTest, DropsAndCountsRecordsWhenTooManyWait) {
  waiting_records_ = 2;
  const auto store = *Open();
  const auto other = *SqliteDatabase::Open(file_);
  ASSERT_TRUE(other->Execute("BEGIN IMMEDIATE").ok());
  for (int i = 0; i < 10; ++i) store->AppendCallRecord(AnsweredCall(absl::StrCat("call-", i)));
  ASSERT_TRUE(other->Execute("ROLLBACK").ok());
  ASSERT_TRUE(store->Flush(kLimit).ok());
  const StoreStatistics statistics = store->Statistics();
  EXPECT_EQ(statistics.records_written + statistics.records_dropped, 10u);
  EXPECT_GE(statistics.records_dropped, 6u);
}

TEST_F(SqliteRecordsTest, ListsTheRecordsOfOneAccountWhetherItCalledOrWasCalled) {
  const auto store = *Open();
  store->AppendCallRecord(
      {.call_id = "1", .caller = {.account = "alice"}, .callee = {.account = "bob"}, .start_time = kNow});
  store->AppendCallRecord(
      {.call_id = "2", .caller = {.account = "bob"}, .callee = {.account = "carol"}, .start_time = kNow});
  store->AppendCallRecord(
      {.call_id = "3", .caller = {.account = "carol"}, .callee = {.account = "carol"}, .start_time = kNow});
  const auto calls_of = [&](const std::string& account) {
    std::string calls;
    const auto page = *store->ListCallRecords({.account = account});
    for (const CallRecord& record : page.items) calls += record.call_id;
    return calls;
  };
  EXPECT_EQ(calls_of("alice"), "1");
  EXPECT_EQ(calls_of("bob"), "21");
  EXPECT_EQ(calls_of("carol"), "32");
  EXPECT_EQ(calls_of("dave"), "");
  EXPECT_EQ(calls_of(""), "321");
}

TEST_F(SqliteRecordsTest, DeletesRecordsThatAreOlderThanTheyAreToStay) {
  // More than go in one transaction.
  constexpr size_t kOld = 1200;
  const auto store = *OpenSqliteStore({.file = file_,
                                       .gather_interval = absl::Milliseconds(1),
                                       .keep_records = absl::Hours(24),
                                       .expiry_interval = absl::Milliseconds(1)});
  for (size_t i = 0; i < kOld; ++i) store->AppendCallRecord(AnsweredCall(absl::StrCat("old-", i)));
  CallRecord young = AnsweredCall("young");
  young.start_time = absl::Now() - absl::Hours(23);
  store->AppendCallRecord(young);
  ASSERT_TRUE(store->Flush(kLimit).ok());
  ASSERT_TRUE(Comes([&] { return store->Statistics().records_expired >= kOld; }));
  EXPECT_EQ(store->Statistics().records_expired, kOld);
  const auto left = *store->ListCallRecords({});
  ASSERT_EQ(left.items.size(), 1u);
  EXPECT_EQ(left.items[0].call_id, "young");
  // Their streams and legs have gone with them.
  const auto database = *SqliteDatabase::Open(file_);
  auto count =
      *database->Prepare("SELECT (SELECT COUNT(*) FROM call_record_streams), (SELECT COUNT(*) FROM call_record_legs)");
  ASSERT_TRUE(*count.Step());
  EXPECT_EQ(count.Integer(0), 4);
  EXPECT_EQ(count.Integer(1), 3);
}

TEST_F(SqliteRecordsTest, SaysOnceThatOldRecordsCannotBeDeletedWhileNewOnesAreWritten) {
  Open()->reset();
  const auto other = *SqliteDatabase::Open(file_);
  ASSERT_TRUE(
      other->Execute("CREATE TRIGGER keep BEFORE DELETE ON call_records BEGIN SELECT RAISE(ABORT, 'not now'); END")
          .ok());
  const auto store = *OpenSqliteStore({.file = file_,
                                       .gather_interval = absl::Milliseconds(1),
                                       .keep_records = absl::Hours(24),
                                       .expiry_interval = absl::Milliseconds(1),
                                       .retry_interval = absl::Milliseconds(1),
                                       .report = [this](absl::string_view line) { Report(line); }});
  for (int i = 0; i < 3; ++i) {
    const uint64_t failed = store->Statistics().failed_writes;
    store->AppendCallRecord(AnsweredCall(absl::StrCat("old-", i)));
    ASSERT_TRUE(store->Flush(kLimit).ok());
    ASSERT_TRUE(Comes([&] { return store->Statistics().failed_writes >= failed + 2; }));
  }
  EXPECT_THAT(Reports(), ElementsAre(HasSubstr("store: cannot write, calls go on, trying again: ")));
  EXPECT_EQ(store->ListCallRecords({})->items.size(), 3u);
  ASSERT_TRUE(other->Execute("DROP TRIGGER keep").ok());
  ASSERT_TRUE(Comes([&] { return store->Statistics().records_expired >= 3; }));
  EXPECT_THAT(Reports(), ElementsAre(HasSubstr("not now"), "store: writing works again"));
  EXPECT_EQ(store->Statistics().last_error, "");
}

TEST_F(SqliteRecordsTest, KeepsOldRecordsThatCannotBeCopied) {
  const auto store = *OpenSqliteStore({.file = file_,
                                       .gather_interval = absl::Milliseconds(1),
                                       .keep_records = absl::Hours(24),
                                       .records_are_copied = true,
                                       .expiry_interval = absl::Milliseconds(1)});
  for (const char* id : {"first", "refused", "last"}) store->AppendCallRecord(AnsweredCall(id));
  ASSERT_TRUE(store->Flush(kLimit).ok());
  ASSERT_TRUE(store->MarkCopied(store->ReadUncopied(3)->position, {{"refused", "its name is no UTF-8"}}).ok());
  EXPECT_TRUE(store->ReadUncopied(3)->records.empty()) << "it is not tried again and again";
  ASSERT_TRUE(Comes([&] { return store->Statistics().records_expired >= 2; }));
  const auto left = *store->ListCallRecords({});
  ASSERT_EQ(left.items.size(), 1u);
  EXPECT_EQ(left.items[0].call_id, "refused");
}

TEST_F(SqliteRecordsTest, KeepsOldRecordsUntilTheyAreCopied) {
  const auto store = *OpenSqliteStore({.file = file_,
                                       .gather_interval = absl::Milliseconds(1),
                                       .keep_records = absl::Hours(24),
                                       .records_are_copied = true,
                                       .expiry_interval = absl::Milliseconds(1)});
  for (const char* id : {"copied", "waiting"}) store->AppendCallRecord(AnsweredCall(id));
  ASSERT_TRUE(store->Flush(kLimit).ok());
  EXPECT_EQ(store->Statistics().records_expired, 0u);
  ASSERT_TRUE(store->MarkCopied(store->ReadUncopied(1)->position, {}).ok());
  ASSERT_TRUE(Comes([&] { return store->Statistics().records_expired > 0; }));
  const auto left = *store->ListCallRecords({});
  ASSERT_EQ(left.items.size(), 1u);
  EXPECT_EQ(left.items[0].call_id, "waiting");
}

TEST_F(SqliteRecordsTest, TellsUncopiedRecordsFromTheOldestOnUntilTheyAreMarkedAlsoAfterARestart) {
  {
    const auto store = *Open();
    for (const char* call_id : {"1", "2", "3"}) store->AppendCallRecord({.call_id = call_id, .start_time = kNow});
    ASSERT_TRUE(store->Flush(kLimit).ok());
    const auto first = *store->ReadUncopied(2);
    ASSERT_EQ(first.records.size(), 2u);
    EXPECT_EQ(first.records[0].call_id, "1");
    EXPECT_EQ(store->ReadUncopied(2)->position, first.position);
    ASSERT_TRUE(store->MarkCopied(first.position, {}).ok());
  }
  const auto store = *Open();
  const auto rest = *store->ReadUncopied(2);
  ASSERT_EQ(rest.records.size(), 1u);
  EXPECT_EQ(rest.records[0].call_id, "3");
  ASSERT_TRUE(store->MarkCopied(rest.position, {}).ok());
  EXPECT_TRUE(store->ReadUncopied(2)->records.empty());
}

}  // namespace
}  // namespace sluice::store
