#include "signaling/store/sqlite_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "signaling/store/sqlite_database.h"

namespace sluice::store {
namespace {

const absl::Time kNow = absl::FromUnixMicros(1'700'000'000'123'456);
constexpr absl::Duration kLimit = absl::Seconds(20);

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Account AliceAccount() {
  return {.name = "alice",
          .display_name = "测试APP2",
          .allow_legacy_digest = true,
          .follow_redirections = false,
          .create_time = kNow,
          .digests = {{"ASG Switch", "MD5", std::string(32, 'a')}, {"ASG Switch", "SHA-256", std::string(64, 'b')}}};
}

Binding PhoneBinding() {
  return {.contact = "sip:alice@192.168.2.63:43518;transport=udp",
          .call_id = "r1",
          .cseq = 7,
          .expire_time = kNow + absl::Hours(1),
          .priority = 500,
          .user_agent = "Zed-3-PDA",
          .path = "<sip:edge;lr>",
          .instance = "<urn:uuid:1>",
          .reg_id = 1,
          .transport = "udp",
          .source = "198.18.2.9:43518",
          .local = "198.18.1.1:7080",
          .behind_nat = true,
          .connection = 4};
}

CallRecord AnsweredCall(const std::string& id) {
  return {.call_id = id,
          .caller = {"20002230001", "测试APP2", "509381976447", "udp:198.18.1.2:45426", "Zed-3-PDA", "20002230001"},
          .callee = {"20002230000", "", "b-leg", "udp:198.18.2.9:43518", "Zed-3-PDA", "20002230000"},
          .relay = "relay-1",
          .start_time = kNow,
          .ring_time = kNow + absl::Seconds(1),
          .answer_time = kNow + absl::Seconds(2),
          .end_time = kNow + absl::Seconds(12),
          .sip_status = 200,
          .q850_cause = 16,
          .ended_by = EndedBy::kCaller,
          .text = "normal clearing",
          .streams = {{.stream_id = 0,
                       .media = "audio",
                       .codec = "AMR",
                       .from_caller = {.packets = 100,
                                       .bytes = 4000,
                                       .lost = 1,
                                       .jitter_ms = 0.5,
                                       .mos = 4.29,
                                       .forwarded = 100,
                                       .statistics = std::string("\x08\x00\x64", 3)},
                       .from_callee = {.packets = 99, .reordered = 2, .max_jitter_ms = 1.5}},
                      {.stream_id = 1, .media = "video", .codec = "H264"}}};
}

class SqliteStoreTest : public testing::Test {
 protected:
  SqliteStoreTest() {
    folder_ = std::filesystem::path(testing::TempDir()) /
              absl::StrCat("store-", testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    file_ = folder_ / "sluice.db";
  }
  ~SqliteStoreTest() override { std::filesystem::remove_all(folder_); }

  absl::StatusOr<std::unique_ptr<Store>> Open() {
    return OpenSqliteStore({.file = file_,
                            .waiting_records = waiting_records_,
                            .retry_interval = absl::Milliseconds(5),
                            .report = [this](absl::string_view line) { Report(line); }});
  }

  void Report(absl::string_view line) {
    std::lock_guard<std::mutex> lock(mutex_);
    reports_.emplace_back(line);
  }

  std::vector<std::string> Reports() {
    std::lock_guard<std::mutex> lock(mutex_);
    return reports_;
  }

  std::filesystem::path folder_;
  std::string file_;
  size_t waiting_records_ = 100;
  std::mutex mutex_;
  std::vector<std::string> reports_;
};

TEST_F(SqliteStoreTest, KeepsAnAccountOverARestart) {
  ASSERT_TRUE((*Open())->CreateAccount(AliceAccount()).ok());
  const auto store = *Open();
  const auto account = store->FindAccount("alice");
  ASSERT_NE(account, nullptr);
  EXPECT_EQ(account->display_name, "测试APP2");
  EXPECT_TRUE(account->allow_legacy_digest);
  EXPECT_EQ(account->follow_redirections, false);
  EXPECT_EQ(account->create_time, kNow);
  ASSERT_NE(account->FindDigest("ASG Switch", "SHA-256"), nullptr);
  EXPECT_EQ(account->FindDigest("ASG Switch", "SHA-256")->hash, std::string(64, 'b'));
  EXPECT_EQ(account->FindDigest("other", "MD5"), nullptr);
}

TEST_F(SqliteStoreTest, RefusesASecondAccountOfTheSameName) {
  const auto store = *Open();
  ASSERT_TRUE(store->CreateAccount(AliceAccount()).ok());
  EXPECT_EQ(store->CreateAccount(AliceAccount()).code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(SqliteStoreTest, RefusesNamesThatSipCannotCarry) {
  const auto store = *Open();
  for (const std::string& name : {std::string(), std::string(65, 'x'), std::string("a b"), std::string("a\"b")}) {
    Account account = AliceAccount();
    account.name = name;
    EXPECT_EQ(store->CreateAccount(account).code(), absl::StatusCode::kInvalidArgument) << name;
  }
}

TEST_F(SqliteStoreTest, ChangesAnAccountAndKeepsItsBindings) {
  {
    const auto store = *Open();
    ASSERT_TRUE(store->CreateAccount(AliceAccount()).ok());
    ASSERT_TRUE(store->ReplaceBindings("alice", store->FindBindings("alice"), {PhoneBinding()}));
    Account changed = *store->FindAccount("alice");
    changed.display_name = "Alice";
    changed.follow_redirections.reset();
    changed.digests = {{"ASG Switch", "MD5", std::string(32, 'c')}};
    ASSERT_TRUE(store->UpdateAccount(changed).ok());
    EXPECT_EQ(store->FindAccount("alice")->display_name, "Alice");
    changed.name = "bob";
    EXPECT_EQ(store->UpdateAccount(changed).code(), absl::StatusCode::kNotFound);
  }
  const auto store = *Open();
  const auto account = store->FindAccount("alice");
  ASSERT_NE(account, nullptr);
  EXPECT_EQ(account->display_name, "Alice");
  EXPECT_FALSE(account->follow_redirections.has_value());
  EXPECT_EQ(account->create_time, kNow);
  ASSERT_EQ(account->digests.size(), 1u);
  EXPECT_EQ(account->digests[0].hash, std::string(32, 'c'));
  EXPECT_EQ(store->FindBindings("alice")->size(), 1u);
  EXPECT_EQ(store->FindAccount("bob"), nullptr);
}

TEST_F(SqliteStoreTest, DeletesAnAccountWithItsBindings) {
  {
    const auto store = *Open();
    ASSERT_TRUE(store->CreateAccount(AliceAccount()).ok());
    ASSERT_TRUE(store->ReplaceBindings("alice", store->FindBindings("alice"), {PhoneBinding()}));
    ASSERT_TRUE(store->DeleteAccount("alice").ok());
    EXPECT_EQ(store->DeleteAccount("alice").code(), absl::StatusCode::kNotFound);
  }
  const auto store = *Open();
  EXPECT_EQ(store->FindAccount("alice"), nullptr);
  EXPECT_TRUE(store->FindBindings("alice")->empty());
  EXPECT_TRUE(Reports().empty());
}

TEST_F(SqliteStoreTest, KeepsBindingsOverARestartButNotTheirConnection) {
  {
    const auto store = *Open();
    ASSERT_TRUE(store->CreateAccount(AliceAccount()).ok());
    ASSERT_TRUE(store->ReplaceBindings("alice", store->FindBindings("alice"), {PhoneBinding()}));
  }
  const auto store = *Open();
  const auto bindings = store->FindBindings("alice");
  ASSERT_EQ(bindings->size(), 1u);
  const Binding& binding = bindings->front();
  const Binding expected = PhoneBinding();
  EXPECT_EQ(binding.contact, expected.contact);
  EXPECT_EQ(binding.call_id, expected.call_id);
  EXPECT_EQ(binding.cseq, expected.cseq);
  EXPECT_EQ(binding.expire_time, expected.expire_time);
  EXPECT_EQ(binding.priority, expected.priority);
  EXPECT_EQ(binding.user_agent, expected.user_agent);
  EXPECT_EQ(binding.path, expected.path);
  EXPECT_EQ(binding.instance, expected.instance);
  EXPECT_EQ(binding.reg_id, expected.reg_id);
  EXPECT_EQ(binding.transport, expected.transport);
  EXPECT_EQ(binding.source, expected.source);
  EXPECT_EQ(binding.local, expected.local);
  EXPECT_TRUE(binding.behind_nat);
  EXPECT_EQ(binding.connection, 0u);
  EXPECT_EQ(store->Statistics().bindings, 1u);
}

TEST_F(SqliteStoreTest, ForgetsExpiredBindingsOnDiskToo) {
  {
    const auto store = *Open();
    ASSERT_TRUE(store->CreateAccount(AliceAccount()).ok());
    ASSERT_TRUE(store->ReplaceBindings("alice", store->FindBindings("alice"), {PhoneBinding()}));
    for (int i = 0; i < 16; ++i) store->ExpireBindings(kNow + absl::Hours(1));
    EXPECT_TRUE(store->FindBindings("alice")->empty());
  }
  EXPECT_TRUE((*Open())->FindBindings("alice")->empty());
}

TEST_F(SqliteStoreTest, ListsBindingsPageByPage) {
  const auto store = *Open();
  for (const char* name : {"1", "2", "3"}) {
    Account account = AliceAccount();
    account.name = name;
    ASSERT_TRUE(store->CreateAccount(account).ok());
    ASSERT_TRUE(store->ReplaceBindings(name, store->FindBindings(name), {PhoneBinding(), PhoneBinding()}));
  }
  const Page<AccountBindings> first = store->ListBindings("", 3, "");
  EXPECT_EQ(first.items.size(), 4u);
  EXPECT_EQ(first.next_token, "2");
  const Page<AccountBindings> second = store->ListBindings("", 3, first.next_token);
  EXPECT_EQ(second.items.size(), 2u);
  EXPECT_EQ(second.next_token, "");
  EXPECT_EQ(store->ListBindings("3", 3, "").items.size(), 2u);
}

TEST_F(SqliteStoreTest, KeepsEveryFieldOfACallRecord) {
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

TEST_F(SqliteStoreTest, ShowsAnUnansweredCallWithoutAnswerTime) {
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

TEST_F(SqliteStoreTest, ListsCallRecordsNewestFirstPageByPageAndByTime) {
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

TEST_F(SqliteStoreTest, KeepsOnlyTheNewestRecordsInMemory) {
  const auto store = *OpenSqliteStore({.file = ":memory:", .records_in_memory = 2});
  for (int i = 0; i < 5; ++i) store->AppendCallRecord(AnsweredCall(absl::StrCat("call-", i)));
  const auto page = *store->ListCallRecords({});
  ASSERT_EQ(page.items.size(), 2u);
  EXPECT_EQ(page.items[0].call_id, "call-4");
  EXPECT_EQ(page.items[1].streams.size(), 2u);
}

TEST_F(SqliteStoreTest, SetsDamagedRowsAsideAndLoadsTheRest) {
  {
    const auto store = *Open();
    Account bob = AliceAccount();
    bob.name = "bob";
    ASSERT_TRUE(store->CreateAccount(AliceAccount()).ok());
    ASSERT_TRUE(store->CreateAccount(bob).ok());
    ASSERT_TRUE(store->ReplaceBindings("alice", store->FindBindings("alice"), {PhoneBinding(), PhoneBinding()}));
  }
  {
    const auto database = *SqliteDatabase::Open(file_);
    ASSERT_TRUE(database
                    ->Execute("UPDATE accounts SET create_time = 'yesterday' WHERE name = 'bob';"
                              "UPDATE account_digests SET hash = 'zz' WHERE account = 'alice' AND algorithm = 'MD5';"
                              "UPDATE bindings SET source = 'somewhere' WHERE id = 1;")
                    .ok());
  }
  {
    const auto store = Open();
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_EQ((*store)->FindAccount("bob"), nullptr);
    ASSERT_NE((*store)->FindAccount("alice"), nullptr);
    EXPECT_EQ((*store)->FindAccount("alice")->digests.size(), 1u);
    EXPECT_EQ((*store)->FindBindings("alice")->size(), 1u);
    // Bob's account and his two digests, Alice's digest and binding.
    EXPECT_EQ((*store)->Statistics().set_aside, 5u);
    EXPECT_EQ(Reports().size(), 5u);
  }
  EXPECT_EQ((*Open())->Statistics().set_aside, 0u);
}

TEST_F(SqliteStoreTest, GoesOnWhileTheFileIsLockedAndCatchesUp) {
  const auto store = *Open();
  ASSERT_TRUE(store->CreateAccount(AliceAccount()).ok());
  const auto other = *SqliteDatabase::Open(file_);
  ASSERT_TRUE(other->Execute("BEGIN IMMEDIATE").ok());
  store->AppendCallRecord(AnsweredCall("call-1"));
  ASSERT_TRUE(store->ReplaceBindings("alice", store->FindBindings("alice"), {PhoneBinding()}));
  const absl::Status flushed = store->Flush(absl::Seconds(2));
  EXPECT_EQ(flushed.code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(flushed.message().find("locked by another process"), std::string::npos) << flushed;
  EXPECT_EQ(store->FindBindings("alice")->size(), 1u);
  EXPECT_GE(store->Statistics().failed_writes, 1u);
  EXPECT_NE(store->Statistics().last_error, "");
  ASSERT_TRUE(other->Execute("ROLLBACK").ok());
  EXPECT_TRUE(store->Flush(kLimit).ok());
  EXPECT_EQ(store->Statistics().records_written, 1u);
  EXPECT_EQ(store->Statistics().last_error, "");
  EXPECT_EQ(Reports().size(), 2u);
}

TEST(SqliteDatabase, SaysThatTheDiskIsFull) {
  // A file that may not grow answers SQLITE_FULL, as a full disk does.
  const auto database = *SqliteDatabase::Open(":memory:");
  ASSERT_TRUE(database->Execute("CREATE TABLE filler (x); PRAGMA max_page_count=2").ok());
  const absl::Status status = database->Execute("INSERT INTO filler VALUES (hex(randomblob(100000)))");
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_NE(status.message().find("disk is full"), std::string::npos) << status;
}

TEST_F(SqliteStoreTest, DropsAndCountsRecordsWhenTooManyWait) {
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

TEST_F(SqliteStoreTest, SaysWhatIsWrongWithAFileThatIsNoDatabase) {
  std::ofstream(file_) << "This is a text file, long enough that SQLite looks at its header and finds that it is none.";
  const auto store = Open();
  EXPECT_EQ(store.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(store.status().message().find(file_), std::string::npos);
}

TEST_F(SqliteStoreTest, SaysThatTheFolderMustExist) {
  file_ = folder_ / "missing" / "sluice.db";
  const auto store = Open();
  EXPECT_EQ(store.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(store.status().message().find("folder must exist"), std::string::npos);
}

TEST_F(SqliteStoreTest, BringsTheAccountsOfAnOlderFileAlong) {
  ASSERT_TRUE((*Open())->CreateAccount(AliceAccount()).ok());
  // As it was before accounts had redirections of their own.
  ASSERT_TRUE((*SqliteDatabase::Open(file_))
                  ->Execute("ALTER TABLE accounts DROP COLUMN follow_redirections; "
                            "ALTER TABLE call_records DROP COLUMN copy_error; PRAGMA user_version=2")
                  .ok());
  const auto store = Open();
  ASSERT_TRUE(store.ok()) << store.status();
  const auto account = (*store)->FindAccount("alice");
  ASSERT_NE(account, nullptr);
  EXPECT_EQ(account->display_name, "测试APP2");
  EXPECT_FALSE(account->follow_redirections.has_value());
}

TEST_F(SqliteStoreTest, RefusesAFileOfANewerSluice) {
  ASSERT_TRUE(Open().ok());
  ASSERT_TRUE((*SqliteDatabase::Open(file_))->Execute("PRAGMA user_version=1000").ok());
  EXPECT_EQ(Open().status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(SqliteStoreTest, ListsTheRecordsOfOneAccountWhetherItCalledOrWasCalled) {
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

TEST_F(SqliteStoreTest, DeletesRecordsThatAreOlderThanTheyAreToStay) {
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
  const absl::Time deadline = absl::Now() + kLimit;
  while (store->Statistics().records_expired < kOld && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_EQ(store->Statistics().records_expired, kOld);
  const auto left = *store->ListCallRecords({});
  ASSERT_EQ(left.items.size(), 1u);
  EXPECT_EQ(left.items[0].call_id, "young");
  // Their streams have gone with them.
  const auto database = *SqliteDatabase::Open(file_);
  auto count = *database->Prepare("SELECT COUNT(*) FROM call_record_streams");
  ASSERT_TRUE(*count.Step());
  EXPECT_EQ(count.Integer(0), 4);
}

TEST_F(SqliteStoreTest, SaysOnceThatOldRecordsCannotBeDeletedWhileNewOnesAreWritten) {
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
    const absl::Time deadline = absl::Now() + kLimit;
    while (store->Statistics().failed_writes < failed + 2 && absl::Now() < deadline) {
      absl::SleepFor(absl::Milliseconds(1));
    }
  }
  EXPECT_THAT(Reports(), ElementsAre(HasSubstr("store: cannot write, calls go on, trying again: ")));
  EXPECT_EQ(store->ListCallRecords({})->items.size(), 3u);
  ASSERT_TRUE(other->Execute("DROP TRIGGER keep").ok());
  const absl::Time deadline = absl::Now() + kLimit;
  while (store->Statistics().records_expired < 3 && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_THAT(Reports(), ElementsAre(HasSubstr("not now"), "store: writing works again"));
  EXPECT_EQ(store->Statistics().last_error, "");
}

TEST_F(SqliteStoreTest, KeepsOldRecordsThatCannotBeCopied) {
  const auto store = *OpenSqliteStore({.file = file_,
                                       .gather_interval = absl::Milliseconds(1),
                                       .keep_records = absl::Hours(24),
                                       .records_are_copied = true,
                                       .expiry_interval = absl::Milliseconds(1)});
  for (const char* id : {"first", "refused", "last"}) store->AppendCallRecord(AnsweredCall(id));
  ASSERT_TRUE(store->Flush(kLimit).ok());
  ASSERT_TRUE(store->MarkCopied(store->ReadUncopied(3)->position, {{"refused", "its name is no UTF-8"}}).ok());
  EXPECT_TRUE(store->ReadUncopied(3)->records.empty()) << "it is not tried again and again";
  const absl::Time deadline = absl::Now() + kLimit;
  while (store->Statistics().records_expired < 2 && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(1));
  const auto left = *store->ListCallRecords({});
  ASSERT_EQ(left.items.size(), 1u);
  EXPECT_EQ(left.items[0].call_id, "refused");
}

TEST_F(SqliteStoreTest, KeepsOldRecordsUntilTheyAreCopied) {
  const auto store = *OpenSqliteStore({.file = file_,
                                       .gather_interval = absl::Milliseconds(1),
                                       .keep_records = absl::Hours(24),
                                       .records_are_copied = true,
                                       .expiry_interval = absl::Milliseconds(1)});
  for (const char* id : {"copied", "waiting"}) store->AppendCallRecord(AnsweredCall(id));
  ASSERT_TRUE(store->Flush(kLimit).ok());
  EXPECT_EQ(store->Statistics().records_expired, 0u);
  ASSERT_TRUE(store->MarkCopied(store->ReadUncopied(1)->position, {}).ok());
  const absl::Time deadline = absl::Now() + kLimit;
  while (store->Statistics().records_expired == 0 && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(1));
  const auto left = *store->ListCallRecords({});
  ASSERT_EQ(left.items.size(), 1u);
  EXPECT_EQ(left.items[0].call_id, "waiting");
}

TEST_F(SqliteStoreTest, TellsUncopiedRecordsFromTheOldestOnUntilTheyAreMarkedAlsoAfterARestart) {
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
