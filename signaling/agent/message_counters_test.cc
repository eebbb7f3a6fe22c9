#include "signaling/agent/message_counters.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::agent {
namespace {

using testing::Pair;
using testing::UnorderedElementsAre;

TEST(MessageCounters, CountsByMethodAndStatus) {
  MessageCounters counters;
  counters.CountRequest("INVITE");
  counters.CountRequest("INVITE");
  counters.CountRequest("BYE");
  counters.CountResponse(200, "INVITE");
  counters.CountResponse(407, "INVITE");
  std::map<std::string, uint64_t> counts;
  counters.AddTo(counts);
  EXPECT_THAT(counts,
              UnorderedElementsAre(Pair("INVITE", 2), Pair("BYE", 1), Pair("200 INVITE", 1), Pair("407 INVITE", 1)));
}

TEST(MessageCounters, PutsInventedMethodsAndStatusesTogether) {
  MessageCounters counters;
  counters.CountRequest("FOO");
  counters.CountRequest("BAR");
  counters.CountResponse(1000, "FOO");
  std::map<std::string, uint64_t> counts;
  counters.AddTo(counts);
  EXPECT_THAT(counts, UnorderedElementsAre(Pair("OTHER", 2), Pair("OTHER OTHER", 1)));
}

TEST(MessageCounters, AddsUpShards) {
  MessageCounters first;
  MessageCounters second;
  first.CountRequest("ACK");
  second.CountRequest("ACK");
  std::map<std::string, uint64_t> counts;
  first.AddTo(counts);
  second.AddTo(counts);
  EXPECT_THAT(counts, UnorderedElementsAre(Pair("ACK", 2)));
}

}  // namespace
}  // namespace sluice::agent
