#include "signaling/fleet/work_loop.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::fleet {
namespace {

using ::testing::ElementsAre;

TEST(WorkLoop, RunsWorkInTheOrderItWasPosted) {
  WorkLoop loop;
  std::vector<int> seen;
  for (int i = 0; i < 3; ++i) loop.Post([&seen, i] { seen.push_back(i); });
  loop.Start("test");
  loop.Stop();
  EXPECT_THAT(seen, ElementsAre(0, 1, 2));
}

TEST(WorkLoop, RunsTimersInTheOrderOfTheirTimes) {
  WorkLoop loop;
  std::vector<int> seen;
  absl::Notification done;
  loop.Post([&] {
    loop.After(absl::Milliseconds(3), [&] {
      seen.push_back(2);
      done.Notify();
    });
    loop.After(absl::Milliseconds(1), [&] { seen.push_back(1); });
  });
  loop.Start("test");
  done.WaitForNotification();
  loop.Stop();
  EXPECT_THAT(seen, ElementsAre(1, 2));
}

TEST(WorkLoop, RunsWorkThatWaitsBeforeATimerThatIsDue) {
  WorkLoop loop;
  std::vector<int> seen;
  absl::Notification done;
  loop.Post([&] {
    loop.After(absl::ZeroDuration(), [&] {
      seen.push_back(2);
      done.Notify();
    });
    loop.Post([&] { seen.push_back(1); });
  });
  loop.Start("test");
  done.WaitForNotification();
  loop.Stop();
  EXPECT_THAT(seen, ElementsAre(1, 2));
}

TEST(WorkLoop, DoesNotRunACancelledTimer) {
  WorkLoop loop;
  bool ran = false;
  absl::Notification done;
  loop.Post([&] {
    loop.Cancel(loop.After(absl::Milliseconds(1), [&] { ran = true; }));
    loop.After(absl::Milliseconds(2), [&] { done.Notify(); });
  });
  loop.Start("test");
  done.WaitForNotification();
  loop.Stop();
  EXPECT_FALSE(ran);
}

TEST(WorkLoop, LetsGoOfWorkOnceItHasRun) {
  WorkLoop loop;
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> weak = held;
  absl::Notification done;
  loop.Post([held = std::move(held)] {});
  loop.Post([&] { loop.After(absl::Milliseconds(1), [&] { done.Notify(); }); });
  loop.Start("test");
  done.WaitForNotification();
  EXPECT_TRUE(weak.expired());
}

TEST(WorkLoop, DropsWhatIsPostedAfterItsEnd) {
  WorkLoop loop;
  loop.Start("test");
  loop.Stop();
  loop.Post([] { FAIL() << "ran after the end"; });
}

}  // namespace
}  // namespace sluice::fleet
