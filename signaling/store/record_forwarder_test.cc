#include "signaling/store/record_forwarder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "signaling/store/sqlite_store.h"

namespace sluice::store {
namespace {

using ::testing::ElementsAre;

constexpr absl::Duration kLimit = absl::Seconds(10);
// The sink cannot hold this one.
constexpr char kFaulty[] = "call-13";

// What has been written, and failures on demand.
class Memory {
 public:
  absl::StatusOr<std::vector<RefusedCallRecord>> Write(const std::vector<CallRecord>& records) {
    absl::MutexLock lock(&mutex_);
    if (failures_ > 0) {
      --failures_;
      return absl::UnavailableError("the sink is away");
    }
    std::vector<RefusedCallRecord> refused;
    for (const CallRecord& record : records) {
      if (record.call_id == kFaulty) {
        refused.push_back({record.call_id, "it cannot be held"});
      } else {
        call_ids_.push_back(record.call_id);
      }
    }
    return refused;
  }
  void FailNext(int failures) {
    absl::MutexLock lock(&mutex_);
    failures_ = failures;
  }
  // Waits for so many records.
  std::vector<std::string> WaitFor(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return call_ids_.size() >= count; };
    mutex_.AwaitWithTimeout(absl::Condition(&enough), kLimit);
    return call_ids_;
  }

 private:
  absl::Mutex mutex_;
  std::vector<std::string> call_ids_ ABSL_GUARDED_BY(mutex_);
  int failures_ ABSL_GUARDED_BY(mutex_) = 0;
};

class MemorySink final : public RecordSink {
 public:
  explicit MemorySink(Memory& memory) : memory_(memory) {}
  absl::StatusOr<std::vector<RefusedCallRecord>> Write(const std::vector<CallRecord>& records) override {
    return memory_.Write(records);
  }

 private:
  Memory& memory_;
};

class RecordForwarderTest : public testing::Test {
 protected:
  std::unique_ptr<RecordForwarder> Start(size_t batch = 2) {
    return std::make_unique<RecordForwarder>(
        *store_, std::make_unique<MemorySink>(memory_),
        ForwarderOptions{.batch = batch,
                         .interval = absl::Milliseconds(1),
                         .first_retry = absl::Milliseconds(1),
                         .longest_retry = absl::Milliseconds(2),
                         .report = [this](absl::string_view line) { reports_.emplace_back(line); }});
  }
  void Append(int first, int last) {
    for (int i = first; i <= last; ++i) {
      store_->AppendCallRecord({.call_id = absl::StrCat("call-", i), .start_time = absl::FromUnixSeconds(i)});
    }
    ASSERT_TRUE(store_->Flush(kLimit).ok());
  }

  std::unique_ptr<Store> store_ = *OpenSqliteStore({.file = ":memory:"});
  Memory memory_;
  // Of the forwarder's thread; to be read when it has ended.
  std::vector<std::string> reports_;
};

TEST_F(RecordForwarderTest, CopiesWhatIsThereAndWhatComesInTheOrderOfTheStore) {
  Append(1, 3);
  const std::unique_ptr<RecordForwarder> forwarder = Start();
  EXPECT_THAT(memory_.WaitFor(3), ElementsAre("call-1", "call-2", "call-3"));
  Append(4, 4);
  EXPECT_THAT(memory_.WaitFor(4), ElementsAre("call-1", "call-2", "call-3", "call-4"));
}

TEST_F(RecordForwarderTest, GoesOnAfterARestartWhereItWas) {
  Append(1, 2);
  {
    const std::unique_ptr<RecordForwarder> forwarder = Start();
    memory_.WaitFor(2);
  }
  Append(3, 3);
  const std::unique_ptr<RecordForwarder> forwarder = Start();
  EXPECT_THAT(memory_.WaitFor(3), ElementsAre("call-1", "call-2", "call-3"));
}

TEST_F(RecordForwarderTest, LosesNothingWhileTheSinkFailsAndSaysSoOnce) {
  memory_.FailNext(3);
  std::unique_ptr<RecordForwarder> forwarder = Start();
  Append(1, 3);
  EXPECT_THAT(memory_.WaitFor(3), ElementsAre("call-1", "call-2", "call-3"));
  EXPECT_EQ(forwarder->Statistics().failures, 3u);
  forwarder.reset();
  EXPECT_THAT(reports_, ElementsAre("call records cannot be copied and wait in the store: the sink is away",
                                    "call records are copied again"));
}

TEST_F(RecordForwarderTest, NamesARecordThatCannotBeCopiedOnceAndGoesOn) {
  Append(12, 14);
  std::unique_ptr<RecordForwarder> forwarder = Start(3);
  EXPECT_THAT(memory_.WaitFor(2), ElementsAre("call-12", "call-14"));
  Append(15, 15);
  EXPECT_THAT(memory_.WaitFor(3), ElementsAre("call-12", "call-14", "call-15"));
  forwarder.reset();
  EXPECT_THAT(reports_, ElementsAre("call record call-13 stays in the store only: it cannot be held"));
}

TEST_F(RecordForwarderTest, EndsAtOnceWhileTheSinkFails) {
  Append(1, 1);
  memory_.FailNext(1'000'000);
  RecordForwarder(*store_, std::make_unique<MemorySink>(memory_), {.first_retry = absl::Hours(1)});
  EXPECT_THAT(store_->ReadUncopied(10)->records.size(), 1u);
}

}  // namespace
}  // namespace sluice::store
