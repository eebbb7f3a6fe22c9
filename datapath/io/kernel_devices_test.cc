// AF_PACKET and AF_XDP on veth pairs in namespaces. EAL starts once a process, so each relay is a child of its own.
// Needs root.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <rte_mbuf.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <functional>
#include <optional>

#include "datapath/io/eal.h"
#include "datapath/io/interfaces.h"
#include "datapath/io/network_namespace.h"
#include "datapath/packet/parse.h"

namespace sluice::io {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr uint16_t kMediaPort = 24594;
constexpr uint16_t kOtherPort = 5060;

// A relay in a process of its own: opens r1 and says "open", or the error. Then it counts media, says "media N" after
// each datagram, and closes when its standard input does.
class RelayProcess {
 public:
  RelayProcess(const NetworkNamespace& space, InterfaceOptions options) {
    int to_child[2];
    int from_child[2];
    if (pipe(to_child) != 0 || pipe(from_child) != 0) abort();
    pid_ = fork();
    if (pid_ == 0) {
      close(to_child[1]);
      close(from_child[0]);
      space.Enter();
      Run(std::move(options), to_child[0], from_child[1]);
      _exit(0);
    }
    close(to_child[0]);
    close(from_child[1]);
    to_ = to_child[1];
    from_ = from_child[0];
  }
  ~RelayProcess() { Kill(); }

  // The next line that it says; what there is of it after ten seconds.
  std::string Line() {
    std::string line;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (std::chrono::steady_clock::now() < deadline) {
      pollfd readable = {from_, POLLIN, 0};
      char c;
      if (poll(&readable, 1, 100) <= 0) continue;
      if (read(from_, &c, 1) != 1 || c == '\n') return line;
      line.push_back(c);
    }
    return line;
  }

  void Stop() { End(false); }
  void Kill() { End(true); }

 private:
  void End(bool at_once) {
    if (pid_ <= 0) return;
    if (at_once) kill(pid_, SIGKILL);
    close(to_);
    waitpid(pid_, nullptr, 0);
    close(from_);
    pid_ = -1;
  }

  static void Say(int fd, const std::string& line) {
    if (write(fd, (line + "\n").data(), line.size() + 1) < 0) _exit(1);
  }

  static bool IsMedia(rte_mbuf* packet) {
    const auto* frame = rte_pktmbuf_mtod(packet, const uint8_t*);
    const auto parsed = packet::Parse(frame, rte_pktmbuf_data_len(packet), rte_pktmbuf_pkt_len(packet));
    return parsed.verdict == packet::DropReason::kNone &&
           packet::ReadUdp(parsed, frame).destination_port.ToHost() == kMediaPort;
  }

  static void Run(InterfaceOptions options, int input, int output) {
    auto eal = Eal::Start({.worker_cpus = {0}, .memory_mib = 128});
    if (!eal.ok()) return Say(output, eal.status().ToString());
    auto interfaces = Interfaces::Open(**eal, {std::move(options)});
    if (!interfaces.ok()) return Say(output, interfaces.status().ToString());
    Say(output, "open");
    const Port port = (*interfaces)->ports()[0];
    int media = 0;
    for (pollfd stop = {input, POLLIN, 0}; poll(&stop, 1, 1) == 0;) {
      std::array<rte_mbuf*, 32> packets;
      const uint16_t count = port.RxBurst(0, packets.data(), packets.size());
      for (uint16_t i = 0; i < count; ++i) {
        if (IsMedia(packets[i])) Say(output, "media " + std::to_string(++media));
        rte_pktmbuf_free(packets[i]);
      }
    }
  }

