#include "signaling/routing/number_pattern.h"

#include "gtest/gtest.h"
#include "signaling/routing/number_rewrite.h"

namespace sluice::routing {
namespace {

struct MatchCase {
  const char* pattern;
  const char* number;
  bool matches;
};

TEST(NumberPattern, MatchesWholeNumbersOfDigitsAndNothingElse) {
  const MatchCase cases[] = {
      {"112", "112", true},    {"112", "1123", false},     {"112", "11", false},      {"+49*", "+4930123", true},
      {"+49*", "+49", true},   {"+49*", "4930123", false}, {"0X", "09", true},        {"0X", "0#", false},
      {"0X", "0x", false},     {"0[2-9]X", "021", true},   {"0[2-9]X", "011", false}, {"[013-5]", "4", true},
      {"[013-5]", "2", false}, {"*", "12345", true},       {"*", "+12345", true},     {"*", "", true},
      {"*", "alice", false},   {"*", "12+3", false},       {"1*", "1+2", false},      {"1*", "12;x=y", false},
      {"*", "*97", true},      {"#21#", "#21#", true},     {"X*", "5*1#", true},      {"0X*", "0", false},
  };
  for (const MatchCase& c : cases) {
    const auto pattern = NumberPattern::Parse(c.pattern);
    ASSERT_TRUE(pattern.ok()) << c.pattern << ": " << pattern.status();
    EXPECT_EQ(pattern->Matches(c.number), c.matches) << c.pattern << " and " << c.number;
  }
}

TEST(NumberPattern, RefusesWhatIsNoPatternAndSaysWhatIs) {
  for (const char* text :
       {"", "*1", "1**", "x", "N", "[2-9", "2]", "[]", "[9-2]", "[a]", "[2-]", "[-2]", "[+]", "1 2", "1-2", "(1)"}) {
    const auto pattern = NumberPattern::Parse(text);
    ASSERT_FALSE(pattern.ok()) << text;
    EXPECT_NE(pattern.status().message().find("allowed: digits"), absl::string_view::npos) << text;
  }
  EXPECT_TRUE(NumberPattern::Parse(std::string(NumberPattern::kMaxLength, 'X')).ok());
  EXPECT_FALSE(NumberPattern::Parse(std::string(NumberPattern::kMaxLength + 1, 'X')).ok());
}

TEST(NumberRewrite, TakesFromTheFrontAndPutsInItsPlace) {
  EXPECT_EQ((NumberRewrite{}).Apply("030123"), "030123");
  EXPECT_EQ((NumberRewrite{1, "+49"}).Apply("030123"), "+4930123");
  EXPECT_EQ((NumberRewrite{3, ""}).Apply("030123"), "123");
  EXPECT_EQ((NumberRewrite{10, "9"}).Apply("030"), "9");
}

}  // namespace
}  // namespace sluice::routing
