#include "process/utf8.h"

#include "gtest/gtest.h"

namespace sluice::process {
namespace {

TEST(Utf8, KeepsWhatIsValidAndReplacesTheRest) {
  EXPECT_EQ(ToUtf8(""), "");
  EXPECT_EQ(ToUtf8("测试APP2"), "测试APP2");
  EXPECT_EQ(ToUtf8("a\xff"
                   "b\xc3"),
            "a?b?");
}

}  // namespace
}  // namespace sluice::process
