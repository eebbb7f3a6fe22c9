#include "signaling/fleet/session_book.h"

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::fleet {
namespace {

using relay::v1::Session;
using relay::v1::SessionState;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr char kWriter[] = "controller-1";

Session SessionOf(const std::string& id, int streams = 1) {
  Session session;
  session.set_session_id(id);
  for (int i = 0; i < streams; ++i) {
    relay::v1::Stream* stream = session.add_streams();
    stream->set_stream_id(i);
    stream->add_legs()->set_network("caller");
    stream->add_legs()->set_network("callee");
  }
  return session;
}

// What a relay answers that gives out ports from `port` on.
SessionState StateOf(const Session& session, uint32_t port, const std::string& shard = kWriter) {
  SessionState state;
  state.set_session_id(session.session_id());
  state.set_shard(shard);
  for (const relay::v1::Stream& stream : session.streams()) {
    relay::v1::StreamState* answer = state.add_streams();
    answer->set_stream_id(stream.stream_id());
    for (int leg = 0; leg < stream.legs_size(); ++leg) {
      relay::v1::Endpoint* local = answer->add_legs()->mutable_local();
      local->set_address("198.18.1.1");
      local->set_port(port);
      port += 2;
    }
  }
  return state;
}

SessionState Held(const std::string& id, const std::string& shard = kWriter) {
  SessionState state;
  state.set_session_id(id);
  state.set_shard(shard);
  return state;
}

void Add(SessionBook& book, size_t relay, const std::string& id, uint32_t port = 20000) {
  const Session session = SessionOf(id);
  book.Add(relay, session, StateOf(session, port));
}

TEST(SessionBook, KeepsThePortsThatTheRelayGave) {
  SessionBook book(1, kWriter);
  Add(book, 0, "a", 20000);
  const Session wanted = book.Wanted("a");
  EXPECT_EQ(wanted.streams(0).legs(0).requested_local().port(), 20000u);
  EXPECT_EQ(wanted.streams(0).legs(1).requested_local().port(), 20002u);
}

TEST(SessionBook, AsksForKnownPortsInAnUpdateAndLeavesNewStreamsFree) {
  SessionBook book(1, kWriter);
  Add(book, 0, "a", 20000);
  const Session written = book.SetNext(SessionOf("a", 2));
  EXPECT_EQ(written.streams(0).legs(1).requested_local().port(), 20002u);
  EXPECT_FALSE(written.streams(1).legs(0).has_requested_local());
  book.Confirm(written, StateOf(written, 20000));
  EXPECT_EQ(book.Wanted("a").streams(1).legs(0).requested_local().port(), 20004u);
}

TEST(SessionBook, RefusedUpdateLeavesTheSessionAsItWas) {
  SessionBook book(1, kWriter);
  Add(book, 0, "a");
  const Session second = book.SetNext(SessionOf("a", 2));
  EXPECT_EQ(book.Wanted("a").streams_size(), 2);
  EXPECT_TRUE(book.DropNext(second));
  EXPECT_EQ(book.Wanted("a").streams_size(), 1);
  EXPECT_FALSE(book.DropNext(second));
}

TEST(SessionBook, AnOldAnswerDoesNotHideANewerUpdate) {
  SessionBook book(1, kWriter);
  Add(book, 0, "a");
  const Session second = book.SetNext(SessionOf("a", 2));
  const Session third = book.SetNext(SessionOf("a", 3));
  book.Confirm(second, StateOf(second, 20000));
  EXPECT_EQ(book.Wanted("a").streams_size(), 3);
  EXPECT_FALSE(book.DropNext(second));
  EXPECT_EQ(book.Wanted("a").streams_size(), 3);
  book.Confirm(third, StateOf(third, 20000));
  EXPECT_EQ(book.Wanted("a").streams_size(), 3);
  EXPECT_FALSE(book.DropNext(third)) << "it is confirmed";
}

TEST(SessionBook, FindsNoDifferenceWhereTheRelayHoldsWhatIsWanted) {
  SessionBook book(2, kWriter);
  Add(book, 0, "a");
  Add(book, 1, "b");
  const Difference difference = book.Compare(0, {Held("a")});
  EXPECT_THAT(difference.restore, IsEmpty());
  EXPECT_THAT(difference.lost, IsEmpty());
  EXPECT_THAT(difference.end, IsEmpty());
  EXPECT_THAT(difference.orphans, IsEmpty());
}

TEST(SessionBook, RestoresAllSessionsOfARestartedRelayAndOnlyThose) {
  SessionBook book(2, kWriter);
  Add(book, 0, "a");
  Add(book, 0, "b");
  Add(book, 1, "c");
  book.BeginLife(0);
  EXPECT_THAT(book.Compare(0, {}).restore, UnorderedElementsAre("a", "b"));
  EXPECT_THAT(book.Compare(1, {Held("c")}).restore, IsEmpty());
}

TEST(SessionBook, GoesOnRestoringWhereAnInterruptionStoppedIt) {
  SessionBook book(1, kWriter);
  Add(book, 0, "a");
  Add(book, 0, "b");
  book.BeginLife(0);
  const Session restored = book.Wanted("a");
  book.Confirm(restored, StateOf(restored, 20000));
  const Difference difference = book.Compare(0, {Held("a")});
  EXPECT_THAT(difference.restore, ElementsAre("b"));
  EXPECT_THAT(difference.lost, IsEmpty());
}

TEST(SessionBook, DoesNotReviveWhatWasEndedAtALivingRelay) {
  SessionBook book(1, kWriter);
  Add(book, 0, "a");
  const Difference difference = book.Compare(0, {});
  EXPECT_THAT(difference.lost, ElementsAre("a"));
  EXPECT_THAT(difference.restore, IsEmpty());
}

TEST(SessionBook, RestoresAnAdoptedSessionThatIsMissingUntilItWasSeenOnce) {
  SessionBook book(1, kWriter);
  const Session session = SessionOf("a");
  book.Adopt(0, session, StateOf(session, 20000));
  EXPECT_EQ(book.Wanted("a").streams(0).legs(0).requested_local().port(), 20000u);
  EXPECT_THAT(book.Compare(0, {}).restore, ElementsAre("a"));
  const Difference there = book.Compare(0, {Held("a")});
  EXPECT_THAT(there.restore, IsEmpty());
  EXPECT_THAT(there.orphans, IsEmpty());
  EXPECT_THAT(book.Compare(0, {}).lost, ElementsAre("a")) << "it was ended there";
}

TEST(SessionBook, RepeatsAnUpdateThatWasNotAnswered) {
  SessionBook book(1, kWriter);
  Add(book, 0, "a");
  book.SetNext(SessionOf("a", 2));
  EXPECT_THAT(book.Compare(0, {Held("a")}).restore, ElementsAre("a"));
}

TEST(SessionBook, EndsDeletedSessionsThatAreStillThere) {
  SessionBook book(1, kWriter);
  Add(book, 0, "a");
  book.Forget("a");
  book.Doom(0, "a");
  book.Doom(0, "b");
  EXPECT_THAT(book.Compare(0, {Held("a")}).end, ElementsAre("a"));
  EXPECT_TRUE(book.IsDoomed(0, "a"));
  EXPECT_FALSE(book.IsDoomed(0, "b")) << "it is not there any more";
}

TEST(SessionBook, CallsOnlySessionsOfItsOwnWriterOrphans) {
  SessionBook book(1, kWriter);
  const Difference difference = book.Compare(
      0, {Held("mine"), Held("theirs", "controller-2"), Held("nobody's", ""), Held("shard", "controller-1/7")});
  EXPECT_THAT(difference.orphans, ElementsAre("mine"));
  EXPECT_THAT(difference.end, IsEmpty());
}

TEST(SessionBook, EndsOrphansAfterTheGracePeriodCountedFromTheFirstSight) {
  SessionBook book(1, kWriter);
  const absl::Time start = absl::FromUnixSeconds(1000);
  const absl::Duration grace = absl::Seconds(60);
  book.NoteOrphans(0, {"a", "b"}, start);
  book.NoteOrphans(0, {"a", "c"}, start + absl::Seconds(30));
  EXPECT_EQ(book.OldestOrphan(0), start);
  EXPECT_THAT(book.TakeExpiredOrphans(0, start + absl::Seconds(59), grace), IsEmpty());
  EXPECT_THAT(book.TakeExpiredOrphans(0, start + absl::Seconds(60), grace), ElementsAre("a"));
  EXPECT_THAT(book.TakeExpiredOrphans(0, start + absl::Seconds(90), grace), ElementsAre("c"));
  EXPECT_EQ(book.OldestOrphan(0), absl::InfiniteFuture());
}

TEST(SessionBook, SparesAnOrphanThatSomebodyWantsByNow) {
  SessionBook book(2, kWriter);
  book.NoteOrphans(0, {"here", "elsewhere"}, absl::UnixEpoch());
  Add(book, 0, "here");
  Add(book, 1, "elsewhere");
  EXPECT_THAT(book.TakeExpiredOrphans(0, absl::UnixEpoch() + absl::Hours(1), absl::Minutes(1)),
              ElementsAre("elsewhere"));
}

}  // namespace
}  // namespace sluice::fleet
