#include "signaling/call/header_passing.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace sluice::call {
namespace {

using sip::Header;

// The fields that `PassHeaders` takes over from an INVITE with these, one "Name: value" a line.
std::string Passed(std::initializer_list<std::pair<absl::string_view, absl::string_view>> fields,
                   const absl::flat_hash_set<std::string>& blocked = {}) {
  sip::Message from = sip::Message::Request("INVITE", "sip:b@example.org");
  for (const auto& [name, value] : fields) from.Add(name, value);
  sip::Message to = sip::Message::Request("INVITE", "sip:b@192.168.2.63");
  PassHeaders(from, blocked, to);
  std::string text;
  for (size_t i = 0; i < to.field_count(); ++i) absl::StrAppend(&text, to.field(i).name, ": ", to.field(i).value, "\n");
  return text;
}

TEST(PassHeaders, TakesOverWhatNobodyHereKnowsInItsOrderAndSpelling) {
  EXPECT_EQ(Passed({{"X-Second", "2"}, {"x-first", "1, 1"}, {"Subject", "hello"}, {"X-Second", "3"}}),
            "X-Second: 2\nx-first: 1, 1\nSubject: hello\nX-Second: 3\n");
}

TEST(PassHeaders, LeavesToEachLegWhatNamesRoutesAuthenticatesOrNegotiates) {
  for (const absl::string_view name : {"Via",
                                       "From",
                                       "To",
                                       "Call-ID",
                                       "CSeq",
                                       "Contact",
                                       "Route",
                                       "Record-Route",
                                       "Path",
                                       "Max-Forwards",
                                       "Max-Breadth",
                                       "Authorization",
                                       "Proxy-Authorization",
                                       "WWW-Authenticate",
                                       "Proxy-Authenticate",
                                       "Authentication-Info",
                                       "Require",
                                       "Proxy-Require",
                                       "Supported",
                                       "Unsupported",
                                       "Allow",
                                       "Session-Expires",
                                       "Min-SE",
                                       "RSeq",
                                       "RAck",
                                       "Replaces",
                                       "Session-ID",
                                       "P-Asserted-Identity",
                                       "P-Preferred-Identity",
                                       "Remote-Party-ID",
                                       "Timestamp",
                                       "Content-Type",
                                       "Content-Length",
                                       "v",
                                       "i",
                                       "k",
                                       "m"}) {
    EXPECT_EQ(Passed({{name, "1"}}), "") << name;
  }
}

TEST(PassHeaders, TakesOverWhatBelongsToTheCallAndNotToTheLeg) {
  for (const absl::string_view name :
       {"Reason", "Diversion", "History-Info", "Privacy", "Alert-Info", "Identity", "User-Agent", "Warning",
        "Retry-After", "Referred-By", "Event", "Subscription-State"}) {
    EXPECT_EQ(Passed({{name, "1"}}), absl::StrCat(name, ": 1\n")) << name;
  }
}

TEST(PassHeaders, LeavesOutWhatIsBlockedInAnySpelling) {
  EXPECT_EQ(Passed({{"X-SECRET", "1"}, {"X-Open", "2"}}, {"x-secret"}), "X-Open: 2\n");
}

TEST(PassBody, TakesTheBodyWithTheFieldsThatDescribeIt) {
  sip::Message from = sip::Message::Request("MESSAGE", "sip:b@example.org");
  from.Add(Header::kContentEncoding, "gzip");
  from.Add(Header::kContentDisposition, "render");
  from.Add("X-Other", "1");
  from.SetBody("text/plain", "hello");
  sip::Message to = sip::Message::Request("MESSAGE", "sip:b@192.168.2.63");
  PassBody(from, to);
  EXPECT_EQ(to.body(), "hello");
  EXPECT_EQ(to.Get(Header::kContentType), "text/plain");
  EXPECT_EQ(to.Get(Header::kContentEncoding), "gzip");
  EXPECT_EQ(to.Get(Header::kContentDisposition), "render");
  EXPECT_FALSE(to.Has("X-Other"));
}

TEST(PassBody, TakesNothingWhereThereIsNone) {
  sip::Message from = sip::Message::Request("INFO", "sip:b@example.org");
  from.Add(Header::kContentDisposition, "render");
  sip::Message to = sip::Message::Request("INFO", "sip:b@192.168.2.63");
  PassBody(from, to);
  EXPECT_FALSE(to.Has(Header::kContentDisposition));
}

TEST(PassedMaxForwards, IsOneLessUntilItMustGoNoFurther) {
  sip::Message request = sip::Message::Request("INVITE", "sip:b@example.org");
  EXPECT_EQ(PassedMaxForwards(request), 70u);
  for (const uint32_t value : {70u, 1u}) {
    request.Set(Header::kMaxForwards, absl::StrCat(value));
    EXPECT_EQ(PassedMaxForwards(request), value - 1);
  }
  request.Set(Header::kMaxForwards, "0");
  EXPECT_EQ(PassedMaxForwards(request), std::nullopt);
}

}  // namespace
}  // namespace sluice::call
