#include "process/paced_loop.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::process {
namespace {

using std::chrono::microseconds;
using ::testing::Each;
using ::testing::Ge;
using ::testing::Le;

constexpr microseconds kTurn(1000);

// Events that come at given times, and what a paced loop makes of them.
class World {
 public:
  // Its clock, which only sleeping and waiting move.
  struct Pace {
    World* world;
    microseconds Now() const { return world->now_; }
    void SleepUntil(microseconds time) {
      world->now_ = std::max(world->now_, time);
      ++world->awakenings_;
    }
  };

  explicit World(std::deque<microseconds> events) : events_(std::move(events)) {
    RunPaced(
        kTurn, [this] { return Wait(); }, [this] { return Poll(); }, Pace{this});
  }

  // Between each event and its being served.
  const std::vector<microseconds>& delays() const { return delays_; }
  int awakenings() const { return awakenings_; }

 private:
  bool Wait() {
    if (events_.empty()) return false;
    now_ = std::max(now_, events_.front());
    ++awakenings_;
    Serve();
    return true;
  }
  bool Poll() {
    const size_t before = events_.size();
    while (!events_.empty() && events_.front() <= now_) Serve();
    return events_.size() != before;
  }
  void Serve() {
    delays_.push_back(now_ - events_.front());
    events_.pop_front();
  }

  std::deque<microseconds> events_;
  microseconds now_{0};
  std::vector<microseconds> delays_;
  int awakenings_ = 0;
};

std::deque<microseconds> Every(microseconds interval, int count, microseconds first) {
  std::deque<microseconds> events;
  for (int i = 0; i < count; ++i) events.push_back(first + i * interval);
  return events;
}

TEST(PacedLoop, ServesRareEventsWhenTheyCome) {
  const World world(Every(microseconds(1500), 100, microseconds(5000)));
  EXPECT_THAT(world.delays(), Each(microseconds(0)));
  EXPECT_EQ(world.awakenings(), 100);
}

TEST(PacedLoop, ServesManyEventsATurnWhenTheyComeOften) {
  const World world(Every(microseconds(50), 2000, microseconds(5000)));
  EXPECT_EQ(world.delays().size(), 2000u);
  EXPECT_THAT(world.delays(), Each(Le(kTurn)));
  // 100 ms of events.
  EXPECT_LE(world.awakenings(), 103);
}

TEST(PacedLoop, ServesAtOnceAgainAfterAPause) {
  std::deque<microseconds> events = Every(microseconds(50), 200, microseconds(5000));
  events.push_back(microseconds(100'000));
  const World world(std::move(events));
  EXPECT_THAT(world.delays(), Each(Ge(microseconds(0))));
  EXPECT_EQ(world.delays().back(), microseconds(0));
}

}  // namespace
}  // namespace sluice::process
