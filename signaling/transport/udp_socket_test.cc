#include "signaling/transport/udp_socket.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstring>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "signaling/transport/sockaddr.h"

namespace sluice::transport {
namespace {

constexpr auto kLimit = std::chrono::seconds(10);

// A socket of the test's own, as a phone has one.
class Peer {
 public:
  explicit Peer(const sip::Endpoint& address) : descriptor_(socket(address.is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0)) {
    sockaddr_storage storage;
    const socklen_t length = ToSockaddr(address, storage);
    EXPECT_EQ(bind(descriptor_, reinterpret_cast<sockaddr*>(&storage), length), 0);
    socklen_t bound = sizeof(storage);
    getsockname(descriptor_, reinterpret_cast<sockaddr*>(&storage), &bound);
    local_ = *FromSockaddr(reinterpret_cast<sockaddr*>(&storage));
  }
  ~Peer() { close(descriptor_); }

  void Send(const sip::Endpoint& to, const std::string& bytes) {
    sockaddr_storage storage;
    const socklen_t length = ToSockaddr(to, storage);
    EXPECT_EQ(sendto(descriptor_, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&storage), length),
              static_cast<ssize_t>(bytes.size()));
  }

  // Empty: nothing is there.
  std::string Receive(sip::Endpoint* source = nullptr) {
    std::string bytes(65536, '\0');
    sockaddr_storage storage;
    socklen_t length = sizeof(storage);
    const ssize_t size =
        recvfrom(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&storage), &length);
    bytes.resize(size < 0 ? 0 : size);
    if (size >= 0 && source != nullptr) *source = *FromSockaddr(reinterpret_cast<sockaddr*>(&storage));
    return bytes;
  }

  const sip::Endpoint& local() const { return local_; }

 private:
  const int descriptor_;
  sip::Endpoint local_;
};

class UdpSocketTest : public testing::Test {
 protected:
  struct Received {
    std::string bytes;
    sip::Endpoint source;
    sip::Endpoint local;
  };

  std::unique_ptr<UdpSocket> Open(const std::string& address, UdpSocketOptions options = {}) {
    auto socket =
        UdpSocket::Open(context_, *sip::Endpoint::Parse(address), options, counters_, [this](const Datagram& datagram) {
          received_.push_back({std::string(datagram.bytes), datagram.source, datagram.local});
        });
    EXPECT_TRUE(socket.ok()) << socket.status();
    return *std::move(socket);
  }

  void RunUntilReceived(size_t count) {
    const auto end = std::chrono::steady_clock::now() + kLimit;
    while (received_.size() < count && std::chrono::steady_clock::now() < end) context_.run_one_until(end);
    ASSERT_EQ(received_.size(), count);
  }

  boost::asio::io_context context_;
  TransportCounters counters_;
  std::vector<Received> received_;
};

TEST_F(UdpSocketTest, ReceivesAndAnswersInBothFamilies) {
  for (const char* address : {"127.0.0.1:0", "[::1]:0"}) {
    received_.clear();
    const auto socket = Open(address);
    Peer peer(*sip::Endpoint::Parse(address));
    peer.Send(socket->local(), "hello");
    RunUntilReceived(1);
    EXPECT_EQ(received_[0].bytes, "hello");
    EXPECT_EQ(received_[0].source, peer.local());
    EXPECT_EQ(received_[0].local, socket->local());
    socket->Send(socket->local(), peer.local(), "answer");
    socket->Flush();
    sip::Endpoint source;
    EXPECT_EQ(peer.Receive(&source), "answer");
    EXPECT_EQ(source, socket->local());
  }
}

TEST_F(UdpSocketTest, AnswersFromTheAddressThatWasAskedWhenBoundToAll) {
  const auto socket = Open("0.0.0.0:0");
  Peer peer(*sip::Endpoint::Parse("127.0.0.1:0"));
  const sip::Endpoint asked = WithPort(*sip::Endpoint::Parse("127.0.0.7:0"), socket->local().port);
  peer.Send(asked, "hello");
  RunUntilReceived(1);
  EXPECT_EQ(received_[0].local, asked);
  socket->Send(received_[0].local, peer.local(), "answer");
  socket->Flush();
  sip::Endpoint source;
  EXPECT_EQ(peer.Receive(&source), "answer");
  EXPECT_EQ(source, asked);
}

