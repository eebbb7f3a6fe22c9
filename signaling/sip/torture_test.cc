// The messages of RFC 4475, each with what becomes of it here. Where the RFC lets an element choose, the choice is
// named.

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "signaling/sip/message.h"

namespace sluice::sip {
namespace {

constexpr int kTaken = 200;
constexpr int kDropped = 0;

struct Case {
  const char* name;
  // kTaken, kDropped (no message, or a response that is faulty), or the status of the answer.
  int outcome;
  const char* why;
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.name << ": " << one.why; }

constexpr Case kCases[] = {
    // 3.1.1, valid messages.
    {"wsinv", kTaken, "folding, spaces and mixed forms everywhere"},
    {"intmeth", kTaken, "the widest range of characters, NUL quoted in a display name"},
    {"esc01", kTaken, "escapes in user parts and parameters"},
    {"escnull", kTaken, "escaped NULs in URIs"},
    {"esc02", kTaken, "% in a method name is no escape"},
    {"lwsdisp", kTaken, "no space between display name and <"},
    {"longreq", kTaken, "long values of many fields"},
    {"dblreq", kTaken, "a second request behind the body is not looked at"},
    {"semiuri", kTaken, "semicolons in the user part"},
    {"transports", kTaken, "transports that nobody knows in Via"},
    {"mpart01", kTaken, "a multipart body with NUL bytes"},
    {"unreason", kTaken, "a reason phrase in UTF-8"},
    {"noreason", kTaken, "an empty reason phrase"},
    // 3.1.2, invalid messages.
    {"badinv01", 400, "extraneous separators in Via and Contact"},
    {"clerr", 400, "Content-Length above what came"},
    {"ncl", 400, "a negative Content-Length"},
    {"scalar02", 400, "a request with numbers out of range"},
    {"scalarlg", kDropped, "a response with numbers out of range"},
    {"quotbal", 400, "a quote without its end in To"},
    {"ltgtruri", 400, "angle brackets around the Request-URI"},
    {"lwsruri", 400, "spaces inside the Request-URI: not repaired"},
    {"lwsstart", 400, "two spaces in the request line: not repaired"},
    {"trws", kTaken, "spaces behind the version: clear what is meant"},
    {"escruri", kTaken, "headers in the Request-URI: ignored"},
    {"baddate", kTaken, "a Date in another time zone: nobody reads it"},
    {"regbadct", 400, "a Contact with a '?' outside of angle brackets"},
    {"badaspec", kTaken, "spaces inside the angle brackets of To: clear what is meant"},
    {"baddn", 400, "a display name with a comma and no quotes"},
    {"badvers", 505, "SIP/7.0"},
    {"mismatch01", 400, "CSeq names another method"},
    {"mismatch02", 400, "CSeq names another method, which is unknown"},
    {"bigcode", kDropped, "a response with a status of ten digits"},
    // 3.2, transaction layer semantics.
    {"badbranch", kTaken, "the magic cookie with nothing behind it: matched as of RFC 2543"},
    // 3.3, application layer semantics.
    {"insuf", 400, "no Call-ID, From or To"},
    {"unkscm", kTaken, "an unknown scheme in the Request-URI: for the agent, 416"},
    {"novelsc", kTaken, "a scheme that is known and nothing for SIP: for the agent, 416"},
    {"unksm2", kTaken, "unknown schemes in To, From and Contact"},
    {"bext01", kTaken, "unknown options in Require: for the agent, 420"},
    {"invut", kTaken, "an unknown body type: for the call, 415"},
    {"regaut01", kTaken, "an unknown authentication scheme"},
    {"multi01", 400, "fields that must stand once stand twice"},
    {"mcl01", 400, "two Content-Length fields"},
    {"bcast", kTaken, "a response with a broadcast address in its second Via: not matched, since not ours"},
    {"zeromf", kTaken, "Max-Forwards of zero: for the agent, 483"},
    {"cparam01", kTaken, "a Contact parameter that is none of the URI"},
    {"cparam02", kTaken, "a URI parameter in Contact"},
    {"regescrt", kTaken, "an escaped Route header in a Contact URI"},
    {"sdp01", kTaken, "a body type that is not accepted back"},
    // 3.4, backward compatibility.
    {"inv2543", kTaken, "an INVITE of RFC 2543"},
};
static_assert(std::size(kCases) == 49);

std::string Read(const char* name) {
  std::ifstream file(absl::StrCat("signaling/sip/testdata/rfc4475/", name, ".dat"), std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

class Torture : public testing::TestWithParam<Case> {};

TEST_P(Torture, EndsAsItShould) {
  const std::string bytes = Read(GetParam().name);
  ASSERT_FALSE(bytes.empty());
  const ParseResult parsed = Message::Parse(bytes);
  if (parsed.ok()) {
    EXPECT_EQ(GetParam().outcome, kTaken);
    // What is passed on says the same.
    const std::string written = parsed.message.Serialize();
    const ParseResult again = Message::Parse(written);
    ASSERT_TRUE(again.ok()) << again.error->text;
    EXPECT_EQ(again.message.Serialize(), written);
    return;
  }
  const bool answered = parsed.message.is_request() && parsed.error->status != 0;
  EXPECT_EQ(GetParam().outcome, answered ? parsed.error->status : kDropped) << parsed.error->text;
}

INSTANTIATE_TEST_SUITE_P(Rfc4475, Torture, testing::ValuesIn(kCases),
                         [](const testing::TestParamInfo<Case>& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace sluice::sip
