#include "signaling/sip/stream_framer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace sluice::sip {
namespace {

std::string WithBody(absl::string_view body) {
  return absl::StrCat("MESSAGE sip:h SIP/2.0\r\nl :", body.size(), "\r\n\r\n", body);
}

// What comes out if `stream` arrives `piece` bytes at a time: messages, "ping", and at the end an error if there is
// one.
std::vector<std::string> Cut(absl::string_view stream, size_t piece, size_t max = 65535) {
  StreamFramer framer(max);
  std::vector<std::string> items;
  while (true) {
    const StreamFramer::Item item = framer.Next();
    if (item.kind == StreamFramer::Item::kMessage) items.emplace_back(item.bytes);
    if (item.kind == StreamFramer::Item::kPing) items.emplace_back("ping");
    if (item.kind == StreamFramer::Item::kError) {
      items.push_back(absl::StrCat("error: ", item.error));
      return items;
    }
    if (item.kind != StreamFramer::Item::kMore) continue;
    if (stream.empty()) return items;
    framer.Append(stream.substr(0, piece));
    stream.remove_prefix(std::min(piece, stream.size()));
  }
}

TEST(StreamFramer, CutsMessagesWhereverTheStreamIsBroken) {
  const std::vector<std::string> expected = {WithBody("one\r\n\r\n"), "ping", WithBody(""), WithBody("three")};
  const std::string stream = absl::StrCat(expected[0], "\r\n\r\n", expected[2], "\r\n", expected[3]);
  for (size_t piece = 1; piece <= stream.size(); ++piece) EXPECT_EQ(Cut(stream, piece), expected) << piece;
}

TEST(StreamFramer, TakesLineFeedsAloneAndAFoldedLength) {
  const std::string message = "MESSAGE sip:h SIP/2.0\nContent-Length:\n 2\n\nab";
  EXPECT_EQ(Cut(message + message, 3), (std::vector<std::string>{message, message}));
}

TEST(StreamFramer, EndsAMessageWithoutLengthWithItsHeader) {
  EXPECT_EQ(Cut("BYE sip:h SIP/2.0\r\n\r\n", 100), std::vector<std::string>{"BYE sip:h SIP/2.0\r\n\r\n"});
}

TEST(StreamFramer, GivesUpWhereNobodyCanSayHowToGoOn) {
  EXPECT_EQ(Cut("BYE sip:h SIP/2.0\r\nl: -1\r\n\r\n", 100),
            std::vector<std::string>{"error: Content-Length is no number up to 65535"});
  EXPECT_EQ(Cut("BYE sip:h SIP/2.0\r\nl: 1\r\nContent-Length: 2\r\n\r\nab", 100),
            std::vector<std::string>{"error: two Content-Length fields that differ"});
  EXPECT_EQ(Cut(std::string(1000, 'x'), 100, 500), std::vector<std::string>{"error: no end of header in 500 bytes"});
  EXPECT_EQ(Cut(WithBody(std::string(490, 'x')), 100, 500),
            std::vector<std::string>{"error: a message above 500 bytes"});
}

TEST(StreamFramer, KnowsWhetherAMessageHasBegun) {
  StreamFramer framer;
  EXPECT_FALSE(framer.in_message());
  framer.Append("BYE sip:h");
  framer.Next();
  EXPECT_TRUE(framer.in_message());
}

}  // namespace
}  // namespace sluice::sip
