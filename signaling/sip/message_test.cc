#include "signaling/sip/message.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"

namespace sluice::sip {
namespace {

constexpr absl::string_view kInvite =
    "INVITE sip:b@198.18.0.1 SIP/2.0\r\n"
    "v: SIP/2.0/UDP 198.18.1.2:5060;branch=z9hG4bK1, SIP/2.0/TCP 198.18.1.3;branch=z9hG4bK0\r\n"
    "Via: SIP/2.0/UDP 198.18.1.4\r\n"
    "f: \"Alice\" <sip:a@198.18.0.1>;tag=from\r\n"
    "To: <sip:b@198.18.0.1>\r\n"
    "i: call-1\r\n"
    "CSeq: 7 INVITE\r\n"
    "Supported: timer,\r\n"
    " \t100rel\r\n"
    "k: replaces\r\n"
    "X-Unknown: stays;as, it \"is\r\n"
    "Record-Route: <sip:198.18.1.2;lr>\r\n"
    "l: 3\r\n"
    "\r\n"
    "abcdef";

std::string With(absl::string_view from, absl::string_view to) { return absl::StrReplaceAll(kInvite, {{from, to}}); }

TEST(Message, OfACallIsWrittenByteForByteAsItCame) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator("signaling/sip/testdata/call")) {
    if (entry.path().extension() == ".sip") paths.push_back(entry.path());
  }
  ASSERT_EQ(paths.size(), 17);
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const ParseResult parsed = Message::Parse(bytes);
    ASSERT_TRUE(parsed.ok()) << path << ": " << parsed.error->text;
    EXPECT_EQ(parsed.message.Serialize(), bytes) << path;
  }
}

TEST(Message, IsIndexedOnceAndReadWhenAsked) {
  const ParseResult parsed = Message::Parse(kInvite);
  ASSERT_TRUE(parsed.ok()) << parsed.error->text;
  const Message& message = parsed.message;
  EXPECT_EQ(message.method(), Method::kInvite);
  EXPECT_EQ(message.StartLine(), "INVITE sip:b@198.18.0.1 SIP/2.0");
  EXPECT_EQ(message.Elements(Header::kVia).size(), 3);
  EXPECT_EQ(message.TopBranch(), "z9hG4bK1");
  EXPECT_EQ(message.FromTag(), "from");
  EXPECT_EQ(message.ToTag(), "");
  EXPECT_EQ(message.CallId(), "call-1");
  EXPECT_EQ(message.CSeqNumber(), 7);
  EXPECT_TRUE(message.HasElement(Header::kSupported, "100REL"));
  EXPECT_TRUE(message.HasElement(Header::kSupported, "replaces"));
  EXPECT_EQ(message.Get("x-unknown"), "stays;as, it \"is");
  EXPECT_EQ(message.body(), "abc");
}

TEST(Message, TakesLineFeedsAloneAndEmptyLinesAhead) {
  // Without the folded line, whose line end becomes as many spaces as it had bytes.
  const std::string invite = With("timer,\r\n \t", "timer, ");
  const ParseResult parsed = Message::Parse("\r\n\n" + absl::StrReplaceAll(invite, {{"\r\n", "\n"}}));
  ASSERT_TRUE(parsed.ok()) << parsed.error->text;
  EXPECT_EQ(parsed.message.Serialize(), Message::Parse(invite).message.Serialize());
}

TEST(Message, NamesItsFaultAndTheAnswer) {
  const std::string long_value(20000, 'x');
  struct Case {
    std::string text;
    int status;
    const char* says;
  };
  for (const Case& one : {
           Case{With("SIP/2.0\r\nv", "SIP/3.0\r\nv"), 505, "version"},
           Case{With("i: call-1\r\n", ""), 400, "Call-ID is missing"},
           Case{With("7 INVITE", "7 BYE"), 400, "CSeq names another method"},
           Case{With("7 INVITE", "2147483648 INVITE"), 400, "CSeq"},
           Case{With("i: call-1", "i: call-1\r\ni: call-2"), 400, "Call-ID stands more than once"},
           Case{With("l: 3", "l: 7"), 400, "Content-Length 7"},
           Case{With("l: 3", "l: 3\r\nl: 3"), 400, "Content-Length stands more than once"},
           Case{With("l: 3", "Max-Forwards: 256"), 400, "Max-Forwards"},
           Case{With("l: 3", "Contact: <sip:a"), 400, "Contact is no address"},
           Case{With("l: 3", "no colon"), 400, "without a name"},
           Case{With("l: 3", "X: " + long_value), 400, "above 16384 bytes"},
           Case{With("stays", std::string("\0", 1)), 400, "NUL"},
           Case{With("stays", "a\rb"), 400, "lone CR"},
           Case{With("\r\n\r\nabcdef", "\r\n"), 400, "no empty line"},
           Case{With("v: SIP/2.0/UDP", "v: SIP/2.0"), 400, "Via"},
           Case{With("INVITE sip", "INV@TE sip"), 0, "method is no token"},
           Case{With("INVITE sip:b@198.18.0.1 SIP/2.0", "hello"), 0, "no request line"},
           Case{"\r\n", 0, "empty"},
           Case{"INVITE   \r\n\r\n", 0, "no request line"},
           Case{"SIP/2.0 99 Low\r\n\r\n", 0, "status"},
       }) {
    const ParseResult parsed = Message::Parse(one.text);
    ASSERT_FALSE(parsed.ok()) << one.says;
    EXPECT_EQ(parsed.error->status, one.status) << parsed.error->text;
    EXPECT_TRUE(absl::StrContains(parsed.error->text, one.says)) << parsed.error->text;
  }
}