  pid_t pid_ = -1;
  int to_ = -1;
  int from_ = -1;
};

class KernelDevicesTest : public ::testing::TestWithParam<InterfaceKind> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(relay_.Run("ip link add r1 type veth peer p1 netns " + peer_.path() +
                           " && ip addr add 198.18.1.1/24 dev r1 && ip link set r1 up"));
    ASSERT_TRUE(peer_.Run("ip addr add 198.18.1.2/24 dev p1 && ip link set p1 up && ethtool -K p1 tx off >/dev/null"));
  }

  InterfaceOptions Options(InterfaceKind kind) const {
    return {.name = "test",
            .kind = kind,
            .kernel_interface = "r1",
            .media = {{*packet::IpAddress::Parse("198.18.1.1"), 24000, 25000}}};
  }

  // Sends a datagram from the peer.
  void Send(uint16_t port) const {
    const InNamespace in(peer_);
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const sockaddr_in to = Relay(port);
    EXPECT_EQ(sendto(fd, "rtp", 3, 0, reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 3) << strerror(errno);
    close(fd);
  }
  // Whether a datagram to `port` arrives at a socket of the relay's host.
  bool KernelReceives(uint16_t port) const {
    std::optional<InNamespace> in(relay_);
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const sockaddr_in own = Relay(port);
    EXPECT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&own), sizeof(own)), 0) << strerror(errno);
    in.reset();
    Send(port);
    pollfd readable = {fd, POLLIN, 0};
    const bool received = poll(&readable, 1, 1000) == 1;
    close(fd);
    return received;
  }
  // Whether an ICMP echo from the peer is answered.
  bool KernelAnswersPing() const {
    const InNamespace in(peer_);
    const int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
    const sockaddr_in to = Relay(0);
    // Type 8, and the checksum that goes with it.
    const std::array<uint8_t, 8> echo = {8, 0, 0xf7, 0xff};
    EXPECT_EQ(sendto(fd, echo.data(), echo.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 8);
    pollfd readable = {fd, POLLIN, 0};
    std::array<uint8_t, 64> answer = {};
    const bool is_answer = poll(&readable, 1, 2000) == 1 && recv(fd, answer.data(), answer.size(), 0) == 28 &&
                           answer[20] == 0;  // Behind the IP header: echo reply.
    close(fd);
    return is_answer;
  }
  bool HasProgram() const { return relay_.Run("ip link show r1 | grep -q xdp"); }

  NetworkNamespace relay_;
  NetworkNamespace peer_;

 private:
  static sockaddr_in Relay(uint16_t port) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = packet::IpAddress::Parse("198.18.1.1")->v4().raw();
    return address;
  }
};

TEST_P(KernelDevicesTest, MediaArrivesWhileTheKernelKeepsTheRest) {
  RelayProcess relay(relay_, Options(GetParam()));
  ASSERT_EQ(relay.Line(), "open");
  for (int i = 1; i <= 5; ++i) {
    Send(kMediaPort);
    EXPECT_EQ(relay.Line(), "media " + std::to_string(i));
  }
  EXPECT_TRUE(KernelAnswersPing());
  EXPECT_TRUE(KernelReceives(kOtherPort));
}

TEST_P(KernelDevicesTest, AKilledRelayHindersNobody) {
  RelayProcess killed(relay_, Options(GetParam()));
  ASSERT_EQ(killed.Line(), "open");
  killed.Kill();
  EXPECT_TRUE(KernelReceives(kMediaPort));

  RelayProcess next(relay_, Options(GetParam()));
  ASSERT_EQ(next.Line(), "open");
  Send(kMediaPort);
  EXPECT_EQ(next.Line(), "media 1");
}

TEST_P(KernelDevicesTest, ASecondRelayOnTheSamePortsIsRefused) {
  RelayProcess first(relay_, Options(GetParam()));
  ASSERT_EQ(first.Line(), "open");
  RelayProcess second(relay_, Options(GetParam()));
  EXPECT_THAT(second.Line(), AllOf(StartsWith("ALREADY_EXISTS: interface test: media ports 24000-25000 of 198.18.1.1"),
                                   HasSubstr("holds 24000-25000")));
  Send(kMediaPort);
  EXPECT_EQ(first.Line(), "media 1");
}

