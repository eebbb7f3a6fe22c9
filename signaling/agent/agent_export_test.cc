// What a collector of HEPv3 is told of a call.
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "signaling/agent/agent_test_bed.h"

namespace sluice::agent {
namespace {

using ::testing::Each;
using ::testing::Field;
using Kept = hep::FakeSink::Kept;

class AgentExportTest : public testing::Test {
 protected:
  AgentExportTest() {
    bed_.AddAccount("1001", "secret");
    bed_.AddAccount("1002", "secret");
    EXPECT_EQ(b_.Register().status(), 200);
    before_ = bed_.exported().size();
  }

  // Everything since B has registered.
  std::vector<Kept> OfTheCall() const { return {bed_.exported().begin() + before_, bed_.exported().end()}; }

  AgentTestBed bed_;
  Phone a_ = bed_.NewPhone("1001", "198.18.1.2:5060", "198.18.1.2:5060");
  Phone b_ = bed_.NewPhone("1002", "198.18.1.3:5060", "198.18.1.3:5060");
  size_t before_ = 0;
};

TEST_F(AgentExportTest, TellsRegistrationsUnderTheirOwnCallId) {
  ASSERT_FALSE(bed_.exported().empty());
  EXPECT_TRUE(absl::StartsWith(bed_.exported()[0].payload, "REGISTER "));
  EXPECT_THAT(bed_.exported(), Each(Field(&Kept::correlation_id, bed_.exported()[0].correlation_id)));
}

TEST_F(AgentExportTest, TellsTheMessagesOfBothLegsUnderTheCallersCallId) {
  const sip::Message invite = a_.SendAuthorized(a_.NewInvite("1002"));
  EXPECT_EQ(a_.Receive().status(), 100);
  const sip::Message offered = b_.Receive();
  b_.Send(b_.Answer(offered, 486));
  EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
  const sip::Message refusal = a_.Receive();
  a_.Send(a_.AckOf(invite, refusal));

  const std::vector<Kept> told = OfTheCall();
  EXPECT_THAT(told, Each(Field(&Kept::correlation_id, std::string(invite.CallId()))));
  std::vector<std::string> lines;
  for (const Kept& kept : told) {
    const std::string from = kept.source.ToString() == AgentTestBed::kServer ? kept.destination.ToString() + " < "
                                                                             : kept.source.ToString() + " > ";
    lines.push_back(from + kept.payload.substr(0, kept.payload.find_first_of(" /")) + " " +
                    (absl::StartsWith(kept.payload, "SIP") ? kept.payload.substr(8, 3) : ""));
  }
  EXPECT_EQ(lines, (std::vector<std::string>{"198.18.1.2:5060 > INVITE ", "198.18.1.2:5060 < SIP 407",
                                             "198.18.1.2:5060 > ACK ", "198.18.1.2:5060 > INVITE ",
                                             "198.18.1.2:5060 < SIP 100", "198.18.1.3:5060 < INVITE ",
                                             "198.18.1.3:5060 > SIP 486", "198.18.1.3:5060 < ACK ",
                                             "198.18.1.2:5060 < SIP 486", "198.18.1.2:5060 > ACK "}));
}

}  // namespace
}  // namespace sluice::agent
