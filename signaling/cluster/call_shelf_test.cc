#include "signaling/cluster/call_shelf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr size_t kAll = 1 << 30;
constexpr RunNumber kGone = 7;

std::vector<std::string> Texts(const CallShelf::Batch& batch) {
  std::vector<std::string> texts;
  for (const CallShelf::Kept& call : batch.kept) {
    texts.push_back(call.call_id + "=" + *call.state + (call.origin == 0 ? "" : " of " + std::to_string(call.origin)));
  }
  for (const CallShelf::Ended& call : batch.ended) {
    texts.push_back("-" + call.call_id + (call.origin == 0 ? "" : " of " + std::to_string(call.origin)));
  }
  return texts;
}

class CallShelfTest : public testing::Test {
 protected:
  CallShelf::Batch Write() {
    const CallShelf::Batch batch = shelf_.Take(kAll, kAll);
    shelf_.Done(batch);
    return batch;
  }

  CallShelf shelf_;
};

TEST_F(CallShelfTest, GivesOnlyTheLatestState) {
  shelf_.Keep("a", "1");
  shelf_.Keep("a", "2");
  EXPECT_EQ(shelf_.waiting(), 1u);
  EXPECT_THAT(Texts(Write()), ElementsAre("a=2"));
  EXPECT_EQ(shelf_.waiting(), 0u);
  EXPECT_EQ(shelf_.written(), 1u);
}

TEST_F(CallShelfTest, WritesNothingOfACallThatWasNeverWritten) {
  shelf_.Keep("a", "1");
  shelf_.Forget("a");
  EXPECT_THAT(Texts(Write()), IsEmpty());
}

TEST_F(CallShelfTest, EndsWhatIsWritten) {
  shelf_.Keep("a", "1");
  Write();
  shelf_.Forget("a");
  EXPECT_EQ(shelf_.written(), 0u);
  EXPECT_THAT(Texts(Write()), ElementsAre("-a"));
}

TEST_F(CallShelfTest, EndsWhatEndedWhileItWasUnderWay) {
  shelf_.Keep("a", "1");
  const CallShelf::Batch batch = shelf_.Take(kAll, kAll);
  shelf_.Forget("a");
  shelf_.Done(batch);
  EXPECT_THAT(Texts(Write()), ElementsAre("-a"));
  EXPECT_EQ(shelf_.written(), 0u);
}

TEST_F(CallShelfTest, KeepsWhatChangedWhileItWasUnderWay) {
  shelf_.Keep("a", "1");
  const CallShelf::Batch batch = shelf_.Take(kAll, kAll);
  shelf_.Keep("a", "2");
  shelf_.Done(batch);
  EXPECT_THAT(Texts(Write()), ElementsAre("a=2"));
}

TEST_F(CallShelfTest, TakesBackWhatCouldNotBeWritten) {
  shelf_.Keep("gone", "1");
  Write();
  shelf_.Forget("gone");
  shelf_.Keep("a", "1");
  shelf_.Keep("b", "1");
  const CallShelf::Batch batch = shelf_.Take(kAll, kAll);
  shelf_.Keep("a", "2");
  shelf_.Forget("b");
  shelf_.PutBack(batch);
  // Perhaps it was written all the same, and only the answer was lost.
  EXPECT_THAT(Texts(Write()), UnorderedElementsAre("a=2", "-b", "-gone"));
}

TEST_F(CallShelfTest, MovesACallOfAnotherRunWithItsNextState) {
  EXPECT_TRUE(shelf_.Adopt(kGone, {"a", "1"}));
  EXPECT_EQ(shelf_.written(), 1u);
  EXPECT_THAT(Texts(Write()), IsEmpty());
  shelf_.Keep("a", "2");
  EXPECT_THAT(Texts(Write()), ElementsAre("a=2 of 7"));
  shelf_.Keep("a", "3");
  EXPECT_THAT(Texts(Write()), ElementsAre("a=3"));
  EXPECT_EQ(shelf_.written(), 1u);
}

TEST_F(CallShelfTest, EndsACallOfAnotherRunWhereItIsKept) {
  shelf_.Adopt(kGone, {"a", "1"});
  shelf_.Forget("a");
  EXPECT_THAT(Texts(Write()), ElementsAre("-a of 7"));
}

TEST_F(CallShelfTest, PrefersItsOwnStateOfACall) {
  shelf_.Keep("a", "new");
  EXPECT_FALSE(shelf_.Adopt(kGone, {"a", "old"}));
  EXPECT_THAT(Texts(Write()), ElementsAre("a=new"));
}

TEST_F(CallShelfTest, WritesAllAgain) {
  shelf_.Keep("a", "1");
  Write();
  shelf_.Adopt(kGone, {"b", "2"});
  shelf_.WriteAllAgain();
  EXPECT_EQ(shelf_.waiting(), 2u);
  EXPECT_THAT(Texts(Write()), UnorderedElementsAre("a=1", "b=2 of 7"));
  EXPECT_EQ(shelf_.written(), 2u);
}

TEST_F(CallShelfTest, GivesNoMoreThanItIsAskedFor) {
  for (const char* call : {"a", "b", "c", "d"}) shelf_.Keep(call, "123456789");
  CallShelf::Batch batch = shelf_.Take(15, 1);
  EXPECT_EQ(batch.kept.size(), 2u);
  shelf_.Done(batch);
  Write();
  for (const char* call : {"a", "b", "c", "d"}) shelf_.Forget(call);
  batch = shelf_.Take(kAll, 3);
  EXPECT_EQ(batch.ended.size(), 3u);
}

TEST_F(CallShelfTest, KnowsWhereACallMayBe) {
  constexpr RunNumber kSelf = 1;
  shelf_.Keep("own", "1");
  shelf_.Adopt(kGone, {"taken", "1"});
  EXPECT_TRUE(shelf_.Belongs("own", kSelf, kSelf));
  EXPECT_FALSE(shelf_.Belongs("own", kGone, kSelf));
  EXPECT_TRUE(shelf_.Belongs("taken", kGone, kSelf));
  EXPECT_FALSE(shelf_.Belongs("other", kSelf, kSelf));
}

}  // namespace
}  // namespace sluice::cluster
