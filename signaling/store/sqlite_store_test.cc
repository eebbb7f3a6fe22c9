#include "signaling/store/sqlite_store.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "signaling/store/sqlite_database.h"
#include "signaling/store/sqlite_store_test_bed.h"

namespace sluice::store {
namespace {

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

class SqliteStoreTest : public SqliteStoreTestBed {};

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
  ASSERT_TRUE(
      (*SqliteDatabase::Open(file_))
          ->Execute("ALTER TABLE accounts DROP COLUMN follow_redirections; "
                    "ALTER TABLE call_records DROP COLUMN copy_error; DROP TABLE standing_calls; DROP TABLE epochs; "
                    "DROP TABLE call_record_legs; PRAGMA user_version=2")
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

}  // namespace
}  // namespace sluice::store
