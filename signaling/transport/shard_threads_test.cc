// Shards in threads of their own, which hand each other messages and answers: for ThreadSanitizer, and for what only
// happens between threads.

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "signaling/transport/shard_of.h"
#include "signaling/transport/shard_transport.h"
#include "signaling/transport/shard_transport_test_bed.h"

namespace sluice::transport {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;

constexpr size_t kShards = 3;
constexpr size_t kMessages = 600;
// So many wait for their answers at once: fewer than a socket's buffer holds.
constexpr size_t kWindow = 32;

// Three shards that send back each message that is theirs.
class ShardThreadsTest : public testing::Test {
 protected:
  struct Shard {
    asio::io_context context{1};
    std::unique_ptr<ShardTransport> transport;
    std::thread thread;
    // Of the thread; to be read after Stop.
    size_t received = 0;
    size_t strays = 0;
  };

  ShardThreadsTest() {
    const sip::Endpoint any_port = *sip::Endpoint::Parse("127.0.0.1:0");
    ShardTransportOptions options;
    options.listeners = {{sip::Protocol::kUdp, any_port, "", {}}, {sip::Protocol::kTcp, any_port, "", {}}};
    for (size_t i = 0; i < kShards; ++i) {
      Shard& shard = shards_[i];
      const auto receive = [&shard, i](const sip::Hop& hop, absl::string_view message) {
        ++shard.received;
        if (ShardOf(FindCallId(message), kShards) != i) ++shard.strays;
        shard.transport->Send(hop, message);
      };
      auto opened =
          ShardTransport::Open(shard.context, i, mesh_, options, {.receive = receive, .undelivered = receive});
      EXPECT_TRUE(opened.ok()) << opened.status();
      shard.transport = *std::move(opened);
      options.listeners = shard.transport->listeners();
    }
    for (Shard& shard : shards_) {
      shard.thread = std::thread([&shard] {
        const auto forever = asio::make_work_guard(shard.context);
        shard.context.run();
      });
    }
  }
  ~ShardThreadsTest() override { Stop(); }

  void Stop() {
    for (Shard& shard : shards_) {
      shard.context.stop();
      if (shard.thread.joinable()) shard.thread.join();
    }
    for (Shard& shard : shards_) shard.transport.reset();
    for (Shard& shard : shards_) {
      // Handlers of what is closed run here.
      shard.context.restart();
      shard.context.poll();
    }
  }

  uint16_t Port(size_t listener) const { return shards_[0].transport->listeners()[listener].address.port; }

  ShardMesh mesh_{kShards};
  std::array<Shard, kShards> shards_;
};

std::string MessageOf(size_t index) { return Options(absl::StrCat("call-", index)); }

TEST_F(ShardThreadsTest, AnswersEachDatagramByTheShardThatOwnsIt) {
  asio::io_context context;
  udp::socket peer(context, {asio::ip::make_address("127.0.0.1"), 0});
  const udp::endpoint server(asio::ip::make_address("127.0.0.1"), Port(0));
  std::string answer(2000, '\0');
  size_t answers = 0;
  for (size_t sent = 0; answers < kMessages;) {
    while (sent < kMessages && sent - answers < kWindow) peer.send_to(asio::buffer(MessageOf(sent++)), server);
    answers += peer.receive(asio::buffer(answer)) > 0 ? 1 : 0;
  }
  Stop();
  for (const Shard& shard : shards_) {
    EXPECT_GT(shard.received, 0u);
    EXPECT_EQ(shard.strays, 0u);
  }
}

TEST_F(ShardThreadsTest, AnswersOnConnectionsOfOtherShards) {
  asio::io_context context;
  std::vector<tcp::socket> peers;
  const sip::Endpoint server = *sip::Endpoint::Make("127.0.0.1", Port(1));
  for (size_t i = 0; i < 2 * kShards; ++i) peers.push_back(Connect(context, server));
  for (size_t first = 0; first < kMessages; first += kWindow) {
    for (tcp::socket& peer : peers) {
      std::string messages;
      for (size_t i = first; i < first + kWindow; ++i) messages += MessageOf(i);
      asio::write(peer, asio::buffer(messages));
    }
    for (tcp::socket& peer : peers) {
      size_t size = 0;
      for (size_t i = first; i < first + kWindow; ++i) size += MessageOf(i).size();
      std::string answers(size, '\0');
      EXPECT_EQ(asio::read(peer, asio::buffer(answers)), size);
    }
  }
  peers.clear();
  Stop();
  for (const Shard& shard : shards_) {
    EXPECT_GT(shard.received, 0u);
    EXPECT_EQ(shard.strays, 0u);
  }
}

}  // namespace
}  // namespace sluice::transport