TEST(Message, IsRefusedAboveItsLimits) {
  EXPECT_EQ(Message::Parse(kInvite, {.message_bytes = 100}).error->status, 513);
  EXPECT_EQ(Message::Parse(kInvite, {.fields = 5}).error->status, 400);
}

TEST(Message, ResponseRepeatsWhatRfc3261Demands) {
  const Message invite = Message::Parse(kInvite).message;
  const Message ringing = Message::ResponseTo(invite, 180, "mine");
  EXPECT_EQ(ringing.Serialize(),
            "SIP/2.0 180 Ringing\r\n"
            "Via: SIP/2.0/UDP 198.18.1.2:5060;branch=z9hG4bK1, SIP/2.0/TCP 198.18.1.3;branch=z9hG4bK0\r\n"
            "Via: SIP/2.0/UDP 198.18.1.4\r\n"
            "From: \"Alice\" <sip:a@198.18.0.1>;tag=from\r\n"
            "To: <sip:b@198.18.0.1>;tag=mine\r\n"
            "Call-ID: call-1\r\n"
            "CSeq: 7 INVITE\r\n"
            "Record-Route: <sip:198.18.1.2;lr>\r\n"
            "Content-Length: 0\r\n\r\n");
  EXPECT_EQ(ringing.method(), Method::kInvite);
  EXPECT_EQ(Message::ResponseTo(invite, 100, "mine").ToTag(), "");
  EXPECT_FALSE(Message::ResponseTo(invite, 486, "mine").Has(Header::kRecordRoute));
}

TEST(Message, IsEditedWithoutTouchingItsNeighbours) {
  Message message = Message::Parse(kInvite).message;
  message.SetFirstElement(Header::kVia, "SIP/2.0/UDP first");
  message.RemoveFirstElement(Header::kSupported);
  message.Set("x-unknown", message.Get(Header::kCallId));
  message.Remove(Header::kRecordRoute);
  message.AddFirst(Header::kVia, "SIP/2.0/UDP zeroth");
  message.SetBody("application/sdp", "v=0\r\n");
  message.SetRequestUri("sip:c@h");
  EXPECT_EQ(message.Serialize(),
            "INVITE sip:c@h SIP/2.0\r\n"
            "Via: SIP/2.0/UDP zeroth\r\n"
            "v: SIP/2.0/UDP first, SIP/2.0/TCP 198.18.1.3;branch=z9hG4bK0\r\n"
            "Via: SIP/2.0/UDP 198.18.1.4\r\n"
            "f: \"Alice\" <sip:a@198.18.0.1>;tag=from\r\n"
            "To: <sip:b@198.18.0.1>\r\n"
            "i: call-1\r\n"
            "CSeq: 7 INVITE\r\n"
            "Supported: 100rel\r\n"
            "k: replaces\r\n"
            "X-Unknown: call-1\r\n"
            "l: 5\r\n"
            "Content-Type: application/sdp\r\n"
            "\r\n"
            "v=0\r\n");
}

TEST(Message, LetsNobodySmuggleInAField) {
  Message message = Message::Request("OPTIONS", "sip:h\r\nX: y");
  message.Add("Subject", "a\r\nEvil: yes");
  EXPECT_EQ(message.Serialize(), "OPTIONS sip:h  X: y SIP/2.0\r\nSubject: a  Evil: yes\r\nContent-Length: 0\r\n\r\n");
}

TEST(Message, NamesTheOptionsThatWeLack) {
  Message message = Message::Request("INVITE", "sip:h");
  message.Add(Header::kRequire, "timer, nothingSupportsThis");
  message.Add(Header::kRequire, "100rel");
  EXPECT_EQ(message.UnsupportedOptions({"Timer", "100rel"}), std::vector<absl::string_view>{"nothingSupportsThis"});
}

}  // namespace
}  // namespace sluice::sip
