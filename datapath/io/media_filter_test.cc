// Runs the XDP program in the kernel on packets of our own and compares with packet::Parse. Needs root (BPF), but no
// interface: BPF_PROG_TEST_RUN gives frames to the program directly.

#include "datapath/io/media_filter.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "datapath/io/xdp/media_range_map.h"
#include "datapath/packet/packet_builder.h"
#include "datapath/packet/packet_fixtures.h"
#include "datapath/packet/parse.h"

namespace sluice::io {
namespace {

// The kernel itself gives no program a frame without a whole Ethernet header, nor does BPF_PROG_TEST_RUN.
constexpr size_t kLeastFrame = 14;

class MediaFilterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto file = MediaFilterFile::Make();
    ASSERT_TRUE(file.ok()) << file.status();
    object_ = bpf_object__open_file(file->path().c_str(), nullptr);
    ASSERT_NE(object_, nullptr);
    ASSERT_EQ(bpf_object__load(object_), 0) << "these tests need root";
    program_ = bpf_program__fd(bpf_object__find_program_by_name(object_, kMediaProgramName));
    // A redirection to a queue without a socket comes out as XDP_PASS, so the queue gets one.
    socket_ = socket(AF_XDP, SOCK_RAW, 0);
    ASSERT_GE(socket_, 0);
    const uint32_t queue = 0;
    ASSERT_EQ(bpf_map_update_elem(Map("xsks_map"), &queue, &socket_, BPF_ANY), 0) << strerror(errno);
    Take("198.18.1.1", 24000, 25000);
    Take("2001:db8:1::1", 24000, 25000);
  }
  void TearDown() override {
    bpf_object__close(object_);
    close(socket_);
  }

  int Map(const char* name) const { return bpf_object__find_map_fd_by_name(object_, name); }

  void Take(std::string_view address, uint16_t first, uint16_t last) {
    const packet::IpAddress parsed = *packet::IpAddress::Parse(address);
    const MediaRangeKey key = {parsed.raw_high(), parsed.raw_low()};
    const MediaRangePorts ports = {first, last};
    ASSERT_EQ(bpf_map_update_elem(Map(kMediaMapName), &key, &ports, BPF_ANY), 0);
  }

  bool IsTaken(const std::vector<uint8_t>& frame) {
    LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.data(), .data_size_in = static_cast<uint32_t>(frame.size()));
    EXPECT_EQ(bpf_prog_test_run_opts(program_, &run), 0) << strerror(errno);
    EXPECT_TRUE(run.retval == XDP_REDIRECT || run.retval == XDP_PASS) << run.retval;
    return run.retval == XDP_REDIRECT;
  }
  bool IsTaken(std::string_view from, std::string_view to) { return IsTaken(packet::PacketBuilder(from, to).Build()); }

  bpf_object* object_ = nullptr;
  int program_ = -1;
  int socket_ = -1;
};

TEST_F(MediaFilterTest, TakesWhatParsesAndPassesEverythingElse) {
  size_t taken = 0;
  for (const packet::PacketFixture& fixture : packet::PacketFixtures()) {
    if (fixture.frame.size() < kLeastFrame) continue;
    const auto parsed = packet::Parse(fixture.frame.data(), fixture.frame.size());
    ASSERT_EQ(parsed.verdict, fixture.verdict) << fixture.description;
    EXPECT_EQ(IsTaken(fixture.frame), parsed.verdict == packet::DropReason::kNone) << fixture.description;
    taken += parsed.verdict == packet::DropReason::kNone;
  }
  EXPECT_GE(taken, 10u);
}

TEST_F(MediaFilterTest, TakesTheWholePortRangeAndNoPortBeside) {
  EXPECT_FALSE(IsTaken("198.18.1.2:21000", "198.18.1.1:23999"));
  EXPECT_TRUE(IsTaken("198.18.1.2:21000", "198.18.1.1:24000"));
  EXPECT_TRUE(IsTaken("198.18.1.2:21000", "198.18.1.1:25000"));
  EXPECT_FALSE(IsTaken("198.18.1.2:21000", "198.18.1.1:25001"));
}

TEST_F(MediaFilterTest, SipAndDnsStayWithTheKernel) {
  EXPECT_FALSE(IsTaken("198.18.1.2:5060", "198.18.1.1:5060"));
  EXPECT_FALSE(IsTaken("198.18.1.2:53", "198.18.1.1:53000"));
}

TEST_F(MediaFilterTest, AnotherAddressIsNotTheRelays) {
  EXPECT_FALSE(IsTaken("198.18.1.2:21000", "198.18.1.3:24594"));
  EXPECT_FALSE(IsTaken("[2001:db8:1::2]:21000", "[2001:db8:1::3]:24594"));
}

TEST_F(MediaFilterTest, EachAddressHasARangeOfItsOwn) {
  Take("198.18.1.9", 30000, 30000);
  EXPECT_TRUE(IsTaken("198.18.1.2:21000", "198.18.1.9:30000"));
  EXPECT_FALSE(IsTaken("198.18.1.2:21000", "198.18.1.9:24594"));
  EXPECT_FALSE(IsTaken("198.18.1.2:21000", "198.18.1.1:30000"));
}

}  // namespace
}  // namespace sluice::io