TEST_P(KernelDevicesTest, AnInterfaceThatIsDownIsNamed) {
  ASSERT_TRUE(relay_.Run("ip link set r1 down"));
  RelayProcess relay(relay_, Options(GetParam()));
  EXPECT_THAT(relay.Line(), HasSubstr("interface test: r1 is down; run `ip link set r1 up`"));
}

INSTANTIATE_TEST_SUITE_P(Kinds, KernelDevicesTest, ::testing::Values(InterfaceKind::kAfPacket, InterfaceKind::kAfXdp),
                         [](const auto& kind) { return kind.param == InterfaceKind::kAfXdp ? "AfXdp" : "AfPacket"; });

using AfXdpTest = KernelDevicesTest;

TEST_F(AfXdpTest, TheKernelDoesNotSeeMedia) {
  RelayProcess relay(relay_, Options(InterfaceKind::kAfXdp));
  ASSERT_EQ(relay.Line(), "open");
  EXPECT_FALSE(KernelReceives(kMediaPort));
  EXPECT_EQ(relay.Line(), "media 1");
}

TEST_F(AfXdpTest, ACleanStopTakesTheProgramOff) {
  RelayProcess relay(relay_, Options(InterfaceKind::kAfXdp));
  ASSERT_EQ(relay.Line(), "open");
  EXPECT_TRUE(HasProgram());
  relay.Stop();
  EXPECT_FALSE(HasProgram());
  EXPECT_TRUE(KernelReceives(kMediaPort));
}

TEST_F(AfXdpTest, AnotherRelayCannotShareTheInterface) {
  RelayProcess first(relay_, Options(InterfaceKind::kAfXdp));
  ASSERT_EQ(first.Line(), "open");
  InterfaceOptions options = Options(InterfaceKind::kAfXdp);
  options.media = {{*packet::IpAddress::Parse("198.18.1.1"), 26000, 27000}};
  RelayProcess second(relay_, options);
  EXPECT_THAT(second.Line(), HasSubstr("another relay has r1 for AF_XDP"));
  EXPECT_TRUE(HasProgram());
}

TEST_F(AfXdpTest, TwoRelaysOnTwoInterfacesLiveSideBySide) {
  ASSERT_TRUE(relay_.Run("ip link add r2 type veth peer p2 netns " + peer_.path() + " && ip link set r2 up"));
  RelayProcess first(relay_, Options(InterfaceKind::kAfXdp));
  ASSERT_EQ(first.Line(), "open");
  InterfaceOptions options = Options(InterfaceKind::kAfXdp);
  options.kernel_interface = "r2";
  options.media = {{*packet::IpAddress::Parse("198.18.2.1"), 24000, 25000}};
  RelayProcess second(relay_, options);
  EXPECT_EQ(second.Line(), "open");
  Send(kMediaPort);
  EXPECT_EQ(first.Line(), "media 1");
}

TEST_F(AfXdpTest, SomebodyElsesProgramStaysAndIsNamed) {
  // The kernel's loader of ip needs an object file; a program that passes everything is the least one.
  ASSERT_TRUE(
      relay_.Run("echo 'int stranger(void* context) { return 2; }' | "
                 "clang -target bpf -O2 -x c - -c -o /dev/stdout 2>/dev/null | cat > $TEST_TMPDIR/stranger.o && "
                 "ip link set dev r1 xdp obj $TEST_TMPDIR/stranger.o sec .text"));
  RelayProcess relay(relay_, Options(InterfaceKind::kAfXdp));
  EXPECT_THAT(relay.Line(), HasSubstr("r1 has an XDP program of somebody else (stranger"));
  EXPECT_TRUE(HasProgram());
}

TEST_F(AfXdpTest, QueuesThatAreNotTheChannelsAreRefused) {
  InterfaceOptions options = Options(InterfaceKind::kAfXdp);
  options.queues = 2;
  RelayProcess relay(relay_, options);
  EXPECT_THAT(relay.Line(), HasSubstr("queues: 2, but r1 has 1 channels"));
}

}  // namespace
}  // namespace sluice::io
