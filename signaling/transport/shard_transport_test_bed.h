// Two shards on loopback whose event loops the test turns by hand.
#ifndef SLUICE_SIGNALING_TRANSPORT_SHARD_TRANSPORT_TEST_BED_H_
#define SLUICE_SIGNALING_TRANSPORT_SHARD_TRANSPORT_TEST_BED_H_

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "signaling/transport/shard_of.h"
#include "signaling/transport/shard_transport.h"

namespace sluice::transport {

inline std::string Options(const std::string& call_id) {
  return absl::StrCat("OPTIONS sip:sluice SIP/2.0\r\nCall-ID: ", call_id, "\r\nContent-Length: 0\r\n\r\n");
}

// A Call-ID that the shard owns.
inline std::string CallIdOf(size_t shard, size_t shards) {
  for (int i = 0;; ++i) {
    std::string call_id = absl::StrCat("call-", i);
    if (ShardOf(call_id, shards) == shard) return call_id;
  }
}

inline boost::asio::ip::tcp::socket Connect(boost::asio::io_context& context, const sip::Endpoint& address) {
  boost::asio::ip::tcp::socket socket(context);
  socket.connect({boost::asio::ip::make_address(address.Address()), address.port});
  return socket;
}

class ShardTransportTestBed : public testing::Test {
 protected:
  struct Received {
    sip::Hop hop;
    std::string message;
  };

  ~ShardTransportTestBed() override {
    for (auto& shard : shards_) shard.reset();
    // Handlers of what is closed run here.
    for (auto& context : contexts_) context.poll();
  }

  void Open(sip::Protocol protocol, const std::string& address, ShardTransportOptions options = {}) {
    options.listeners = {{protocol, *sip::Endpoint::Parse(address), "", {}}};
    for (size_t i = 0; i < 2; ++i) {
      auto opened = ShardTransport::Open(contexts_[i], i, mesh_, options,
                                         {.receive =
                                              [this, i](const sip::Hop& hop, absl::string_view m) {
                                                received_[i].push_back({hop, std::string(m)});
                                              },
                                          .undelivered =
                                              [this, i](const sip::Hop& hop, absl::string_view m) {
                                                undelivered_[i].push_back({hop, std::string(m)});
                                              }});
      ASSERT_TRUE(opened.ok()) << opened.status();
      shards_[i] = *std::move(opened);
      options.listeners = shards_[i]->listeners();
    }
  }

  sip::Endpoint Address() const { return shards_[0]->listeners()[0].address; }

  // Of both shards.
  uint64_t Dropped(DropReason reason) const {
    return shards_[0]->counters().Dropped(reason) + shards_[1]->counters().Dropped(reason);
  }
  uint64_t connections() const { return shards_[0]->counters().connections + shards_[1]->counters().connections; }

  void RunUntil(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done() && std::chrono::steady_clock::now() < end) {
      for (auto& context : contexts_) context.run_for(std::chrono::milliseconds(1));
      if (peer_context_.stopped()) peer_context_.restart();
      peer_context_.poll();
    }
    ASSERT_TRUE(done());
  }

  static constexpr int kStrangersRequests = 50;

  ShardMesh mesh_{2, {.requests_per_second = kStrangersRequests}};
  std::array<boost::asio::io_context, 2> contexts_;
  boost::asio::io_context peer_context_;
  std::array<std::unique_ptr<ShardTransport>, 2> shards_;
  std::array<std::vector<Received>, 2> received_;
  std::array<std::vector<Received>, 2> undelivered_;
};

}  // namespace sluice::transport

#endif  // SLUICE_SIGNALING_TRANSPORT_SHARD_TRANSPORT_TEST_BED_H_
