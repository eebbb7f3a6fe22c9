#include "signaling/agent/quality_report.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

namespace sluice::agent {
namespace {

// A call whose caller sent 90 of 100 packets, and whose callee sent nothing.
BookedCall CallWithOneDirection() {
  relay::v1::SessionState state;
  relay::v1::StreamState& stream = *state.add_streams();
  relay::v1::LegState& caller = *stream.add_legs();
  caller.mutable_learned_remote()->set_address("198.18.1.2");
  caller.mutable_learned_remote()->set_port(21000);
  caller.mutable_local()->set_address("198.18.1.1");
  caller.mutable_local()->set_port(24594);
  relay::v1::StreamStatistics& received = *caller.mutable_received();
  received.set_ssrc(0xcafe);
  received.set_packets(90);
  received.set_bytes(15480);
  received.set_expected(100);
  received.set_lost(10);
  received.set_jitter_ms(2.5);
  received.mutable_quality()->set_algorithm(relay::v1::QUALITY_ALGORITHM_G107_NARROWBAND);
  received.mutable_quality()->set_mos(3.41);
  stream.add_legs()->mutable_local()->set_address("198.18.2.1");
  BookedCall call;
  call.statistics = std::make_shared<const relay::v1::SessionState>(std::move(state));
  return call;
}

TEST(QualityReport, TellsLossJitterAndMosOfADirectionInWhichPacketsCame) {
  const std::vector<QualityReport> reports = MakeQualityReports(CallWithOneDirection());
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].source.ToString(), "198.18.1.2:21000");
  EXPECT_EQ(reports[0].destination.ToString(), "198.18.1.1:24594");
  EXPECT_EQ(reports[0].json,
            R"({"ssrc":51966,"type":200,"report_count":1,"sender_information":{"packets":90,"octets":15480},)"
            R"("report_blocks":[{"source_ssrc":51966,"fraction_lost":25,"packets_lost":10,"ia_jitter":20,)"
            R"("highest_seq_no":0,"lsr":0,"dlsr":0}],"mos":3.41})");
}

TEST(QualityReport, LeavesOutTheMosOfADirectionThatWasNotRated) {
  BookedCall call = CallWithOneDirection();
  relay::v1::SessionState state = *call.statistics;
  state.mutable_streams(0)->mutable_legs(0)->mutable_received()->clear_quality();
  call.statistics = std::make_shared<const relay::v1::SessionState>(std::move(state));
  const std::vector<QualityReport> reports = MakeQualityReports(call);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].json.find("mos"), std::string::npos);
}

TEST(QualityReport, IsNoneWhenTheRelayDidNotAnswer) { EXPECT_TRUE(MakeQualityReports(BookedCall()).empty()); }

}  // namespace
}  // namespace sluice::agent
