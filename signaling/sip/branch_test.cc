#include "signaling/sip/branch.h"

#include "gtest/gtest.h"

namespace sluice::sip {
namespace {

TEST(Branch, IsReadAsItWasWritten) {
  for (const Branch& branch : {Branch{0x0123456789abcdef, 0}, Branch{1, 0xfedcba9876543210}, Branch{~0ull, 1}}) {
    const std::optional<Branch> read = Branch::Parse(branch.ToString());
    ASSERT_TRUE(read.has_value()) << branch.ToString();
    EXPECT_EQ(read->number, branch.number);
    EXPECT_EQ(read->mark, branch.mark);
  }
  EXPECT_EQ((Branch{0x0123456789abcdef, 0}.ToString()), "z9hG4bK0123456789abcdef");
  EXPECT_EQ((Branch{1, 2}.ToString()), "z9hG4bK00000000000000010000000000000002");
}

TEST(Branch, IsNotTakenForOneOfOursThatIsNone) {
  for (const absl::string_view branch :
       {"", "z9hG4bK", "z9hG4bK1", "Z9HG4BK0123456789abcdef", "z9hG4bK0123456789abcdeg", "z9hG4bK0123456789abcdef0",
        "z9hG4bK0123456789abcdef0123456789abcdeg", "0123456789abcdef",
        "z9hG4bK0123456789abcdef0123456789abcdef0123456789abcdef"}) {
    EXPECT_FALSE(Branch::Parse(branch).has_value()) << branch;
  }
}

}  // namespace
}  // namespace sluice::sip
