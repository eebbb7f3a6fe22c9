#include "signaling/cluster/redis_cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "signaling/cluster/redis_connection.h"
#include "signaling/cluster/redis_server.h"
#include "signaling/store/sqlite_store.h"
#include "signaling/store/store.h"

namespace sluice::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

// What is waited for comes much sooner.
constexpr absl::Duration kLimit = absl::Seconds(20);

template <typename Ready>
bool Comes(Ready&& ready) {
  const absl::Time deadline = absl::Now() + kLimit;
  while (!ready()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(2));
  }
  return true;
}

class Hearer : public Listener {
 public:
  void OnTakeover(const GoneRun& gone, std::vector<store::StandingCall> calls) override {
    absl::MutexLock lock(&mutex_);
    gone_.push_back(gone);
    for (store::StandingCall& call : calls) calls_[call.call_id] = call.state;
  }
  void OnOusted(const std::string& successor) override {
    absl::MutexLock lock(&mutex_);
    successors_.push_back(successor);
  }

  std::vector<GoneRun> gone() const {
    absl::MutexLock lock(&mutex_);
    return gone_;
  }
  std::map<std::string, std::string> calls() const {
    absl::MutexLock lock(&mutex_);
    return calls_;
  }
  std::vector<std::string> successors() const {
    absl::MutexLock lock(&mutex_);
    return successors_;
  }
  bool HasTakenOver() const { return !gone().empty(); }

 private:
  mutable absl::Mutex mutex_;
  std::vector<GoneRun> gone_;
  std::map<std::string, std::string> calls_;
  std::vector<std::string> successors_;
};

// One controller, as the cluster sees it.
struct Controller {
  std::unique_ptr<RedisCluster> cluster;
  std::unique_ptr<store::Store> store;
  Hearer hearer;

  ~Controller() {
    cluster->SetListener(nullptr);
    cluster->Stop();
  }

  std::vector<std::string> Contacts(absl::string_view account) const {
    std::vector<std::string> contacts;
    for (const store::Binding& binding : *store->FindBindings(account)) contacts.push_back(binding.contact);
    return contacts;
  }
  // A phone that adds itself to those that are there, or one that takes itself away.
  void Register(absl::string_view account, const std::string& contact) {
    const store::Binding binding{.contact = contact,
                                 .call_id = "id of " + contact,
                                 .expire_time = absl::Now() + absl::Hours(1),
                                 .transport = "udp",
                                 .source = "198.18.2.9:43518",
                                 .local = "198.18.1.1:5060"};
    while (true) {
      const auto seen = store->FindBindings(account);
      store::BindingSet next = *seen;
      next.push_back(binding);
      if (store->ReplaceBindings(account, seen, std::move(next))) return;
    }
  }
  void Unregister(absl::string_view account) {
    EXPECT_TRUE(store->ReplaceBindings(account, store->FindBindings(account), {}));
  }
};

