#include "signaling/transport/shard_of.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace sluice::transport {
namespace {

struct CallIdCase {
  const char* description;
  const char* message;
  const char* call_id;
};

TEST(FindCallId, FindsItHoweverItIsWritten) {
  const CallIdCase kCases[] = {
      {"long form", "OPTIONS sip:a SIP/2.0\r\nVia: x\r\nCall-ID: abc@host\r\n\r\n", "abc@host"},
      {"short form", "OPTIONS sip:a SIP/2.0\r\ni:abc\r\n\r\n", "abc"},
      {"odd case and blanks", "OPTIONS sip:a SIP/2.0\r\ncaLL-iD  \t:  abc \t\r\n\r\n", "abc"},
      {"line feeds only", "OPTIONS sip:a SIP/2.0\nCall-ID: abc\n\n", "abc"},
      {"value on the next line", "OPTIONS sip:a SIP/2.0\r\nCall-ID:\r\n  abc\r\n\r\n", "abc"},
      {"last line without an end", "OPTIONS sip:a SIP/2.0\r\nCall-ID: abc", "abc"},
      {"headers that begin alike", "OPTIONS sip:a SIP/2.0\r\nCall-Info: x\r\nIdentity: y\r\nCall-ID: abc\r\n\r\n",
       "abc"},
      {"no value", "OPTIONS sip:a SIP/2.0\r\nCall-ID:\r\nVia: x\r\n\r\n", ""},
      {"only in the body", "OPTIONS sip:a SIP/2.0\r\nVia: x\r\n\r\nCall-ID: abc\r\n", ""},
      {"only in the first line", "Call-ID: abc\r\n\r\n", ""},
      {"nothing at all", "", ""},
      {"one line", "garbage", ""},
      {"a line without colon", "a\r\nCall-ID\r\n", ""},
  };
  for (const CallIdCase& test : kCases) {
    EXPECT_EQ(FindCallId(test.message), test.call_id) << test.description;
  }
}

TEST(ShardOf, SpreadsCallIdsEvenly) {
  constexpr size_t kShards = 4;
  constexpr size_t kCalls = 10000;
  std::vector<size_t> calls(kShards);
  for (size_t i = 0; i < kCalls; ++i) ++calls[ShardOf(absl::StrCat("1-", i, "@198.18.1.2"), kShards)];
  for (const size_t count : calls) {
    EXPECT_GT(count, kCalls / kShards * 9 / 10);
    EXPECT_LT(count, kCalls / kShards * 11 / 10);
  }
}

TEST(ShardOf, KnowsOnlyOneWhereThereIsOne) {
  EXPECT_EQ(ShardOf("anything", 1), 0u);
  EXPECT_EQ(ShardOf("", 0), 0u);
}

}  // namespace
}  // namespace sluice::transport
