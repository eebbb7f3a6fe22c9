#include "signaling/store/standing_call_queue.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr size_t kMany = 100;

std::vector<std::string> Kept(const StandingCallQueue::Batch& batch) {
  std::vector<std::string> kept;
  for (const StandingCall& call : batch.kept) kept.push_back(call.call_id + "=" + call.state);
  return kept;
}

TEST(StandingCallQueue, WritesTheLatestStateOfACallOnce) {
  StandingCallQueue queue;
  queue.Keep("a", "1");
  queue.Keep("a", "2");
  queue.Keep("b", "1");
  EXPECT_THAT(Kept(queue.Take(kMany, true)), UnorderedElementsAre("a=2", "b=1"));
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.on_disk(), 2u);
}

TEST(StandingCallQueue, WritesNothingOfACallThatIsOverBeforeItWasWritten) {
  StandingCallQueue queue;
  queue.Keep("a", "1");
  queue.Forget("a");
  queue.Forget("never-kept");
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.on_disk(), 0u);
}

TEST(StandingCallQueue, ForgetsOnDiskWhatIsThereAndDropsTheStateThatWaits) {
  StandingCallQueue queue;
  queue.NoteOnDisk("from-before");
  queue.Keep("a", "1");
  queue.Take(kMany, true);
  queue.Keep("a", "2");
  queue.Forget("a");
  queue.Forget("from-before");
  const StandingCallQueue::Batch batch = queue.Take(kMany, true);
  EXPECT_THAT(batch.kept, IsEmpty());
  EXPECT_THAT(batch.forgotten, UnorderedElementsAre("a", "from-before"));
  EXPECT_EQ(queue.on_disk(), 0u);
}

TEST(StandingCallQueue, HoldsEndsBackUntilTheyMayGo) {
  StandingCallQueue queue;
  queue.NoteOnDisk("a");
  queue.Forget("a");
  EXPECT_THAT(queue.Take(kMany, false).forgotten, IsEmpty());
  EXPECT_EQ(queue.waiting(), 1u);
  EXPECT_THAT(queue.Take(kMany, true).forgotten, ElementsAre("a"));
}

TEST(StandingCallQueue, TakesAsManyAsItIsTold) {
  StandingCallQueue queue;
  for (const char* id : {"a", "b", "c"}) queue.Keep(id, "1");
  EXPECT_EQ(queue.Take(2, true).kept.size(), 2u);
  EXPECT_EQ(queue.Take(2, true).kept.size(), 1u);
}

TEST(StandingCallQueue, TakesBackWhatCouldNotBeWrittenUnlessSomethingNewerHasCome) {
  StandingCallQueue queue;
  for (const char* id : {"same", "changed", "over"}) queue.Keep(id, "1");
  queue.NoteOnDisk("over-before");
  queue.Forget("over-before");
  StandingCallQueue::Batch failed = queue.Take(kMany, true);
  queue.Keep("changed", "2");
  queue.Forget("over");
  queue.PutBack(std::move(failed));
  const StandingCallQueue::Batch batch = queue.Take(kMany, true);
  EXPECT_THAT(Kept(batch), UnorderedElementsAre("same=1", "changed=2"));
  EXPECT_THAT(batch.forgotten, ElementsAre("over-before")) << "no state of the other has reached the disk";
  EXPECT_EQ(queue.on_disk(), 2u);
}

TEST(StandingCallQueue, RemembersNothingOfCallsThatCameAndWentWhileTheDiskWasFull) {
  StandingCallQueue queue;
  queue.NoteOnDisk("from-before");
  for (int i = 0; i < 1000; ++i) {
    const std::string call_id = std::to_string(i);
    queue.Keep(call_id, "1");
    queue.Keep("from-before", std::to_string(i));
    queue.PutBack(queue.Take(kMany, true));
    queue.Forget(call_id);
  }
  EXPECT_EQ(queue.waiting(), 1u);
  EXPECT_EQ(queue.on_disk(), 1u);
  queue.Forget("from-before");
  EXPECT_THAT(queue.Take(kMany, true).forgotten, ElementsAre("from-before"));
}

}  // namespace
}  // namespace sluice::store
