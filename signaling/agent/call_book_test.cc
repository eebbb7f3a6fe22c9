#include "signaling/agent/call_book.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace sluice::agent {
namespace {

constexpr absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

class CallBookTest : public testing::Test {
 protected:
  // A call that began `seconds` after the start. The book does not care what is in it.
  BookedCall& Add(const std::string& call_id, int seconds) {
    return book_.Add({.call_id = call_id, .start_time = kStart + absl::Seconds(seconds)}, nullptr);
  }
  void EndAndKeep(BookedCall& call) {
    book_.End(call);
    book_.Keep(call);
  }
  std::vector<std::string> Page(absl::Time time, absl::string_view call_id, size_t size) {
    std::vector<std::string> ids;
    for (const BookedCall* call : book_.Page(time, call_id, size)) ids.push_back(call->summary.call_id);
    return ids;
  }

  CallBook book_{2};
};

TEST_F(CallBookTest, PagesFromTheNewestToTheOldestWithoutASeam) {
  for (int i = 0; i < 4; ++i) Add(absl::StrCat("call-", i), i);
  EXPECT_EQ(Page(absl::InfiniteFuture(), "", 3), (std::vector<std::string>{"call-3", "call-2", "call-1"}));
  EXPECT_EQ(Page(kStart + absl::Seconds(1), "call-1", 3), (std::vector<std::string>{"call-0"}));
}

TEST_F(CallBookTest, TellsCallsOfTheSameMomentApart) {
  Add("a", 0);
  Add("b", 0);
  EXPECT_EQ(Page(kStart, "b", 3), (std::vector<std::string>{"a"}));
}

TEST_F(CallBookTest, ListsOnlyCallsThatExist) {
  BookedCall& call = Add("a", 0);
  book_.End(call);
  EXPECT_TRUE(Page(absl::InfiniteFuture(), "", 3).empty());
  EXPECT_EQ(book_.live_size(), 0u);
  EXPECT_EQ(book_.Find("a"), &call);
}

TEST_F(CallBookTest, FindsADialogUntilItIsOver) {
  BookedCall& call = Add("a", 0);
  book_.AddDialog(call, 1, "leg", "tag");
  EXPECT_EQ(book_.FindDialog("leg", "tag").call, &call);
  EXPECT_EQ(book_.FindDialog("leg", "tag").leg, 1u);
  EXPECT_EQ(book_.FindDialog("leg", "other").call, nullptr);
  book_.RemoveDialog(call, "leg", "tag");
  EXPECT_EQ(book_.FindDialog("leg", "tag").call, nullptr);
}

TEST_F(CallBookTest, EndsTheDialogsOfACallWithIt) {
  BookedCall& call = Add("a", 0);
  book_.AddDialog(call, 0, "leg-a", "tag");
  book_.AddDialog(call, 1, "leg-b", "tag");
  book_.End(call);
  EXPECT_EQ(book_.dialog_size(), 0u);
}

TEST_F(CallBookTest, FindsTheLegsOfAnEndedCallUntilItIsForgotten) {
  for (int i = 0; i < 3; ++i) {
    BookedCall& call = Add(absl::StrCat("call-", i), i);
    book_.AddLeg(call, 0, absl::StrCat("leg-", i));
    EndAndKeep(call);
  }
  EXPECT_EQ(book_.Find("call-0"), nullptr);
  EXPECT_EQ(book_.FindLeg("leg-0").call, nullptr);
  EXPECT_NE(book_.Find("call-1"), nullptr);
  EXPECT_NE(book_.FindLeg("leg-2").call, nullptr);
}

TEST_F(CallBookTest, ForgetsNoCallThatAwaitsItsRecord) {
  BookedCall& waiting = Add("waiting", 0);
  book_.End(waiting);
  for (int i = 0; i < 3; ++i) EndAndKeep(Add(absl::StrCat("call-", i), i));
  EXPECT_EQ(book_.Find("waiting"), &waiting);
}

TEST_F(CallBookTest, LeavesANameToTheNewerCallThatTookIt) {
  BookedCall& older = Add("older", 0);
  book_.AddLeg(older, 0, "leg");
  EndAndKeep(older);
  BookedCall& newer = Add("newer", 1);
  book_.AddLeg(newer, 0, "leg");
  for (int i = 0; i < 2; ++i) EndAndKeep(Add(absl::StrCat("call-", i), i));
  EXPECT_EQ(book_.Find("older"), nullptr);
  EXPECT_EQ(book_.FindLeg("leg").call, &newer);
}

}  // namespace
}  // namespace sluice::agent
