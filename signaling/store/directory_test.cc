#include "signaling/store/directory.h"

#include <thread>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace sluice::store {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

void AddAccount(Directory& directory, const std::string& name) {
  directory.InsertAccount(std::make_shared<Account>(Account{.name = name}));
}

Binding BindingUntil(const std::string& contact, absl::Time expire_time) {
  return Binding{.contact = contact, .expire_time = expire_time};
}

TEST(Directory, FindsAnAccountByItsName) {
  Directory directory;
  AddAccount(directory, "alice");
  EXPECT_EQ(directory.FindAccount("alice")->name, "alice");
  EXPECT_EQ(directory.FindAccount("bob"), nullptr);
}

TEST(Directory, TakesNoSecondAccountOfTheSameName) {
  Directory directory;
  AddAccount(directory, "alice");
  EXPECT_FALSE(directory.InsertAccount(std::make_shared<Account>(Account{.name = "alice", .display_name = "other"})));
  EXPECT_EQ(directory.FindAccount("alice")->display_name, "");
  EXPECT_EQ(directory.account_count(), 1u);
}

TEST(Directory, ReplacesAnAccountAndLeavesItsBindings) {
  Directory directory;
  AddAccount(directory, "alice");
  const auto before = directory.FindAccount("alice");
  ASSERT_TRUE(directory.ReplaceBindings("alice", directory.FindBindings("alice"), {BindingUntil("sip:a@1", kNow)}));
  EXPECT_TRUE(directory.ReplaceAccount(std::make_shared<Account>(Account{.name = "alice", .display_name = "Alice"})));
  EXPECT_EQ(directory.FindAccount("alice")->display_name, "Alice");
  EXPECT_EQ(before->display_name, "") << "who holds the old one keeps it";
  EXPECT_EQ(directory.FindBindings("alice")->size(), 1u);
  EXPECT_EQ(directory.account_count(), 1u);
  EXPECT_FALSE(directory.ReplaceAccount(std::make_shared<Account>(Account{.name = "bob"})));
  EXPECT_EQ(directory.FindAccount("bob"), nullptr);
}

TEST(Directory, ListsAccountsByNameFromAPoint) {
  Directory directory;
  for (const char* name : {"3", "1", "4", "2"}) AddAccount(directory, name);
  const auto accounts = directory.AccountsAfter("1", 2);
  ASSERT_EQ(accounts.size(), 2u);
  EXPECT_EQ(accounts[0]->name, "2");
  EXPECT_EQ(accounts[1]->name, "3");
}

TEST(Directory, ReplacesBindingsOnlyWhenTheSeenOnesAreStillThere) {
  Directory directory;
  AddAccount(directory, "alice");
  const auto empty = directory.FindBindings("alice");
  EXPECT_TRUE(directory.ReplaceBindings("alice", empty, {BindingUntil("sip:a", kNow)}));
  EXPECT_FALSE(directory.ReplaceBindings("alice", empty, {BindingUntil("sip:b", kNow)}));
  EXPECT_EQ(directory.FindBindings("alice")->front().contact, "sip:a");
}

TEST(Directory, TakesNoBindingsForAnUnknownAccount) {
  Directory directory;
  EXPECT_FALSE(directory.ReplaceBindings("nobody", directory.FindBindings("nobody"), {BindingUntil("sip:a", kNow)}));
}

TEST(Directory, ForgetsTheBindingsOfADeletedAccount) {
  Directory directory;
  AddAccount(directory, "alice");
  directory.ReplaceBindings("alice", directory.FindBindings("alice"), {BindingUntil("sip:a", kNow)});
  EXPECT_TRUE(directory.EraseAccount("alice"));
  EXPECT_TRUE(directory.FindBindings("alice")->empty());
  EXPECT_EQ(directory.binding_count(), 0u);
}

TEST(Directory, ExpiresWhatIsPastItsTimeAndKeepsTheRest) {
  Directory directory;
  AddAccount(directory, "alice");
  AddAccount(directory, "bob");
  directory.ReplaceBindings("alice", directory.FindBindings("alice"),
                            {BindingUntil("sip:old", kNow), BindingUntil("sip:new", kNow + absl::Seconds(1))});
  directory.ReplaceBindings("bob", directory.FindBindings("bob"), {BindingUntil("sip:old", kNow)});
  std::vector<std::string> changed;
  for (size_t i = 0; i < Directory::kStripes; ++i) {
    for (std::string& name : directory.ExpireNextStripe(kNow)) changed.push_back(name);
  }
  EXPECT_EQ(changed.size(), 2u);
  ASSERT_EQ(directory.FindBindings("alice")->size(), 1u);
  EXPECT_EQ(directory.FindBindings("alice")->front().contact, "sip:new");
  EXPECT_TRUE(directory.FindBindings("bob")->empty());
  EXPECT_EQ(directory.binding_count(), 1u);
}

TEST(Directory, LosesNoUpdateWhenThreadsCompete) {
  Directory directory;
  AddAccount(directory, "alice");
  constexpr int kThreads = 4;
  constexpr int kUpdates = 50;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&directory, thread] {
      for (int update = 0; update < kUpdates; ++update) {
        while (true) {
          const auto seen = directory.FindBindings("alice");
          BindingSet next = *seen;
          next.push_back(BindingUntil(absl::StrCat("sip:", thread, "-", update), kNow));
          if (directory.ReplaceBindings("alice", seen, std::move(next))) break;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(directory.FindBindings("alice")->size(), size_t{kThreads * kUpdates});
  EXPECT_EQ(directory.binding_count(), uint64_t{kThreads * kUpdates});
}

}  // namespace
}  // namespace sluice::store
