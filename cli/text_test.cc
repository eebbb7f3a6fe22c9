#include "cli/text.h"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

TEST(Text, ReplacesWhatSteersATerminalAndWhatIsNoUtf8) {
  EXPECT_EQ(Printable("Jürgen 山田"), "Jürgen 山田");
  EXPECT_EQ(Printable("a\x1b[31m\r\n\t"), "a?[31m???");
  EXPECT_EQ(Printable("\xc2\x9b"
                      "31m"),
            "?31m")
      << "the C1 form of ESC [";
  EXPECT_EQ(Printable("\xe2\x80\xae"
                      "abc"),
            "?abc")
      << "right-to-left override";
  EXPECT_EQ(Printable("\xff\xc3"), "??");
  EXPECT_EQ(Printable("\xc0\xaf"), "??") << "an overlong slash";
  EXPECT_EQ(Printable("\xed\xa0\x80"), "???") << "a surrogate";
}

TEST(Text, CountsTheColumnsOfATerminal) {
  EXPECT_EQ(DisplayWidth("Jürgen"), 6u);
  EXPECT_EQ(DisplayWidth("山田"), 4u);
  EXPECT_EQ(DisplayWidth("e\xcc\x81"), 1u) << "e and a combining accent";
  EXPECT_EQ(PadRight("山", 4), "山  ");
  EXPECT_EQ(PadLeft("12345", 4), "12345");
}

TEST(Text, GivesEveryValueItsUnit) {
  EXPECT_EQ(FormatClock(absl::Seconds(7)), "0:07");
  EXPECT_EQ(FormatClock(absl::Seconds(3723)), "1:02:03");
  EXPECT_EQ(FormatClock(absl::Seconds(-5)), "0:00");
  EXPECT_EQ(FormatShort(absl::Nanoseconds(3400)), "3 us");
  EXPECT_EQ(FormatShort(absl::Microseconds(1234)), "1.2 ms");
  EXPECT_EQ(FormatShort(absl::Milliseconds(4000)), "4.0 s");
  EXPECT_EQ(FormatBytes(1023), "1023 B");
  EXPECT_EQ(FormatBytes(uint64_t{3} << 30), "3.0 GiB");
  EXPECT_EQ(FormatShare(0.125), "12.5 %");
}

TEST(Text, WritesEndpointsOfBothFamilies) {
  relay::v1::Endpoint endpoint;
  EXPECT_EQ(FormatEndpoint(endpoint), "-");
  endpoint.set_address("2001:db8::1");
  endpoint.set_port(24594);
  EXPECT_EQ(FormatEndpoint(endpoint), "[2001:db8::1]:24594");
  endpoint.set_address("198.18.1.1");
  EXPECT_EQ(FormatEndpoint(endpoint), "198.18.1.1:24594");
}

}  // namespace
}  // namespace sluice::cli