TEST_F(UdpSocketTest, ReceivesMoreThanManyBurstsWithoutLosingTheRest) {
  const auto socket = Open("127.0.0.1:0");
  Peer peer(*sip::Endpoint::Parse("127.0.0.1:0"));
  constexpr int kCount = 700;
  for (int i = 0; i < kCount; ++i) peer.Send(socket->local(), std::to_string(i));
  RunUntilReceived(kCount);
  for (int i = 0; i < kCount; ++i) EXPECT_EQ(received_[i].bytes, std::to_string(i));
}

TEST_F(UdpSocketTest, SendsABurstInOrderOnceTheTurnIsOver) {
  const auto socket = Open("127.0.0.1:0");
  Peer peer(*sip::Endpoint::Parse("127.0.0.1:0"));
  for (int i = 0; i < 100; ++i) socket->Send(socket->local(), peer.local(), std::to_string(i));
  EXPECT_EQ(peer.Receive(), "");
  context_.run_one_for(kLimit);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(peer.Receive(), std::to_string(i));
}

TEST_F(UdpSocketTest, DropsAndCountsADatagramThatIsTooLong) {
  const auto socket = Open("127.0.0.1:0", {.max_message_bytes = 100});
  Peer peer(*sip::Endpoint::Parse("127.0.0.1:0"));
  peer.Send(socket->local(), std::string(101, 'x'));
  peer.Send(socket->local(), std::string(100, 'y'));
  RunUntilReceived(1);
  EXPECT_EQ(received_[0].bytes, std::string(100, 'y'));
  EXPECT_EQ(counters_.Dropped(DropReason::kTooLong), 1u);
}

TEST_F(UdpSocketTest, CountsWhatCannotBeSentAndSendsTheRest) {
  const auto socket = Open("127.0.0.1:0");
  Peer peer(*sip::Endpoint::Parse("127.0.0.1:0"));
  socket->Send(socket->local(), peer.local(), std::string(65535, 'x'));
  socket->Send(socket->local(), *sip::Endpoint::Parse("[::1]:5060"), "other family");
  socket->Send(socket->local(), peer.local(), "small");
  socket->Flush();
  EXPECT_EQ(peer.Receive(), "small");
  EXPECT_EQ(counters_.Dropped(DropReason::kDatagramTooLong), 1u);
  EXPECT_EQ(counters_.Dropped(DropReason::kUnreachable), 1u);
}

TEST_F(UdpSocketTest, BoundsWhatWaits) {
  const auto socket = Open("127.0.0.1:0", {.waiting_datagrams = 2});
  Peer peer(*sip::Endpoint::Parse("127.0.0.1:0"));
  for (int i = 0; i < 3; ++i) socket->Send(socket->local(), peer.local(), std::to_string(i));
  EXPECT_EQ(counters_.Dropped(DropReason::kSendQueueFull), 1u);
}

TEST_F(UdpSocketTest, SurvivesAPeerThatIsGone) {
  const auto socket = Open("127.0.0.1:0");
  sip::Endpoint gone;
  {
    Peer peer(*sip::Endpoint::Parse("127.0.0.1:0"));
    gone = peer.local();
  }
  socket->Send(socket->local(), gone, "anybody?");
  socket->Flush();
  Peer peer(*sip::Endpoint::Parse("127.0.0.1:0"));
  peer.Send(socket->local(), "still here");
  RunUntilReceived(1);
  EXPECT_EQ(received_[0].bytes, "still here");
}

TEST_F(UdpSocketTest, SharesAnAddressAmongShards) {
  const auto first = Open("127.0.0.1:0");
  const auto second = Open(first->local().ToString());
  EXPECT_EQ(first->local(), second->local());
}

TEST_F(UdpSocketTest, SaysWhatToDoAboutAnAddressThatIsNotOurs) {
  const auto socket =
      UdpSocket::Open(context_, *sip::Endpoint::Parse("198.51.100.1:5060"), {}, counters_, [](const Datagram&) {});
  EXPECT_EQ(socket.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(socket.status().message().find("198.51.100.1:5060/udp"), std::string::npos) << socket.status();
}

}  // namespace
}  // namespace sluice::transport
