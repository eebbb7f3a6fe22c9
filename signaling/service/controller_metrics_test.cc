#include "signaling/service/controller_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <sstream>
#include <string>

namespace sluice::service {
namespace {

using ::testing::AnyOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Text(const agent::SignalingStatistics& signaling, const store::StoreStatistics& store = {},
                 const std::vector<fleet::RelayInfo>& relays = {}, const OptionalStatistics& optional = {}) {
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, ControllerMetrics(signaling, store, relays, optional));
  return text.str();
}

TEST(ControllerMetrics, TellsCallsByHowTheyWent) {
  agent::SignalingStatistics signaling;
  signaling.calls = 2;
  signaling.calls_started = 10;
  signaling.calls_answered = 7;
  signaling.calls_restored = 4;
  signaling.refused_calls = {{404, 1}, {486, 2}};
  const std::string text = Text(signaling);
  EXPECT_THAT(text, HasSubstr("# TYPE sluice_calls gauge\nsluice_calls 2\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_calls_started_total 10\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_calls_answered_total 7\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_calls_restored_total 4\n"));
  EXPECT_THAT(text, HasSubstr("sluice_calls_refused_total{status=\"404\"} 1\n"
                              "sluice_calls_refused_total{status=\"486\"} 2\n"));
}

TEST(ControllerMetrics, TellsMemoryThatIsAllocated) {
  EXPECT_THAT(Text({}), ContainsRegex("\nsluice_allocated_bytes [1-9]"));
}

TEST(ControllerMetrics, TellsMessagesByMethodStatusAndDirection) {
  agent::SignalingStatistics signaling;
  signaling.received_messages = {{"INVITE", 3}, {"200 BYE", 1}};
  signaling.sent_messages = {{"407 INVITE", 2}};
  signaling.retransmissions_sent = 4;
  signaling.dropped_messages = {{"no_call_id", 5}};
  const std::string text = Text(signaling);
  EXPECT_THAT(text, HasSubstr("sluice_sip_requests_total{direction=\"received\",method=\"INVITE\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("sluice_sip_responses_total{direction=\"received\",method=\"BYE\",status=\"200\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("sluice_sip_responses_total{direction=\"sent\",method=\"INVITE\",status=\"407\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("sluice_sip_retransmissions_total{direction=\"sent\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("sluice_sip_dropped_total{reason=\"no_call_id\"} 5\n"));
}

TEST(ControllerMetrics, TellsWhatTheStoreHoldsAndOwes) {
  store::StoreStatistics store;
  store.accounts = 4;
  store.bindings = 3;
  store.standing_calls = 7;
  store.standing_calls_waiting = 6;
  store.records_waiting = 2;
  store.records_dropped = 1;
  store.records_expired = 5;
  const std::string text = Text({}, store);
  EXPECT_THAT(text, HasSubstr("\nsluice_accounts 4\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_bindings 3\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_calls_kept 7\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_calls_kept_waiting 6\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_call_records_waiting 2\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_call_records_dropped_total 1\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_call_records_expired_total 5\n"));
}

TEST(ControllerMetrics, TellsOfExportsOnlyWhereThereAreAny) {
  EXPECT_THAT(Text({}), Not(AnyOf(HasSubstr("sluice_hep"), HasSubstr("copied"))));
  const std::string text =
      Text({}, {}, {}, {.hep = {{.sent = 5, .dropped = 1}}, .forwarder = {{.copied = 3, .refused = 1}}});
  EXPECT_THAT(text, HasSubstr("\nsluice_hep_sent_total 5\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_hep_dropped_total 1\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_call_records_copied_total 3\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_call_records_copy_failures_total 0\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_call_records_refused_total 1\n"));
}

TEST(ControllerMetrics, TellsOfTheClusterWhereThereIsOne) {
  EXPECT_THAT(Text({}), Not(HasSubstr("sluice_cluster_")));
  OptionalStatistics optional;
  optional.cluster = {.is_connected = true,
                      .controllers = 3,
                      .takeovers = 1,
                      .calls_taken_over = 12,
                      .failures = 4,
                      .bindings_waiting = 5};
  const std::string text = Text({}, {}, {}, optional);
  EXPECT_THAT(text, HasSubstr("\nsluice_cluster_connected 1\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_cluster_controllers 3\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_cluster_takeovers_total 1\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_cluster_calls_taken_over_total 12\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_cluster_bindings_waiting 5\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_cluster_failures_total 4\n"));
}

TEST(ControllerMetrics, TellsOfAdmissionWhereItIsAskedFor) {
  EXPECT_THAT(Text({}), Not(HasSubstr("sluice_admission_")));
  OptionalStatistics optional;
  optional.admission = {.asked = 20,
                        .admitted = 7,
                        .refused = 3,
                        .timeouts = 1,
                        .unavailable = 2,
                        .errors = 4,
                        .too_many = 5,
                        .verdict_time = absl::Milliseconds(1500),
                        .open = 6};
  const std::string text = Text({}, {}, {}, optional);
  EXPECT_THAT(text, HasSubstr("\nsluice_admission_asked_total 20\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_admission_verdicts_total{verdict=\"admitted\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_admission_verdicts_total{verdict=\"refused\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_admission_failures_total{reason=\"timeout\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_admission_failures_total{reason=\"unavailable\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_admission_failures_total{reason=\"error\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_admission_failures_total{reason=\"too_many\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_admission_verdict_seconds_total 1.5\n"));
  EXPECT_THAT(text, HasSubstr("\nsluice_admission_waiting 6\n"));
}

TEST(ControllerMetrics, CountsRelaysByHealthAlsoWhereThereIsNone) {
  fleet::RelayInfo healthy;
  healthy.name = "relay-1";
  healthy.health = fleet::RelayHealth::kHealthy;
  healthy.sessions = 12;
  fleet::RelayInfo down;
  down.name = "relay-2";
  down.health = fleet::RelayHealth::kDown;
  const std::string text = Text({}, {}, {healthy, down});
  EXPECT_THAT(text, HasSubstr("sluice_relays{health=\"connecting\"} 0\n"
                              "sluice_relays{health=\"healthy\"} 1\n"
                              "sluice_relays{health=\"draining\"} 0\n"
                              "sluice_relays{health=\"down\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("sluice_relay_sessions_wanted{relay=\"relay-1\"} 12\n"));
  EXPECT_THAT(text, HasSubstr("sluice_relay_healthy{relay=\"relay-2\"} 0\n"));
}

}  // namespace
}  // namespace sluice::service
