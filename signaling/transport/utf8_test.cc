#include "signaling/transport/utf8.h"

#include <string>

#include "gtest/gtest.h"

namespace sluice::transport {
namespace {

TEST(Utf8, TakesTextOfAllLengths) {
  for (const char* text : {"", "INVITE sip:x SIP/2.0", "J\xc3\xbcrgen", "\xe2\x82\xac", "\xf0\x9f\x93\x9e"}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
  }
}

TEST(Utf8, RefusesWhatIsNone) {
  struct Case {
    const char* description;
    std::string bytes;
  };
  for (const Case& c : {Case{"Latin-1", "J\xfcrgen"}, Case{"cut", "\xe2\x82"}, Case{"a continuation alone", "\x80"},
                        Case{"a longer form than needed", "\xc0\xaf"}, Case{"half of a UTF-16 pair", "\xed\xa0\x80"},
                        Case{"beyond Unicode", "\xf4\x90\x80\x80"}, Case{"a first byte that is none", "\xff"}}) {
    EXPECT_FALSE(IsUtf8(c.bytes)) << c.description;
  }
}

}  // namespace
}  // namespace sluice::transport
