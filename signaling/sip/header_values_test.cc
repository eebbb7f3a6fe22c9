// The values of header fields: name-addr, parameters, and the smaller ones.

#include "signaling/sip/header_values.h"

#include <gtest/gtest.h>

#include "signaling/sip/header_name.h"
#include "signaling/sip/hop.h"
#include "signaling/sip/name_address.h"
#include "signaling/sip/parameters.h"
#include "signaling/sip/text.h"

namespace sluice::sip {
namespace {

TEST(NameAddress, IsReadInEachOfItsForms) {
  struct Case {
    const char* text;
    const char* display_name;
    const char* uri;
    const char* tag;
  };
  for (const Case& one : {
           Case{"<sip:a@h>", "", "sip:a@h", ""},
           Case{"sip:a@h;tag=x", "", "sip:a@h", "x"},
           Case{"Alice Smith <sip:a@h;lr>;tag=x", "Alice Smith", "sip:a@h;lr", "x"},
           Case{"\"A, \\\"B\\\" <C>\" <sip:a@h> ; TAG = x", "A, \"B\" <C>", "sip:a@h", "x"},
           Case{"测试APP2 <sip:a@h>", "测试APP2", "sip:a@h", ""},
           Case{"\"测试APP2\"<sip:a@h>", "测试APP2", "sip:a@h", ""},
           Case{"<sip:a@h?Route=x>", "", "sip:a@h?Route=x", ""},
       }) {
    const auto address = NameAddress::Parse(one.text);
    ASSERT_TRUE(address) << one.text;
    EXPECT_EQ(address->display_name, one.display_name);
    EXPECT_EQ(address->uri.text(), one.uri);
    EXPECT_EQ(address->tag(), one.tag);
    EXPECT_EQ(TagOf(one.text), one.tag);
    EXPECT_EQ(NameAddress::Parse(address->ToString())->display_name, one.display_name);
  }
}

TEST(NameAddress, IsNoneIfItIsDamaged) {
  for (const char* text : {"", "<>", "<sip:a@h", "\"Alice <sip:a@h>", "A, B <sip:a@h>", "sip:a@h?Route=x",
                           "\"Alice\" sip:a@h", "<sip:a@h>x", "<sip:a@h>;;tag=x", "<sip:a@h>;tag=\"x"}) {
    EXPECT_FALSE(NameAddress::Parse(text)) << text;
  }
}

TEST(Parameters, AreFoundInAnyCaseAndEditedInPlace) {
  Parameters parameters = *Parameters::Parse(";a=1 ; B = \"x;y\" ;flag");
  EXPECT_EQ(parameters.Get("A"), "1");
  EXPECT_EQ(parameters.GetText("b"), "x;y");
  EXPECT_EQ(parameters.Get("flag"), "");
  EXPECT_FALSE(parameters.Has("c"));
  parameters.Set("a", "2");
  parameters.Remove("b");
  parameters.Set("new", "");
  EXPECT_EQ(parameters.text(), ";a=2;flag;new");
  for (const char* text : {"a=1", ";", ";=1", ";a=", ";a=\"x", ";a b"}) EXPECT_FALSE(Parameters::Parse(text)) << text;
}

TEST(CSeq, IsANumberBelow2To31AndAMethod) {
  EXPECT_EQ(CSeq::Parse("0009\t INVITE")->ToString(), "9 INVITE");
  EXPECT_EQ(CSeq::Parse("2147483647 newmethod")->method_name, "newmethod");
  for (const char* text : {"", "1", "INVITE", "2147483648 INVITE", "-1 INVITE", "1 IN VITE", "1,INVITE"}) {
    EXPECT_FALSE(CSeq::Parse(text)) << text;
  }
}

TEST(SmallValues, AreReadAndWritten) {
  EXPECT_EQ(SessionExpires::Parse("1800 ;refresher=UAS")->ToString(), "1800;refresher=uas");
  EXPECT_FALSE(SessionExpires::Parse("soon"));
  EXPECT_EQ(RAck::Parse("776656 1 INVITE")->ToString(), "776656 1 INVITE");
  EXPECT_FALSE(RAck::Parse("1 INVITE"));
  EXPECT_EQ(Replaces::Parse("c@h;from-tag=f;to-tag=t;early-only")->ToString(), "c@h;to-tag=t;from-tag=f;early-only");
  EXPECT_FALSE(Replaces::Parse("c@h;from-tag=f"));
  EXPECT_EQ(Reason::Parse("Q.850 ;cause=16;text=\"a;b\"")->ToString(), "Q.850;cause=16;text=\"a;b\"");
  EXPECT_EQ(RetryAfter::Parse("18 (in a meeting);duration=3600")->seconds, 18);
  EXPECT_FALSE(RetryAfter::Parse("never"));
  EXPECT_EQ(Event::Parse("refer;id=93809")->ToString(), "refer;id=93809");
  EXPECT_EQ(SubscriptionState::Parse("active;expires=60")->ToString(), "active;expires=60");
  EXPECT_TRUE(MediaType::Parse("Application/SDP; charset=utf-8")->Is("application", "sdp"));
  EXPECT_FALSE(MediaType::Parse("sdp"));
}

// What is written without quotes could say something else than what was read with them.
TEST(SmallValues, HaveNoQuotedOrEmptyTokens) {
  EXPECT_FALSE(Replaces::Parse("c@h;from-tag=f;to-tag=\"t;early-only\""));
  EXPECT_FALSE(Replaces::Parse("c@h;from-tag=f;to-tag"));
  EXPECT_FALSE(Event::Parse("refer;id=\"a;b\""));
  EXPECT_EQ(SubscriptionState::Parse("terminated;reason=\"a;expires=1\"")->ToString(), "terminated");
}

TEST(SmallValues, QValuesAreThousandths) {
  EXPECT_EQ(ParseQValue("0.7"), 700);
  EXPECT_EQ(ParseQValue("1"), 1000);
  EXPECT_EQ(ParseQValue("0.123"), 123);
  for (const char* text : {"", "2", "1.001", "0.1234", "0,5", ".5"}) EXPECT_FALSE(ParseQValue(text)) << text;
}

TEST(Text, NumbersAreDigitsUpToALimit) {
  EXPECT_EQ(ParseNumber("00018446744073709551615", UINT64_MAX), UINT64_MAX);
  EXPECT_FALSE(ParseNumber("18446744073709551616", UINT64_MAX));
  EXPECT_EQ(ParseNumber("65535", 65535), 65535);
  for (const char* text : {"", "65536", "+1", "-1", " 1", "1 ", "0x1"}) EXPECT_FALSE(ParseNumber(text, 65535)) << text;
}

TEST(Text, ListsAreCutAtCommasThatAreNeitherQuotedNorInBrackets) {
  const auto elements = SplitList(" a , \"b,c\" <sip:x,y@h>;p=\"d\\\",e\" ,, <sip:z>,");
  ASSERT_EQ(elements.size(), 3);
  EXPECT_EQ(elements[0], "a");
  EXPECT_EQ(elements[1], "\"b,c\" <sip:x,y@h>;p=\"d\\\",e\"");
  EXPECT_EQ(elements[2], "<sip:z>");
}

TEST(Text, QuotingAndEscapingGoBothWays) {
  EXPECT_EQ(Unquote(Quote("a\"b\\c")), "a\"b\\c");
  EXPECT_EQ(Quote("a\r\nb"), "\"ab\"");
  EXPECT_EQ(Unescape("%41%zz%4"), "A%zz%4");
  EXPECT_EQ(Unescape(Escape("ä b@c", "")), "ä b@c");
}

TEST(HeaderName, IsKnownInAnyCaseAndInItsCompactForm) {
  EXPECT_EQ(ParseHeaderName("cAlL-iD"), Header::kCallId);
  EXPECT_EQ(ParseHeaderName("i"), Header::kCallId);
  EXPECT_EQ(ParseHeaderName("x"), Header::kSessionExpires);
  EXPECT_EQ(ParseHeaderName("Service1-Extension"), Header::kOther);
  for (size_t i = 1; i < static_cast<size_t>(Header::kCount); ++i) {
    const Header header = static_cast<Header>(i);
    EXPECT_EQ(ParseHeaderName(HeaderName(header)), header) << HeaderName(header);
  }
}

TEST(Endpoint, IsAnAddressWithAPortAndNeverAName) {
  EXPECT_EQ(Endpoint::Parse("198.18.1.1:5060")->ToString(), "198.18.1.1:5060");
  EXPECT_EQ(Endpoint::Parse("[2001:db8::1]:5060")->ToString(), "[2001:db8::1]:5060");
  for (const char* text : {"", "198.18.1.1", "host:5060", "198.18.1.1:65536", "198.18.1.1:x", "2001:db8::1:5060"}) {
    EXPECT_FALSE(Endpoint::Parse(text)) << text;
  }
}

}  // namespace
}  // namespace sluice::sip
