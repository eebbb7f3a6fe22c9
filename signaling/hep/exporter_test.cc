#include "signaling/hep/exporter.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace sluice::hep {
namespace {

constexpr absl::Duration kLimit = absl::Seconds(10);

// A collector on loopback that takes what comes.
class Collector {
 public:
  Collector() : socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length), 0);
    port_ = ntohs(address.sin_port);
    const timeval limit = {.tv_sec = 10};
    EXPECT_EQ(setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
  }
  ~Collector() { Close(); }
  void Close() {
    if (socket_ >= 0) close(socket_);
    socket_ = -1;
  }

  sip::Endpoint endpoint() const { return *sip::Endpoint::Make("127.0.0.1", port_); }
  // The next datagram; empty if none comes.
  std::string Receive() {
    std::string bytes(65536, '\0');
    const ssize_t size = recv(socket_, bytes.data(), bytes.size(), 0);
    bytes.resize(size < 0 ? 0 : static_cast<size_t>(size));
    return bytes;
  }

 private:
  int socket_;
  uint16_t port_ = 0;
};

std::unique_ptr<Exporter> OpenExporter(const ExporterOptions& options) {
  auto exporter = Exporter::Open(options);
  EXPECT_TRUE(exporter.ok()) << exporter.status();
  return *std::move(exporter);
}

Packet Message(absl::string_view payload) {
  return {.source = *sip::Endpoint::Parse("198.18.1.2:5060"),
          .destination = *sip::Endpoint::Parse("198.18.1.1:7080"),
          .payload = payload};
}

// True once so many packets have been sent or dropped.
bool WaitForPackets(const Exporter& exporter, uint64_t count) {
  const absl::Time deadline = absl::Now() + kLimit;
  while (exporter.Statistics().sent + exporter.Statistics().dropped < count) {
    if (absl::Now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST(HepExporter, SendsEachPacketInADatagramOfItsOwnInOrder) {
  Collector collector;
  const Identity identity = {.capture_id = 7};
  const std::unique_ptr<Exporter> exporter = OpenExporter({.collector = collector.endpoint(), .identity = identity});
  for (int i = 0; i < 200; ++i) exporter->Take(Message(absl::StrCat("message ", i)));
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(collector.Receive(), Encode(Message(absl::StrCat("message ", i)), identity)) << i;
  }
  EXPECT_TRUE(WaitForPackets(*exporter, 200));
  EXPECT_EQ(exporter->Statistics().sent, 200u);
  EXPECT_EQ(exporter->Statistics().dropped, 0u);
}

TEST(HepExporter, SendsWhatWaitsWhenItEnds) {
  Collector collector;
  OpenExporter({.collector = collector.endpoint(), .gather = absl::Hours(1)})->Take(Message("last words"));
  EXPECT_EQ(collector.Receive(), Encode(Message("last words"), {}));
}

TEST(HepExporter, DropsAndCountsWhatTheQueueHasNoRoomFor) {
  Collector collector;
  const std::unique_ptr<Exporter> exporter =
      OpenExporter({.collector = collector.endpoint(), .queue = 0, .gather = absl::Hours(1)});
  exporter->Take(Message("one"));
  exporter->Take(Message("two"));
  EXPECT_EQ(exporter->Statistics().dropped, 2u);
  EXPECT_EQ(exporter->Statistics().sent, 0u);
}

TEST(HepExporter, DropsAndCountsWhatNoDatagramCanCarry) {
  Collector collector;
  const std::unique_ptr<Exporter> exporter = OpenExporter({.collector = collector.endpoint()});
  exporter->Take(Message(std::string(65535, 'x')));
  EXPECT_EQ(exporter->Statistics().dropped, 1u);
}

TEST(HepExporter, CountsWhatACollectorThatIsGoneRefuses) {
  Collector collector;
  const std::unique_ptr<Exporter> exporter =
      OpenExporter({.collector = collector.endpoint(), .gather = absl::ZeroDuration()});
  collector.Close();
  exporter->Take(Message("into the void"));
  ASSERT_TRUE(WaitForPackets(*exporter, 1));
  // The kernel tells of the refusal with the next one.
  exporter->Take(Message("again"));
  ASSERT_TRUE(WaitForPackets(*exporter, 2));
  EXPECT_EQ(exporter->Statistics().dropped, 1u);
}

TEST(HepExporter, WantsOnlyTheKindsThatItIsToldOf) {
  Collector collector;
  const auto only_quality = OpenExporter({.collector = collector.endpoint(), .sip = false});
  EXPECT_FALSE(only_quality->Wants(Payload::kSip));
  EXPECT_TRUE(only_quality->Wants(Payload::kRtcpJson));
}

TEST(HepExporter, NamesACollectorThatCannotBeReached) {
  const auto exporter = Exporter::Open({.collector = *sip::Endpoint::Parse("255.255.255.255:9060")});
  ASSERT_FALSE(exporter.ok());
  EXPECT_EQ(exporter.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(exporter.status().message().find("hep.collector: there is no way to 255.255.255.255:9060"),
            std::string::npos);
}

}  // namespace
}  // namespace sluice::hep
