#include "signaling/call/early_dialogs.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace sluice::call {
namespace {

sip::Message Reliable(uint32_t rseq, absl::string_view tag = "t") {
  sip::Message response = sip::Message::Response(183);
  response.Add(sip::Header::kTo, absl::StrCat("<sip:b@example.org>;tag=", tag));
  response.Add(sip::Header::kCSeq, "9 INVITE");
  response.Add(sip::Header::kRequire, "100rel");
  response.Add(sip::Header::kRSeq, absl::StrCat(rseq));
  return response;
}

TEST(EarlyDialogs, AskForAPrackWhereAllThatItNeedsIsThere) {
  EXPECT_TRUE(EarlyDialogs::IsReliable(Reliable(1)));
  for (const sip::Header missing : {sip::Header::kTo, sip::Header::kRequire, sip::Header::kRSeq}) {
    sip::Message response = Reliable(1);
    response.Remove(missing);
    EXPECT_FALSE(EarlyDialogs::IsReliable(response)) << sip::HeaderName(missing);
  }
  EXPECT_FALSE(EarlyDialogs::IsReliable(Reliable(0))) << "numbers begin with 1";
  sip::Message final = sip::Message::Response(200);
  final.Add(sip::Header::kTo, "<sip:b@example.org>;tag=t");
  final.Add(sip::Header::kRequire, "100rel");
  final.Add(sip::Header::kRSeq, "1");
  EXPECT_FALSE(EarlyDialogs::IsReliable(final));
}

TEST(EarlyDialogs, BeginWithAnyNumberAndGoOnOneByOne) {
  EarlyDialogs dialogs;
  EXPECT_TRUE(dialogs.Take(Reliable(100), ""));
  EXPECT_FALSE(dialogs.Take(Reliable(100), "")) << "a copy";
  EXPECT_FALSE(dialogs.Take(Reliable(102), "")) << "101 is missing";
  EXPECT_TRUE(dialogs.Take(Reliable(101), ""));
  EXPECT_FALSE(dialogs.Take(Reliable(100), "")) << "an old copy";
  EXPECT_TRUE(dialogs.Take(Reliable(102), ""));
}

TEST(EarlyDialogs, CountEachForItself) {
  EarlyDialogs dialogs;
  EXPECT_TRUE(dialogs.Take(Reliable(100, "a"), ""));
  EXPECT_TRUE(dialogs.Take(Reliable(7, "b"), ""));
  EXPECT_FALSE(dialogs.Take(Reliable(7, "b"), ""));
  EXPECT_TRUE(dialogs.Take(Reliable(101, "a"), ""));
}

TEST(EarlyDialogs, StandByTheFirstSessionThatTheyGave) {
  EarlyDialogs dialogs;
  EXPECT_EQ(dialogs.SessionOf("a"), "");
  dialogs.Take(Reliable(1, "a"), "");
  EXPECT_EQ(dialogs.SessionOf("a"), "");
  dialogs.Take(Reliable(2, "a"), "first");
  dialogs.Take(Reliable(3, "a"), "second");
  dialogs.Take(Reliable(1, "b"), "other");
  EXPECT_EQ(dialogs.SessionOf("a"), "first");
  EXPECT_EQ(dialogs.SessionOf("b"), "other");
}

TEST(EarlyDialogs, AreSixteenAtMost) {
  EarlyDialogs dialogs;
  for (int i = 0; i < 16; ++i) EXPECT_TRUE(dialogs.Take(Reliable(1, absl::StrCat("t", i)), ""));
  EXPECT_FALSE(dialogs.Take(Reliable(1, "t16"), ""));
}

}  // namespace
}  // namespace sluice::call