class RedisClusterTest : public testing::Test {
 protected:
  RedisClusterTest()
      : folder_(absl::StrCat(testing::TempDir(), "/", testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~RedisClusterTest() override { std::filesystem::remove_all(folder_); }

  RedisClusterOptions Options(int number) {
    return {.redis = server_.options(),
            .name = absl::StrCat("controller-", number),
            .home = absl::StrCat("home-", number),
            .whereabouts = {sip::Protocol::kUdp, *sip::Endpoint::Parse(absl::StrCat("198.18.1.", number, ":5060"))},
            .lease = absl::Seconds(1),
            .beat = absl::Milliseconds(20),
            .return_time = absl::Milliseconds(200),
            .gather = absl::Milliseconds(2),
            .retry = absl::Milliseconds(5),
            .report = [this](absl::string_view line) { Report(line); }};
  }

  std::unique_ptr<Controller> Start(RedisClusterOptions options, bool listens = true) {
    auto controller = std::make_unique<Controller>();
    const std::string file = absl::StrCat(folder_, "/", options.name, ".db");
    controller->cluster = std::make_unique<RedisCluster>(std::move(options));
    controller->store = *store::OpenSqliteStore({.file = file, .shared = controller->cluster.get()});
    // There are some of before a restart.
    for (const char* account : {"2000", "2001"}) controller->store->CreateAccount({.name = account}).IgnoreError();
    EXPECT_EQ(controller->cluster->Start(*controller->store), absl::OkStatus());
    if (listens) controller->cluster->SetListener(&controller->hearer);
    return controller;
  }
  std::unique_ptr<Controller> Start(int number) { return Start(Options(number)); }

  absl::Status TryToStart(RedisClusterOptions options) {
    const auto store = *store::OpenSqliteStore({.file = ":memory:"});
    return RedisCluster(std::move(options)).Start(*store);
  }

  static bool Writes(const Controller& controller) {
    return Comes([&] { return controller.cluster->StateStatistics().standing_calls_waiting == 0; });
  }
  std::vector<std::string> CallsOf(RunNumber run) {
    return server_.Ask({"HGETALL", absl::StrCat("sluice:calls:", run)});
  }

  void Report(absl::string_view line) {
    absl::MutexLock lock(&mutex_);
    reports_.emplace_back(line);
  }
  std::string Reports() const {
    absl::MutexLock lock(&mutex_);
    std::string text;
    for (const std::string& line : reports_) absl::StrAppend(&text, line, "\n");
    return text;
  }

  mutable absl::Mutex mutex_;
  std::vector<std::string> reports_;
  const std::string folder_;
  RedisServer server_;
};

TEST_F(RedisClusterTest, GivesEachStartAnotherNumber) {
  const auto first = Start(1);
  const auto second = Start(2);
  EXPECT_NE(first->cluster->run(), 0);
  EXPECT_NE(second->cluster->run(), 0);
  EXPECT_NE(first->cluster->run(), second->cluster->run());
}

TEST_F(RedisClusterTest, SkipsNumbersThatAreInUseAndZero) {
  const auto first = Start(1);
  server_.Ask({"SET", "sluice:next_run", "65534"});
  const auto second = Start(2);
  EXPECT_EQ(second->cluster->run(), 65535);
  server_.Ask({"SET", "sluice:next_run", absl::StrCat(first->cluster->run() - 1)});
  const auto third = Start(3);
  EXPECT_EQ(third->cluster->run(), first->cluster->run() % 65535 + 1);
  server_.Ask({"SET", "sluice:next_run", "65535"});
  const auto fourth = Start(4);
  EXPECT_EQ(fourth->cluster->run(), 1);
}

TEST_F(RedisClusterTest, KnowsWhereOthersAre) {
  const auto first = Start(1);
  const auto second = Start(2);
  const RunNumber other = second->cluster->run();
  ASSERT_TRUE(Comes([&] { return first->cluster->Find(other).has_value(); }));
  EXPECT_EQ(ToText(*first->cluster->Find(other)), "udp:198.18.1.2:5060");
  EXPECT_FALSE(first->cluster->Find(first->cluster->run()).has_value());
  EXPECT_FALSE(first->cluster->Find(other + 7).has_value());
  EXPECT_TRUE(first->cluster->Knows(other));
  EXPECT_FALSE(first->cluster->Knows(other + 7));
  EXPECT_TRUE(first->cluster->IsMember(*sip::Endpoint::Parse("198.18.1.2:12345")));
  EXPECT_FALSE(first->cluster->IsMember(*sip::Endpoint::Parse("198.18.1.1:5060")));
  EXPECT_FALSE(first->cluster->IsMember(*sip::Endpoint::Parse("198.18.1.3:5060")));
  EXPECT_EQ(first->cluster->Statistics().controllers, 2u);
}

TEST_F(RedisClusterTest, KeepsTheLatestStateOfCallsAndForgetsThem) {
  const auto controller = Start(1);
  controller->cluster->KeepCall("a", "1");
  controller->cluster->KeepCall("b", std::string("\0\r\n", 3));
  ASSERT_TRUE(Writes(*controller));
  controller->cluster->KeepCall("a", "2");
  controller->cluster->ForgetCall("b");
  ASSERT_TRUE(Writes(*controller));
  EXPECT_THAT(CallsOf(controller->cluster->run()), ElementsAre("a", "2"));
  EXPECT_EQ(controller->cluster->StateStatistics().standing_calls, 1u);
}

TEST_F(RedisClusterTest, WritesManyCalls) {
  const auto controller = Start(1);
  for (int call = 0; call < 3000; ++call) controller->cluster->KeepCall(absl::StrCat(call), std::string(1000, 'x'));
  ASSERT_TRUE(Writes(*controller));
  const std::string key = absl::StrCat("sluice:calls:", controller->cluster->run());
  EXPECT_EQ(server_.Ask({"HLEN", key}), std::vector<std::string>{"3000"});
  const auto survivor = Start(2);
  controller->cluster->Leave(kLimit);
  ASSERT_TRUE(Comes([&] { return survivor->hearer.HasTakenOver(); }));
  EXPECT_EQ(survivor->hearer.calls().size(), 3000u);
}

TEST_F(RedisClusterTest, TakesOverTheCallsOfOneThatIsGone) {
  auto first = Start(1);
  const RunNumber gone = first->cluster->run();
  const uint64_t epoch = first->store->Epoch();
  const auto second = Start(2);
  first->cluster->KeepCall("a", "1");
  first->cluster->KeepCall("b", "2");
  ASSERT_TRUE(Writes(*first));
  first.reset();
  ASSERT_TRUE(Comes([&] { return second->hearer.HasTakenOver(); }));
  EXPECT_EQ(second->hearer.gone()[0].number, gone);
  EXPECT_EQ(second->hearer.gone()[0].name, "controller-1");
  EXPECT_EQ(second->hearer.gone()[0].epoch, epoch);
  EXPECT_THAT(second->hearer.calls(), UnorderedElementsAre(Pair("a", "1"), Pair("b", "2")));
  EXPECT_THAT(Reports(), HasSubstr("cluster: takes over 2 calls of controller-1, which is gone"));
  // They are kept in its name until something happens to them.
  EXPECT_EQ(CallsOf(gone).size(), 4u);
  second->cluster->KeepCall("a", "3");
  second->cluster->ForgetCall("b");
  ASSERT_TRUE(Writes(*second));
  EXPECT_THAT(CallsOf(second->cluster->run()), ElementsAre("a", "3"));
  EXPECT_EQ(server_.Ask({"EXISTS", absl::StrCat("sluice:calls:", gone)}), std::vector<std::string>{"0"});
  EXPECT_EQ(second->cluster->Statistics().calls_taken_over, 2u);
}

TEST_F(RedisClusterTest, LetsOneTakeOverAndTellsTheOthersWho) {
  auto first = Start(1);
  const RunNumber gone = first->cluster->run();
  const auto second = Start(2);
  const auto third = Start(3);
  first->cluster->KeepCall("a", "1");
  ASSERT_TRUE(Writes(*first));
  first.reset();
  ASSERT_TRUE(Comes([&] { return second->hearer.HasTakenOver() || third->hearer.HasTakenOver(); }));
  const bool by_second = second->hearer.HasTakenOver();
  const Controller& taker = by_second ? *second : *third;
  const Controller& other = by_second ? *third : *second;
  const std::string address = by_second ? "udp:198.18.1.2:5060" : "udp:198.18.1.3:5060";
  ASSERT_TRUE(Comes([&] {
    const auto place = other.cluster->Find(gone);
    return place.has_value() && ToText(*place) == address;
  }));
  EXPECT_FALSE(taker.cluster->Find(gone).has_value());
  EXPECT_FALSE(other.hearer.HasTakenOver());
}

TEST_F(RedisClusterTest, HandsOverAtOnceWhenOneLeaves) {
  RedisClusterOptions options = Options(1);
  options.lease = absl::Hours(1);
  const auto first = Start(options);
  options = Options(2);
  options.lease = absl::Hours(1);
  const auto second = Start(options);
  first->cluster->KeepCall("a", "1");
  // What waits is written before.
  ASSERT_TRUE(first->cluster->Leave(kLimit));
  ASSERT_TRUE(Comes([&] { return second->hearer.HasTakenOver(); }));
  EXPECT_THAT(second->hearer.calls(), ElementsAre(Pair("a", "1")));
  EXPECT_THAT(first->hearer.successors(), IsEmpty());
}

TEST_F(RedisClusterTest, FindsItsOwnCallsAfterARestart) {
  RedisClusterOptions options = Options(1);
  options.lease = absl::Hours(1);
  auto controller = Start(options);
  const RunNumber before = controller->cluster->run();
  controller->cluster->KeepCall("a", "1");
  ASSERT_TRUE(Writes(*controller));
  // The lease of the one that died lasts, but nobody else can be at home there.
  controller.reset();
  controller = Start(options);
  ASSERT_TRUE(Comes([&] { return controller->hearer.HasTakenOver(); }));
  EXPECT_THAT(controller->hearer.calls(), ElementsAre(Pair("a", "1")));
  EXPECT_EQ(controller->hearer.gone()[0].number, before);
}

TEST_F(RedisClusterTest, GoesOnWithNoCallThatHasARecord) {
  auto controller = Start(1);
  const RunNumber before = controller->cluster->run();
  controller->store->KeepCall("a", "1");
  controller->store->KeepCall("b", "2");
  ASSERT_TRUE(Writes(*controller));
  // As if it were killed between the two.
  controller->store->AppendCallRecord({.call_id = "a", .start_time = absl::Now(), .end_time = absl::Now()});
  controller.reset();
  controller = Start(1);
  ASSERT_TRUE(Comes([&] { return controller->hearer.HasTakenOver(); }));
  EXPECT_THAT(controller->hearer.calls(), ElementsAre(Pair("b", "2")));
  ASSERT_TRUE(Writes(*controller));
  EXPECT_THAT(CallsOf(before), ElementsAre("b", "2"));
}

TEST_F(RedisClusterTest, PassesOnWhatItHadTakenOver) {
  auto first = Start(1);
  auto second = Start(2);
  first->cluster->KeepCall("a", "1");
  ASSERT_TRUE(Writes(*first));
  first.reset();
  ASSERT_TRUE(Comes([&] { return second->hearer.HasTakenOver(); }));
  const auto third = Start(3);
  second->cluster->KeepCall("b", "2");
  ASSERT_TRUE(Writes(*second));
  second.reset();
  ASSERT_TRUE(Comes([&] { return third->hearer.calls().size() == 2; }));
  ASSERT_EQ(third->hearer.gone().size(), 2u);
  // What it kept itself is newer.
  EXPECT_EQ(third->hearer.gone()[0].name, "controller-2");
  EXPECT_EQ(third->hearer.gone()[1].name, "controller-1");
}

TEST_F(RedisClusterTest, RefusesASecondOneOfTheSameNameElsewhere) {
  const auto first = Start(1);
  RedisClusterOptions options = Options(1);
  options.home = "elsewhere";
  const absl::Status status = TryToStart(options);
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("another controller of the name 'controller-1' runs on host"));
  EXPECT_THAT(first->hearer.successors(), IsEmpty());
}

TEST_F(RedisClusterTest, WaitsUntilItsNameIsFreeElsewhere) {
  auto first = Start(1);
  first->cluster->KeepCall("a", "1");
  ASSERT_TRUE(Writes(*first));
  first.reset();
  RedisClusterOptions options = Options(1);
  options.home = "elsewhere";
  const auto second = Start(options);
  ASSERT_TRUE(Comes([&] { return second->hearer.HasTakenOver(); }));
  EXPECT_THAT(second->hearer.calls(), ElementsAre(Pair("a", "1")));
}

TEST_F(RedisClusterTest, TellsOneThatWasTakenOverAndTakesNothingMoreFromIt) {
  RedisClusterOptions options = Options(1);
  // As if it did not come to it.
  options.beat = absl::Hours(1);
  const auto paused = Start(options);
  paused->cluster->KeepCall("a", "1");
  ASSERT_TRUE(Writes(*paused));
  const auto second = Start(2);
  ASSERT_TRUE(Comes([&] { return second->hearer.HasTakenOver(); }));
  EXPECT_THAT(paused->hearer.successors(), IsEmpty());
  paused->cluster->KeepCall("a", "late");
  paused->cluster->KeepCall("b", "late");
  ASSERT_TRUE(Comes([&] { return !paused->hearer.successors().empty(); }));
  EXPECT_THAT(paused->hearer.successors(), ElementsAre("controller-2"));
  EXPECT_THAT(CallsOf(paused->cluster->run()), ElementsAre("a", "1"));
  EXPECT_FALSE(paused->cluster->Leave(absl::Milliseconds(50)));
}

TEST_F(RedisClusterTest, WritesAllOnceMoreWhenRedisComesBackEmpty) {
  const auto first = Start(1);
  auto second = Start(2);
  const RunNumber run = first->cluster->run();
  const RunNumber other = second->cluster->run();
  first->cluster->KeepCall("a", "1");
  first->cluster->KeepCall("b", "1");
  second->cluster->KeepCall("c", "1");
  ASSERT_TRUE(Writes(*first));
  ASSERT_TRUE(Writes(*second));
  server_.Kill();
  ASSERT_TRUE(Comes([&] { return !first->cluster->Statistics().is_connected; }));
  first->cluster->KeepCall("a", "2");
  first->cluster->ForgetCall("b");
  server_.Start();
  ASSERT_TRUE(Comes([&] { return CallsOf(run).size() == 2 && CallsOf(other).size() == 2; }));
  EXPECT_THAT(CallsOf(run), ElementsAre("a", "2"));
  EXPECT_EQ(first->cluster->run(), run);
  EXPECT_THAT(Reports(), HasSubstr("calls go on"));
  EXPECT_THAT(Reports(), HasSubstr("cluster: all is well again"));
  EXPECT_FALSE(first->hearer.HasTakenOver());
  EXPECT_FALSE(second->hearer.HasTakenOver());
  second.reset();
  ASSERT_TRUE(Comes([&] { return first->hearer.HasTakenOver(); }));
  EXPECT_THAT(first->hearer.calls(), ElementsAre(Pair("c", "1")));
}

TEST_F(RedisClusterTest, StillOwnsWhatItTookWhenRedisComesBackEmpty) {
  auto first = Start(1);
  const RunNumber gone = first->cluster->run();
  first->cluster->KeepCall("a", "1");
  ASSERT_TRUE(Writes(*first));
  const auto second = Start(2);
  const auto third = Start(3);
  first.reset();
  ASSERT_TRUE(Comes([&] { return second->hearer.HasTakenOver() || third->hearer.HasTakenOver(); }));
  const Controller& taker = second->hearer.HasTakenOver() ? *second : *third;
  const Controller& other = second->hearer.HasTakenOver() ? *third : *second;
  server_.Kill();
  server_.Start();
  ASSERT_TRUE(Comes([&] { return CallsOf(taker.cluster->run()).size() == 2; }));
  ASSERT_TRUE(Comes([&] { return other.cluster->Find(gone).has_value(); }));
  EXPECT_EQ(taker.hearer.gone().size(), 1u);
}

TEST_F(RedisClusterTest, TakesNobodyForGoneBecauseRedisWasAway) {
  RedisClusterOptions options = Options(1);
  // They wait for it, or make new connections.
  options.redis.limit = absl::Seconds(5);
  const auto first = Start(options);
  const auto second = Start(2);
  // Longer than the lease.
  server_.Pause();
  absl::SleepFor(absl::Milliseconds(1300));
  server_.Resume();
  ASSERT_TRUE(
      Comes([&] { return first->cluster->Statistics().is_connected && second->cluster->Statistics().is_connected; }));
  // Until the moment from which on they take over those that are silent.
  absl::SleepFor(absl::Milliseconds(1500));
  EXPECT_FALSE(first->hearer.HasTakenOver());
  EXPECT_FALSE(second->hearer.HasTakenOver());
  EXPECT_THAT(first->hearer.successors(), IsEmpty());
  EXPECT_THAT(second->hearer.successors(), IsEmpty());
}

TEST_F(RedisClusterTest, DropsWhatRedisShouldNotHave) {
  const auto controller = Start(1);
  const RunNumber run = controller->cluster->run();
  controller->cluster->KeepCall("a", "1");
  ASSERT_TRUE(Writes(*controller));
  // As after a restore of an older copy.
  server_.Ask({"HSET", absl::StrCat("sluice:calls:", run), "ended", "1", "a", "old"});
  server_.Ask({"CLIENT", "KILL", "TYPE", "normal"});
  ASSERT_TRUE(Comes([&] { return CallsOf(run) == std::vector<std::string>({"a", "1"}); }));
}

TEST_F(RedisClusterTest, StartsWithoutRedisAndJoinsLater) {
  server_.Kill();
  const auto controller = Start(1);
  EXPECT_EQ(controller->cluster->run(), 0);
  controller->cluster->KeepCall("a", "1");
  server_.Start();
  ASSERT_TRUE(Comes([&] { return controller->cluster->run() != 0; }));
  ASSERT_TRUE(Writes(*controller));
  EXPECT_THAT(CallsOf(controller->cluster->run()), ElementsAre("a", "1"));
}

TEST_F(RedisClusterTest, RefusesToStartWhereRedisRefusesIt) {
  const RedisServer locked({"--requirepass", "secret"});
  RedisClusterOptions options = Options(1);
  options.redis.address = locked.options().address;
  const absl::Status status = TryToStart(options);
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("NOAUTH"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("see cluster.username and cluster.password_file"));
}

TEST_F(RedisClusterTest, TellsTheListenerOfBeforeFirst) {
  RedisClusterOptions options = Options(1);
  auto controller = Start(options);
  controller->cluster->KeepCall("a", "1");
  ASSERT_TRUE(Writes(*controller));
  controller.reset();
  controller = Start(options, /*listens=*/false);
  absl::SleepFor(absl::Milliseconds(100));
  controller->cluster->SetListener(&controller->hearer);
  ASSERT_TRUE(Comes([&] { return controller->hearer.HasTakenOver(); }));
}

TEST_F(RedisClusterTest, SaysThatNumbersOfShardsDiffer) {
  const auto first = Start(1);
  RedisClusterOptions options = Options(2);
  options.shards = 4;
  const auto second = Start(options);
  ASSERT_TRUE(Comes([&] { return Reports().find("controller-1 has sip.shards 1") != std::string::npos; }));
}

TEST_F(RedisClusterTest, TellsOthersWhoHasRegistered) {
  const auto first = Start(1);
  const auto second = Start(2);
  first->Register("2000", "sip:a@198.18.2.1");
  ASSERT_TRUE(Comes([&] { return second->Contacts("2000").size() == 1; }));
  EXPECT_THAT(second->Contacts("2000"), ElementsAre("sip:a@198.18.2.1"));
  second->Register("2000", "sip:b@198.18.2.2");
  ASSERT_TRUE(Comes([&] { return first->Contacts("2000").size() == 2; }));
  first->Unregister("2000");
  ASSERT_TRUE(Comes([&] { return second->Contacts("2000").empty(); }));
  EXPECT_THAT(second->Contacts("2001"), IsEmpty());
}

TEST_F(RedisClusterTest, LosesNoPhoneOfAnAccountThatRegistersInTwoPlacesAtOnce) {
  const auto first = Start(1);
  const auto second = Start(2);
  for (int phone = 0; phone < 20; ++phone) {
    first->Register("2000", absl::StrCat("sip:a", phone, "@198.18.2.1"));
    second->Register("2000", absl::StrCat("sip:b", phone, "@198.18.2.2"));
    const size_t all = 2 * (phone + 1);
    ASSERT_TRUE(Comes([&] { return first->Contacts("2000").size() == all && second->Contacts("2000").size() == all; }))
        << phone;
  }
}

TEST_F(RedisClusterTest, FindsTheBindingsOfTheOthersAtAStart) {
  const auto first = Start(1);
  first->Register("2000", "sip:a@198.18.2.1");
  auto second = Start(2);
  ASSERT_TRUE(Comes([&] { return second->Contacts("2000").size() == 1; }));
  second.reset();
  first->Unregister("2000");
  first->Register("2001", "sip:b@198.18.2.2");
  ASSERT_TRUE(Comes([&] { return first->cluster->Statistics().bindings_waiting == 0; }));
  // Its file still has the one that is gone.
  second = Start(2);
  ASSERT_TRUE(Comes([&] { return second->Contacts("2001").size() == 1; }));
  EXPECT_THAT(second->Contacts("2000"), IsEmpty());
}

TEST_F(RedisClusterTest, BringsItsOwnBindingsIntoTheCluster) {
  {
    const auto before = *store::OpenSqliteStore({.file = folder_ + "/controller-1.db"});
    ASSERT_TRUE(before->CreateAccount({.name = "2000"}).ok());
    const store::Binding binding{.contact = "sip:a@198.18.2.1",
                                 .call_id = "id",
                                 .expire_time = absl::Now() + absl::Hours(1),
                                 .transport = "udp",
                                 .source = "198.18.2.1:5060"};
    ASSERT_TRUE(before->ReplaceBindings("2000", before->FindBindings("2000"), {binding}));
  }
  const auto first = Start(1);
  const auto second = Start(2);
  ASSERT_TRUE(Comes([&] { return second->Contacts("2000").size() == 1; }));
}

TEST_F(RedisClusterTest, BringsTogetherWhatHasChangedWhileRedisWasAway) {
  const auto first = Start(1);
  const auto second = Start(2);
  first->Register("2000", "sip:a@198.18.2.1");
  ASSERT_TRUE(Comes([&] { return second->Contacts("2000").size() == 1; }));
  server_.Kill();
  first->Register("2001", "sip:b@198.18.2.2");
  second->Register("2000", "sip:c@198.18.2.3");
  server_.Start();
  for (const Controller* controller : {first.get(), second.get()}) {
    ASSERT_TRUE(Comes([&] { return controller->Contacts("2000").size() == 2; }));
    ASSERT_TRUE(Comes([&] { return controller->Contacts("2001").size() == 1; }));
  }
}

TEST_F(RedisClusterTest, KeepsBindingsInRedisNoLongerThanTheyLast) {
  const auto controller = Start(1);
  controller->Register("2000", "sip:a@198.18.2.1");
  ASSERT_TRUE(Comes([&] { return server_.Ask({"EXISTS", "sluice:bindings:2000"})[0] == "1"; }));
  const int64_t left = std::stoll(server_.Ask({"PTTL", "sluice:bindings:2000"})[0]);
  EXPECT_GT(left, 3'500'000);
  EXPECT_LE(left, 3'600'000);
}

TEST_F(RedisClusterTest, ExchangesBindingsOfManyAccounts) {
  const auto first = Start(1);
  const auto second = Start(2);
  constexpr int kAccounts = 1000;
  for (int account = 0; account < kAccounts; ++account) {
    for (const auto& controller : {first.get(), second.get()}) {
      ASSERT_TRUE(controller->store->CreateAccount({.name = absl::StrCat("a", account)}).ok());
    }
  }
  for (int account = 0; account < kAccounts; ++account) {
    first->Register(absl::StrCat("a", account), "sip:a@198.18.2.1");
  }
  ASSERT_TRUE(Comes([&] { return second->store->Statistics().bindings == kAccounts; }));
}

TEST_F(RedisClusterTest, OutlivesDamagedBindings) {
  const auto controller = Start(1);
  controller->Register("2000", "sip:a@198.18.2.1");
  ASSERT_TRUE(Comes([&] { return controller->cluster->Statistics().bindings_waiting == 0; }));
  server_.Ask({"SET", "sluice:bindings:2000", std::string(5000, '\xff')});
  server_.Ask({"SET", "sluice:bindings:nobody", "text"});
  server_.Ask({"ZADD", "sluice:binding_changes", "100", "2000", "101", "nobody", "102", ""});
  server_.Ask({"SET", "sluice:binding_version", "102"});
  controller->Register("2001", "sip:b@198.18.2.2");
  ASSERT_TRUE(Comes([&] { return server_.Ask({"EXISTS", "sluice:bindings:2001"})[0] == "1"; }));
  EXPECT_THAT(controller->Contacts("2000"), ElementsAre("sip:a@198.18.2.1"));
}

TEST_F(RedisClusterTest, TellsHomesApartByTheirFiles) {
  for (const char* name : {"/a.db", "/b.db"}) std::ofstream(folder_ + name) << "text";
  EXPECT_NE(HomeOf(folder_ + "/a.db"), HomeOf(folder_ + "/b.db"));
  EXPECT_NE(HomeOf(folder_ + "/nowhere.db"), HomeOf(folder_ + "/nowhere.db"));
  std::string machine;
  std::ifstream("/etc/machine-id") >> machine;
  EXPECT_EQ(HomeOf(folder_ + "/a.db") == HomeOf(folder_ + "/a.db"), !machine.empty());
}

// Whatever somebody writes into our keys, no controller dies of it.
TEST_F(RedisClusterTest, OutlivesDamagedState) {
  auto first = Start(1);
  const RunNumber gone = first->cluster->run();
  const auto second = Start(2);
  first->cluster->KeepCall("a", "1");
  ASSERT_TRUE(Writes(*first));
  server_.Ask({"SADD", "sluice:runs", "0", "-1", "70000", "word", "", "30000", "30001"});
  server_.Ask(
      {"HSET", "sluice:run:30000", "owner", "word", "epoch", "-5", "address", "udp:nowhere:0", "taken", "soon"});
  server_.Ask(
      {"HSET", "sluice:run:30001", "owner", "30001", "epoch", "99999999999999999999", "address", "tls:1.2.3.4:5"});
  server_.Ask({"HSET", absl::StrCat("sluice:calls:", gone), "", "nameless", "large", std::string(20 << 20, 'x')});
  server_.Ask({"SET", "sluice:calls:30001", "not a hash"});
  first.reset();
  ASSERT_TRUE(Comes([&] { return second->hearer.calls().size() == 2; }));
  EXPECT_EQ(second->hearer.calls().at("a"), "1");
  EXPECT_EQ(second->hearer.calls().at("large").size(), 20u << 20);
  ASSERT_TRUE(Comes([&] { return Reports().find("calls of run 30001 are lost") != std::string::npos; }));
  const auto third = Start(3);
  EXPECT_NE(third->cluster->run(), 0);
}

TEST_F(RedisClusterTest, OutlivesKeysOfAWrongKind) {
  const auto controller = Start(1);
  server_.Ask({"DEL", "sluice:runs"});
  server_.Ask({"SET", "sluice:runs", "not a set"});
  ASSERT_TRUE(Comes([&] { return Reports().find("WRONGTYPE") != std::string::npos; }));
  server_.Ask({"DEL", "sluice:runs"});
  controller->cluster->KeepCall("a", "1");
  EXPECT_TRUE(Writes(*controller));
}

TEST_F(RedisClusterTest, EndsAtOnceAlsoWhileRedisIsSilent) {
  RedisClusterOptions options = Options(1);
  options.redis.limit = absl::Hours(1);
  auto controller = Start(options);
  server_.Pause();
  absl::SleepFor(absl::Milliseconds(50));
  // Does not come back before that is over.
  controller.reset();
  server_.Resume();
}

}  // namespace
}  // namespace sluice::cluster
