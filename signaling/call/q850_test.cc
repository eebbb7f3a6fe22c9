#include "signaling/call/q850.h"

#include "gtest/gtest.h"

namespace sluice::call {
namespace {

TEST(Q850Cause, IsThatOfRfc3398ForTheStatusesThatCallsEndWith) {
  struct Case {
    uint16_t status;
    uint16_t cause;
    const char* meaning;
  };
  const Case cases[] = {
      {404, 1, "unallocated number"},
      {486, 17, "user busy"},
      {600, 17, "user busy"},
      {480, 18, "no user responding"},
      {403, 21, "call rejected"},
      {603, 21, "call rejected"},
      {407, 21, "call rejected"},
      {410, 22, "number changed"},
      {482, 25, "exchange routing error"},
      {483, 25, "exchange routing error"},
      {484, 28, "invalid number format"},
      {502, 38, "network out of order"},
      {503, 41, "temporary failure"},
      {500, 41, "temporary failure"},
      {405, 63, "service not available"},
      {501, 79, "not implemented"},
      {415, 79, "not implemented"},
      {488, 88, "incompatible destination"},
      {606, 88, "incompatible destination"},
      {408, 102, "recovery on timer expiry"},
      {504, 102, "recovery on timer expiry"},
      {420, 127, "interworking"},
      {513, 127, "interworking"},
      {487, 16, "normal clearing"},
  };
  for (const Case& one : cases) EXPECT_EQ(Q850Cause(one.status), one.cause) << one.status << " " << one.meaning;
}

TEST(Q850Cause, IsNormalUnspecifiedWhereNothingSaysMore) {
  EXPECT_EQ(Q850Cause(302), 31);
  EXPECT_EQ(Q850Cause(499), 31);
  EXPECT_EQ(Q850Cause(699), 31);
}

TEST(NamedCause, IsTheFirstThatReasonNamesByQ850) {
  struct Case {
    const char* reason;
    uint16_t cause;
  };
  const Case cases[] = {
      {"Q.850;cause=31", 31},
      {"q.850 ; cause=17;text=\"busy\"", 17},
      {"SIP;cause=480, Q.850;cause=18", 18},
      {"Q.850;cause=0, Q.850;cause=38", 38},
      {"Q.850;cause=128", 16},
      {"Q.850;text=\"none\"", 16},
      {"SIP;cause=200", 16},
      {"", 16},
  };
  for (const Case& one : cases) {
    sip::Message bye = sip::Message::Request("BYE", "sip:b@example.org");
    bye.Add(sip::Header::kReason, one.reason);
    EXPECT_EQ(NamedCause(bye, 16), one.cause) << one.reason;
  }
  EXPECT_EQ(NamedCause(sip::Message::Response(404), 1), 1) << "no Reason at all";
}

}  // namespace
}  // namespace sluice::call
