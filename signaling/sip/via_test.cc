#include "signaling/sip/via.h"

#include <gtest/gtest.h>

namespace sluice::sip {
namespace {

TEST(Via, IsReadWithSpacesWhereTheyMayBe) {
  const auto via = Via::Parse("SIP / 2.0 / UDP first.example.com : 4000 ; ttl=16 ;branch=z9hG4bKa7c6a8dlze.1");
  ASSERT_TRUE(via);
  EXPECT_EQ(via->transport, "UDP");
  EXPECT_EQ(via->host, "first.example.com");
  EXPECT_EQ(via->port, 4000);
  EXPECT_EQ(via->branch(), "z9hG4bKa7c6a8dlze.1");
}

TEST(Via, IsNoneIfItIsDamaged) {
  for (const char* text : {"", "SIP/2.0/UDP", "SIP/3.0/UDP h", "HTTP/2.0/UDP h", "SIP/2.0 h", "SIP/2.0/UDP h:70000",
                           "SIP/2.0/UDP h;;branch=x", "SIP/2.0/UDP h;branch=", "SIP/2.0/UDP ;branch=x"}) {
    EXPECT_FALSE(Via::Parse(text)) << text;
  }
}

TEST(Via, SaysWhereARequestCameFrom) {
  const Endpoint source = *Endpoint::Parse("198.18.1.1:45426");
  struct Case {
    const char* via;
    bool force;
    const char* expected;
  };
  for (const Case& one : {
           Case{"SIP/2.0/UDP 10.0.0.1:5060;branch=a", false, "SIP/2.0/UDP 10.0.0.1:5060;branch=a;received=198.18.1.1"},
           Case{"SIP/2.0/UDP 10.0.0.1;rport;branch=a", false,
                "SIP/2.0/UDP 10.0.0.1;rport=45426;branch=a;received=198.18.1.1"},
           Case{"SIP/2.0/UDP 198.18.1.1:5060;branch=a", false, "SIP/2.0/UDP 198.18.1.1:5060;branch=a"},
           Case{"SIP/2.0/UDP 198.18.1.1:5060;branch=a", true,
                "SIP/2.0/UDP 198.18.1.1:5060;branch=a;received=198.18.1.1;rport=45426"},
           Case{"SIP/2.0/UDP host.example;received=198.18.9.9", false, "SIP/2.0/UDP host.example;received=198.18.1.1"},
       }) {
    Via via = *Via::Parse(one.via);
    via.SetSource(source, one.force);
    EXPECT_EQ(via.ToString(), one.expected);
  }
}

TEST(Via, HasAUniqueBranchOnlyWithTheCookieAndSomethingBehindIt) {
  EXPECT_TRUE(IsUniqueBranch("z9hG4bK1"));
  for (const char* branch : {"", "z9hG4bK", "Z9HG4BK1", "1", "xz9hG4bK1"}) EXPECT_FALSE(IsUniqueBranch(branch));
}

}  // namespace
}  // namespace sluice::sip
