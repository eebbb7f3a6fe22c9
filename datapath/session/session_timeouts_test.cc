// Timeouts by session and direction, and the event log that tells them.

#include "absl/strings/str_cat.h"
#include "datapath/session/session_test_bed.h"

namespace sluice::session {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const packet::Endpoint kFromA = At("198.18.1.1:16384");
const packet::Endpoint kFromB = At("198.18.2.1:16384");

class SessionTimeouts : public SessionTest {
 protected:
  void SetUp() override {
    Start();
    SessionSettings settings;
    settings.timeouts = {absl::Seconds(10), absl::Seconds(20), absl::Seconds(30)};
    model_->Configure(settings);
  }
  // Packets from those that send, every second.
  void Talk(absl::Duration time, bool a, bool b) {
    for (absl::Duration passed; passed < time; passed += absl::Seconds(1)) {
      if (a) Receive(kFromA);
      if (b) Receive(kFromB);
      Pass(absl::Seconds(1));
    }
  }
};

TEST_F(SessionTimeouts, NoFirstPacketIsToldOnceForEachLeg) {
  ASSERT_TRUE(Create(TestSpec()).ok());
  TakeEvents();
  Talk(absl::Seconds(9), false, false);
  EXPECT_THAT(TakeEvents(), IsEmpty());
  Talk(absl::Seconds(10), false, false);
  EXPECT_THAT(TakeEvents(), ElementsAre("no first packet call-1/0/0", "no first packet call-1/0/1"));
}

TEST_F(SessionTimeouts, ALegThatFallsSilentWhileTheOtherSendsIsOneWay) {
  ASSERT_TRUE(Create(TestSpec()).ok());
  Talk(absl::Seconds(5), true, true);
  TakeEvents();
  Talk(absl::Seconds(18), true, false);
  EXPECT_THAT(TakeEvents(), IsEmpty());
  Talk(absl::Seconds(60), true, false);
  EXPECT_THAT(TakeEvents(), ElementsAre("one way call-1/0/1"));
}

TEST_F(SessionTimeouts, OneWayIsToldAgainAfterMediaCameBack) {
  ASSERT_TRUE(Create(TestSpec()).ok());
  Talk(absl::Seconds(5), true, true);
  Talk(absl::Seconds(30), true, false);
  Talk(absl::Seconds(30), true, true);
  TakeEvents();
  Talk(absl::Seconds(30), true, false);
  EXPECT_THAT(TakeEvents(), ElementsAre("one way call-1/0/1"));
}

TEST_F(SessionTimeouts, SilenceOfBothIsToldAndEndsNothing) {
  ASSERT_TRUE(Create(TestSpec()).ok());
  Talk(absl::Seconds(5), true, true);
  TakeEvents();
  Talk(absl::Seconds(28), false, false);
  EXPECT_THAT(TakeEvents(), IsEmpty());
  Talk(absl::Seconds(60), false, false);
  EXPECT_THAT(TakeEvents(), ElementsAre("silence call-1/0/0", "silence call-1/0/1"));
  EXPECT_EQ(model_->statistics().sessions, 1u);
}

TEST_F(SessionTimeouts, SilenceEndsTheSessionWhereTheOperatorWantsThat) {
  SessionSettings settings;
  settings.timeouts = {absl::ZeroDuration(), absl::ZeroDuration(), absl::Seconds(30)};
  settings.end_on_silence = true;
  model_->Configure(settings);
  ASSERT_TRUE(Create(TestSpec()).ok());
  Talk(absl::Seconds(5), true, true);
  TakeEvents();
  Talk(absl::Seconds(40), false, false);
  EXPECT_THAT(TakeEvents(), ElementsAre("silence call-1/0/0", "silence call-1/0/1", "deleted call-1"));
  EXPECT_EQ(model_->statistics().sessions, 0u);
  EXPECT_EQ(table_->flows(), 0u);
}

TEST_F(SessionTimeouts, HoldIsNotSilence) {
  SessionSpec spec = TestSpec();
  spec.streams[0].legs[0].direction = Direction::kSendOnly;
  spec.streams[0].legs[1].direction = Direction::kRecvOnly;
  ASSERT_TRUE(Create(spec).ok());
  TakeEvents();
  Talk(absl::Seconds(120), true, false);
  EXPECT_THAT(TakeEvents(), IsEmpty());
  for (LegSpec& leg : spec.streams[0].legs) leg.direction = Direction::kInactive;
  ASSERT_TRUE(Update(spec).ok());
  Talk(absl::Seconds(120), false, false);
  EXPECT_THAT(TakeEvents(), IsEmpty());
}

TEST_F(SessionTimeouts, MediaIsDueAnewAfterHold) {
  SessionSpec hold = TestSpec();
  for (LegSpec& leg : hold.streams[0].legs) leg.direction = Direction::kInactive;
  ASSERT_TRUE(Create(hold).ok());
  Talk(absl::Seconds(120), false, false);
  ASSERT_TRUE(Update(TestSpec()).ok());
  TakeEvents();
  Talk(absl::Seconds(9), false, false);
  EXPECT_THAT(TakeEvents(), IsEmpty());
  Talk(absl::Seconds(3), false, false);
  EXPECT_THAT(TakeEvents(), ElementsAre("no first packet call-1/0/0", "no first packet call-1/0/1"));
}

TEST_F(SessionTimeouts, RingingIsNotSilence) {
  SessionSpec spec = TestSpec();
  spec.streams[0].legs[1].remote = {};
  ASSERT_TRUE(Create(spec).ok());
  TakeEvents();
  Talk(absl::Seconds(120), false, false);
  EXPECT_THAT(TakeEvents(), IsEmpty());
}

TEST_F(SessionTimeouts, ASessionMaySetItsOwn) {
  SessionSpec spec = TestSpec();
  spec.timeouts.first_packet = absl::Seconds(3);
  spec.timeouts.one_way = absl::ZeroDuration();
  spec.timeouts.silence = absl::ZeroDuration();
  ASSERT_TRUE(Create(spec).ok());
  TakeEvents();
  Talk(absl::Seconds(5), false, false);
  EXPECT_THAT(TakeEvents(), ElementsAre("no first packet call-1/0/0", "no first packet call-1/0/1"));
  Talk(absl::Seconds(120), false, false);
  EXPECT_THAT(TakeEvents(), IsEmpty());
}

Event Numbered(int number) {
  Event event;
  event.text = absl::StrCat(number);
  return event;
}

TEST(EventLog, AReaderGoesOnWhereItsTokenSays) {
  EventLog log("run1", 100);
  log.Append(Numbered(1));
  const EventLog::Page first = log.Read(0, 10);
  log.Append(Numbered(2));
  const auto resumed = log.Resume(log.TokenOf(first.last));
  ASSERT_TRUE(resumed.ok());
  const EventLog::Page second = log.Read(*resumed, 10);
  ASSERT_EQ(second.events.size(), 1u);
  EXPECT_EQ(second.events[0].text, "2");
  EXPECT_EQ(second.missed, 0u);
}

TEST(EventLog, AReaderWhoIsTooSlowIsToldHowMuchItMissed) {
  EventLog log("run1", 4);
  for (int i = 1; i <= 10; ++i) log.Append(Numbered(i));
  const EventLog::Page page = log.Read(2, 3);
  EXPECT_EQ(page.missed, 4u);
  ASSERT_EQ(page.events.size(), 3u);
  EXPECT_EQ(page.events[0].text, "7");
  EXPECT_EQ(log.Read(page.last, 3).events.size(), 1u);
}

TEST(EventLog, ATokenOfAnEarlierRunBeginsAtTheBeginningOfThisOne) {
  EventLog log("run2", 4);
  log.Append(Numbered(1));
  EXPECT_EQ(*log.Resume("run1.77"), 0u);
  EXPECT_EQ(*log.Resume(""), 1u);
  EXPECT_TRUE(absl::IsInvalidArgument(log.Resume("run2.77").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(log.Resume("nonsense").status()));
}

TEST(EventLog, WatchersAreWokenOnceForABatch) {
  EventLog log("run1", 4);
  int woken = 0;
  const EventLog::WatcherId id = log.AddWatcher([&] { ++woken; });
  log.Append(Numbered(1));
  log.Append(Numbered(2));
  log.Wake();
  log.Wake();
  EXPECT_EQ(woken, 1);
  log.RemoveWatcher(id);
  log.Append(Numbered(3));
  log.Wake();
  EXPECT_EQ(woken, 1);
}

TEST(TimerWheel, FiresNeverEarlyAndBeyondItsHorizonToo) {
  const absl::Time start = absl::FromUnixSeconds(1'800'000'000);
  TimerWheel wheel(start);
  TimerWheel::Timer near;
  TimerWheel::Timer far;
  TimerWheel::Timer disarmed;
  wheel.Arm(near, start + absl::Seconds(1));
  wheel.Arm(far, start + absl::Minutes(10));
  wheel.Arm(disarmed, start + absl::Seconds(1));
  wheel.Disarm(disarmed);
  std::vector<std::pair<TimerWheel::Timer*, absl::Duration>> fired;
  for (absl::Duration passed; passed <= absl::Minutes(11); passed += absl::Milliseconds(100)) {
    wheel.Advance(start + passed, [&](TimerWheel::Timer& timer) { fired.emplace_back(&timer, passed); });
  }
  ASSERT_EQ(fired.size(), 2u);
  EXPECT_EQ(fired[0].first, &near);
  EXPECT_GE(fired[0].second, absl::Seconds(1));
  EXPECT_LE(fired[0].second, absl::Seconds(1) + 3 * TimerWheel::kSlot);
  EXPECT_EQ(fired[1].first, &far);
  EXPECT_GE(fired[1].second, absl::Minutes(10));
  EXPECT_LE(fired[1].second, absl::Minutes(10) + 3 * TimerWheel::kSlot);
}

TEST(TimerWheel, ATimerMayArmItselfAgainWhileItFires) {
  const absl::Time start = absl::FromUnixSeconds(1'800'000'000);
  TimerWheel wheel(start);
  TimerWheel::Timer timer;
  wheel.Arm(timer, start);
  int fired = 0;
  const auto again = [&](TimerWheel::Timer& due) {
    ++fired;
    wheel.Arm(due, start + absl::Seconds(5 * fired));
  };
  wheel.Advance(start + absl::Seconds(11), again);
  EXPECT_EQ(fired, 3);
  wheel.Disarm(timer);
}

}  // namespace
}  // namespace sluice::session
