// What the log says of calls and messages.
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "signaling/agent/agent_test_bed.h"
#include "signaling/agent/call_log.h"
#include "spdlog/sinks/ostream_sink.h"
#include "spdlog/spdlog.h"

namespace sluice::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

class AgentLogTest : public testing::Test {
 protected:
  AgentLogTest() {
    auto logger = std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_st>(out_));
    logger->set_pattern("%l %v");
    spdlog::set_default_logger(std::move(logger));
    bed_.AddAccount("1001", "secret");
    bed_.AddAccount("1002", "secret");
    EXPECT_EQ(b_.Register().status(), 200);
  }
  ~AgentLogTest() override { spdlog::set_default_logger(before_); }

  std::vector<std::string> Lines() const { return absl::StrSplit(out_.str(), '\n', absl::SkipEmpty()); }

  void Refuse() {
    const sip::Message invite = a_.SendAuthorized(a_.NewInvite("1002"));
    EXPECT_EQ(a_.Receive().status(), 100);
    b_.Send(b_.Answer(b_.Receive(), 486));
    EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
    a_.Send(a_.AckOf(invite, a_.Receive()));
  }

  const std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
  std::ostringstream out_;
  AgentTestBed bed_;
  Phone a_ = bed_.NewPhone("1001", "198.18.1.2:5060", "198.18.1.2:5060");
  Phone b_ = bed_.NewPhone("1002", "198.18.1.3:5060", "198.18.1.3:5060");
};

TEST_F(AgentLogTest, HasALineForEachStepOfACall) {
  spdlog::set_level(spdlog::level::debug);
  const sip::Message invite = a_.SendAuthorized(a_.NewInvite("1002"));
  EXPECT_EQ(a_.Receive().status(), 100);
  const sip::Message offered = b_.Receive();
  b_.Send(b_.Answer(offered, 180));
  EXPECT_EQ(a_.Receive().status(), 180);
  bed_.Pass(absl::Seconds(2));
  b_.Send(b_.Answer(offered, 200));
  EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
  const sip::Message answered = a_.Receive();
  a_.Send(a_.AckOf(invite, answered));
  bed_.Pass(absl::Milliseconds(1500));
  a_.Send(a_.InDialog("BYE", invite, answered));
  EXPECT_EQ(a_.Receive().status(), 200);
  b_.Send(b_.Answer(b_.Receive(), 200));

  const std::string name = "debug call=" + bed_.Records().at(0).call_id;
  EXPECT_THAT(Lines(), ElementsAre(name +
                                       " event=begins caller=1001 callee=1002 account=1001 peer=udp:198.18.1.2:5060 "
                                       "sip_call_id=" +
                                       std::string(invite.CallId()),
                                   name +
                                       " event=answered after=2.000 account=1002 peer=udp:198.18.1.3:5060 "
                                       "sip_call_id=" +
                                       std::string(offered.CallId()) + " relay=relay-1",
                                   name + " event=ended status=200 cause=16 by=caller talked=1.500 text=\"\""));
}

TEST_F(AgentLogTest, SaysHowACallEndsThatNobodyAnswers) {
  spdlog::set_level(spdlog::level::debug);
  Refuse();
  ASSERT_EQ(Lines().size(), 2u);
  EXPECT_THAT(Lines()[1], HasSubstr("event=ended status=486 cause=17 by=callee talked=0.000"));
}

TEST_F(AgentLogTest, HasALineForEachMessageAtTheLevelForIt) {
  spdlog::set_level(spdlog::level::trace);
  a_.Send(a_.NewRequest("OPTIONS", ""));
  a_.Receive();
  EXPECT_THAT(Lines(), ElementsAre(MatchesRegex("trace message=received peer=udp:198.18.1.2:5060 "
                                                "line=\"OPTIONS sip:[^ ]* SIP/2.0\" sip_call_id=[^ ]+ call=\"\""),
                                   MatchesRegex("trace message=sent peer=udp:198.18.1.2:5060 line=\"SIP/2.0 200 OK\" "
                                                "sip_call_id=[^ ]+ call=\"\"")));
}

TEST_F(AgentLogTest, SaysNothingOfCallsUnlessAsked) {
  spdlog::set_level(spdlog::level::info);
  Refuse();
  EXPECT_THAT(Lines(), IsEmpty());
}

TEST(LogValue, LetsNobodyWriteIntoTheLog) {
  EXPECT_EQ(LogValue("+4930123456"), "+4930123456");
  EXPECT_EQ(LogValue("Alice Ä"), R"("Alice \xc3\x84")");
  EXPECT_EQ(LogValue("x\ninfo forged \"line\" a=b"), R"("x\ninfo forged \"line\" a=b")");
  EXPECT_EQ(LogValue(""), "\"\"");
}

}  // namespace
}  // namespace sluice::agent
