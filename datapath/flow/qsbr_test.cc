#include "datapath/flow/qsbr.h"

#include <gtest/gtest.h>

#include <vector>

#include "datapath/flow/deferred_reclaim.h"

namespace sluice::flow {
namespace {

TEST(Qsbr, EndsAGracePeriodOnceEveryOnlineWorkerWasQuiescentInIt) {
  Qsbr qsbr;
  qsbr.Online(0);
  qsbr.Online(1);
  const Qsbr::Token token = qsbr.StartGracePeriod();
  EXPECT_FALSE(qsbr.HasPassed(token));
  qsbr.Quiescent(0);
  EXPECT_FALSE(qsbr.HasPassed(token));
  qsbr.Quiescent(1);
  EXPECT_TRUE(qsbr.HasPassed(token));
}

TEST(Qsbr, DoesNotCountAReportFromBeforeTheGracePeriod) {
  Qsbr qsbr;
  qsbr.Online(0);
  qsbr.Quiescent(0);
  EXPECT_FALSE(qsbr.HasPassed(qsbr.StartGracePeriod()));
}

TEST(Qsbr, DoesNotWaitForWorkersThatAreOffline) {
  Qsbr qsbr;
  EXPECT_TRUE(qsbr.HasPassed(qsbr.StartGracePeriod()));
  qsbr.Online(Qsbr::kMaxWorkers - 1);
  const Qsbr::Token token = qsbr.StartGracePeriod();
  EXPECT_FALSE(qsbr.HasPassed(token));
  qsbr.Offline(Qsbr::kMaxWorkers - 1);
  EXPECT_TRUE(qsbr.HasPassed(token));
}

TEST(Qsbr, DoesNotWaitForAWorkerThatCameOnlineAfterwards) {
  Qsbr qsbr;
  const Qsbr::Token token = qsbr.StartGracePeriod();
  qsbr.Online(0);
  EXPECT_TRUE(qsbr.HasPassed(token));
}

class Pool final : public Reclaimable {
 public:
  void Reclaim(uint32_t index) override { freed.push_back(index); }
  std::vector<uint32_t> freed;
};

TEST(DeferredReclaim, FreesWhatWasRetiredAfterAGracePeriodAndInOrder) {
  Qsbr qsbr;
  qsbr.Online(0);
  DeferredReclaim reclaim(qsbr);
  Pool pool;
  reclaim.Retire(pool, 7);
  reclaim.Retire(pool, 8);
  EXPECT_EQ(reclaim.Collect(), 0u);
  EXPECT_EQ(reclaim.pending(), 2u);
  qsbr.Quiescent(0);
  EXPECT_EQ(reclaim.Collect(), 2u);
  EXPECT_EQ(pool.freed, (std::vector<uint32_t>{7, 8}));
  EXPECT_EQ(reclaim.pending(), 0u);
}

TEST(DeferredReclaim, KeepsALaterBatchForItsOwnGracePeriod) {
  Qsbr qsbr;
  qsbr.Online(0);
  DeferredReclaim reclaim(qsbr);
  Pool pool;
  reclaim.Retire(pool, 1);
  reclaim.Collect();
  qsbr.Quiescent(0);
  reclaim.Retire(pool, 2);
  EXPECT_EQ(reclaim.Collect(), 1u);
  EXPECT_EQ(pool.freed, std::vector<uint32_t>{1});
  qsbr.Quiescent(0);
  EXPECT_EQ(reclaim.Collect(), 1u);
}

}  // namespace
}  // namespace sluice::flow
