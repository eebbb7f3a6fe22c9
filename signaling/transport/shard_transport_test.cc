#include "signaling/transport/shard_transport.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "signaling/transport/shard_transport_test_bed.h"
#include "signaling/transport/sockaddr.h"

namespace sluice::transport {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;

using ShardTransportTest = ShardTransportTestBed;

TEST_F(ShardTransportTest, GivesEachDatagramToTheOwnerOfItsCallId) {
  Open(sip::Protocol::kUdp, "127.0.0.1:0");
  udp::socket peer(peer_context_, {asio::ip::make_address("127.0.0.1"), 0});
  const udp::endpoint server(asio::ip::make_address("127.0.0.1"), Address().port);
  for (size_t shard = 0; shard < 2; ++shard) peer.send_to(asio::buffer(Options(CallIdOf(shard, 2))), server);
  RunUntil([&] { return !received_[0].empty() && !received_[1].empty(); });
  for (size_t shard = 0; shard < 2; ++shard) {
    EXPECT_EQ(received_[shard].size(), 1u);
    EXPECT_EQ(received_[shard][0].message, Options(CallIdOf(shard, 2)));
    EXPECT_EQ(received_[shard][0].hop.remote.port, peer.local_endpoint().port());
    EXPECT_EQ(received_[shard][0].hop.local, Address());
  }
  EXPECT_EQ(shards_[0]->counters().handed_over + shards_[1]->counters().handed_over, 1u);
}

TEST_F(ShardTransportTest, AnswersByTheListenerThatWasAsked) {
  Open(sip::Protocol::kUdp, "127.0.0.1:0");
  udp::socket peer(peer_context_, {asio::ip::make_address("127.0.0.1"), 0});
  const udp::endpoint server(asio::ip::make_address("127.0.0.1"), Address().port);
  peer.send_to(asio::buffer(Options(CallIdOf(1, 2))), server);
  RunUntil([&] { return !received_[1].empty(); });
  shards_[1]->Send(received_[1][0].hop, "answer");
  shards_[1]->Flush();
  std::string answer(100, '\0');
  udp::endpoint source;
  answer.resize(peer.receive_from(asio::buffer(answer), source));
  EXPECT_EQ(answer, "answer");
  EXPECT_EQ(source, server);
}

TEST_F(ShardTransportTest, SwallowsKeepAlives) {
  Open(sip::Protocol::kUdp, "127.0.0.1:0");
  udp::socket peer(peer_context_, {asio::ip::make_address("127.0.0.1"), 0});
  const udp::endpoint server(asio::ip::make_address("127.0.0.1"), Address().port);
  for (const std::string& bytes : {std::string("\r\n\r\n"), std::string(4, '\0'), std::string()}) {
    peer.send_to(asio::buffer(bytes), server);
  }
  const auto keep_alives = [&] {
    return shards_[0]->counters().Dropped(DropReason::kKeepAlive) +
           shards_[1]->counters().Dropped(DropReason::kKeepAlive);
  };
  RunUntil([&] { return keep_alives() == 3; });
  EXPECT_TRUE(received_[0].empty() && received_[1].empty());
}

TEST_F(ShardTransportTest, DropsWhatAStrangerSendsTooManyOf) {
  Open(sip::Protocol::kUdp, "127.0.0.1:0");
  udp::socket peer(peer_context_, {asio::ip::make_address("127.0.0.1"), 0});
  const udp::endpoint server(asio::ip::make_address("127.0.0.1"), Address().port);
  const auto send = [&](const std::string& message, int count) {
    for (int i = 0; i < count; ++i) peer.send_to(asio::buffer(message), server);
  };
  const auto received = [&] { return received_[0].size() + received_[1].size(); };
  send(Options(CallIdOf(0, 2)), 2 * kStrangersRequests);
  RunUntil([&] { return received() + Dropped(DropReason::kUnknownSource) == 2 * kStrangersRequests; });
  EXPECT_GE(Dropped(DropReason::kUnknownSource), 1u);
  EXPECT_GE(received(), static_cast<size_t>(kStrangersRequests));
  // Answers are told by the secrets in them.
  const uint64_t dropped = Dropped(DropReason::kUnknownSource);
  const size_t before = received();
  send("SIP/2.0 200 OK\r\nCall-ID: x\r\n\r\n", 2 * kStrangersRequests);
  RunUntil([&] { return received() == before + 2 * kStrangersRequests; });
  EXPECT_EQ(Dropped(DropReason::kUnknownSource), dropped);
  // For all shards.
  shards_[1]->Trust(*sip::Endpoint::Parse("127.0.0.1:5060"));
  send(Options(CallIdOf(0, 2)), 2 * kStrangersRequests);
  RunUntil([&] { return received() == before + 4 * kStrangersRequests; });
  EXPECT_EQ(Dropped(DropReason::kUnknownSource), dropped);
}

TEST_F(ShardTransportTest, AnswersByAConnectionThatAnotherShardHas) {
  Open(sip::Protocol::kTcp, "127.0.0.1:0");
  tcp::socket peer = Connect(peer_context_, Address());
  for (size_t shard = 0; shard < 2; ++shard) asio::write(peer, asio::buffer(Options(CallIdOf(shard, 2))));
  RunUntil([&] { return !received_[0].empty() && !received_[1].empty(); });
  EXPECT_EQ(received_[0][0].hop.connection, received_[1][0].hop.connection);
  for (size_t shard = 0; shard < 2; ++shard) shards_[shard]->Send(received_[shard][0].hop, "answer");
  std::string answers(12, '\0');
  RunUntil([&] { return peer.available() == answers.size(); });
  asio::read(peer, asio::buffer(answers));
  EXPECT_EQ(answers, "answeranswer");
}

TEST_F(ShardTransportTest, CutsAStreamIntoMessages) {
  Open(sip::Protocol::kTcp, "127.0.0.1:0");
  tcp::socket peer = Connect(peer_context_, Address());
  const std::string first =
      "MESSAGE sip:x SIP/2.0\r\nCall-ID: " + CallIdOf(0, 2) + "\r\nContent-Length: 5\r\n\r\nhello";
  const std::string stream = first + "\r\n" + first + first;
  asio::write(peer, asio::buffer(stream.substr(0, 20)));
  contexts_[0].run_for(std::chrono::milliseconds(1));
  asio::write(peer, asio::buffer(stream.substr(20)));
  RunUntil([&] { return received_[0].size() == 3; });
  for (const Received& received : received_[0]) EXPECT_EQ(received.message, first);
}

TEST_F(ShardTransportTest, AnswersAPingOnAStream) {
  Open(sip::Protocol::kTcp, "127.0.0.1:0");
  tcp::socket peer = Connect(peer_context_, Address());
  asio::write(peer, asio::buffer(std::string("\r\n\r\n")));
  RunUntil([&] { return peer.available() == 2; });
  std::string pong(2, '\0');
  asio::read(peer, asio::buffer(pong));
  EXPECT_EQ(pong, "\r\n");
}

TEST_F(ShardTransportTest, ClosesAStreamThatCannotBeCut) {
  Open(sip::Protocol::kTcp, "127.0.0.1:0");
  tcp::socket peer = Connect(peer_context_, Address());
  asio::write(peer, asio::buffer(std::string("MESSAGE sip:x SIP/2.0\r\nContent-Length: -1\r\n\r\n")));
  const auto framing = [&] {
    return shards_[0]->counters().Dropped(DropReason::kFraming) + shards_[1]->counters().Dropped(DropReason::kFraming);
  };
  RunUntil([&] { return framing() == 1; });
  RunUntil([&] { return shards_[0]->counters().connections + shards_[1]->counters().connections == 0; });
}

TEST_F(ShardTransportTest, ConnectsToAPeerAndSendsWhatWaited) {
  Open(sip::Protocol::kTcp, "127.0.0.1:0");
  tcp::acceptor peer(peer_context_, {asio::ip::make_address("127.0.0.1"), 0});
  const sip::Hop hop = shards_[0]->HopTo(sip::Protocol::kTcp,
                                         WithPort(*sip::Endpoint::Parse("127.0.0.1:0"), peer.local_endpoint().port()));
  shards_[0]->Send(hop, "first");
  shards_[0]->Send(hop, "second");
  tcp::socket accepted(peer_context_);
  bool has_accepted = false;
  peer.async_accept(accepted, [&](const boost::system::error_code& error) { has_accepted = !error; });
  RunUntil([&] { return has_accepted && accepted.available() == 11; });
  EXPECT_EQ(shards_[0]->counters().connections, 1u);
}

TEST_F(ShardTransportTest, KeepsAConnectionAliveThatItHasOpened) {
  Open(sip::Protocol::kTcp, "127.0.0.1:0", {.streams = {.ping_interval = absl::ZeroDuration()}});
  tcp::acceptor peer(peer_context_, {asio::ip::make_address("127.0.0.1"), 0});
  const sip::Hop hop = shards_[0]->HopTo(sip::Protocol::kTcp,
                                         WithPort(*sip::Endpoint::Parse("127.0.0.1:0"), peer.local_endpoint().port()));
  shards_[0]->Send(hop, "first");
  tcp::socket accepted(peer_context_);
  peer.async_accept(accepted, [](const boost::system::error_code&) {});
  RunUntil([&] { return accepted.is_open() && accepted.available() == 5; });
  shards_[0]->Sweep();
  RunUntil([&] { return accepted.available() == 9; });
  std::string heard(9, '\0');
  accepted.read_some(asio::buffer(heard));
  EXPECT_EQ(heard, "first\r\n\r\n");
}

TEST_F(ShardTransportTest, ConnectsToNobodyBehindNat) {
  Open(sip::Protocol::kTcp, "127.0.0.1:0");
  sip::Hop hop = shards_[0]->HopTo(sip::Protocol::kTcp, *sip::Endpoint::Parse("127.0.0.1:9"));
  hop.only_connection = true;
  shards_[0]->Send(hop, Options(CallIdOf(0, 2)));
  EXPECT_EQ(shards_[0]->counters().Dropped(DropReason::kNoConnection), 1u);
  // Told later, for Send is called in the middle of things.
  EXPECT_TRUE(undelivered_[0].empty());
  RunUntil([&] { return undelivered_[0].size() == 1; });
  EXPECT_EQ(undelivered_[0][0].message, Options(CallIdOf(0, 2)));
}

TEST_F(ShardTransportTest, GivesBackToTheirOwnersWhatARefusedConnectionWasToTake) {
  Open(sip::Protocol::kTcp, "127.0.0.1:0");
  tcp::acceptor nobody(peer_context_, {asio::ip::make_address("127.0.0.1"), 0});
  const sip::Hop hop =
      shards_[0]->HopTo(sip::Protocol::kTcp, *sip::Endpoint::Make("127.0.0.1", nobody.local_endpoint().port()));
  nobody.close();
  shards_[0]->Send(hop, Options(CallIdOf(0, 2)));
  shards_[0]->Send(hop, Options(CallIdOf(1, 2)));
  RunUntil([&] { return undelivered_[0].size() == 1 && undelivered_[1].size() == 1; });
  EXPECT_EQ(undelivered_[1][0].message, Options(CallIdOf(1, 2)));
  EXPECT_EQ(undelivered_[1][0].hop.remote, hop.remote);
  EXPECT_EQ(Dropped(DropReason::kUnreachable), 1u);
  EXPECT_EQ(connections(), 0u);
}

TEST_F(ShardTransportTest, TakesOnlySoManyConnectionsFromOneAddress) {
  ShardTransportOptions options;
  options.streams.max_connections_per_address = 1;
  Open(sip::Protocol::kTcp, "127.0.0.1:0", options);
  std::vector<tcp::socket> peers;
  for (int i = 0; i < 4; ++i) peers.push_back(Connect(peer_context_, Address()));
  const auto refused = [&] {
    return shards_[0]->counters().Dropped(DropReason::kConnectionLimit) +
           shards_[1]->counters().Dropped(DropReason::kConnectionLimit);
  };
  const auto taken = [&] { return shards_[0]->counters().connections + shards_[1]->counters().connections; };
  RunUntil([&] { return refused() + taken() == 4; });
  EXPECT_LE(taken(), 2u);
}

TEST_F(ShardTransportTest, ShowsTheAdvertisedAddressOrTheOneThatWasAsked) {
  asio::io_context context;
  ShardMesh mesh(1);
  const ShardTransportOptions options{
      .listeners = {{sip::Protocol::kUdp, *sip::Endpoint::Parse("127.0.0.1:0"), "203.0.113.1:5060"},
                    {sip::Protocol::kUdp, *sip::Endpoint::Parse("0.0.0.0:0"), ""}}};
  const auto transport = *ShardTransport::Open(context, 0, mesh, options, {});
  const sip::Endpoint remote = *sip::Endpoint::Parse("198.18.1.2:5060");
  const auto& listeners = transport->listeners();
  EXPECT_EQ(transport->Advertised({sip::Protocol::kUdp, listeners[0].address, remote}), "203.0.113.1:5060");
  const sip::Endpoint asked = WithPort(*sip::Endpoint::Parse("198.18.1.1:0"), listeners[1].address.port);
  EXPECT_EQ(transport->Advertised({sip::Protocol::kUdp, asked, remote}), asked.ToString());
}

TEST_F(ShardTransportTest, ListensAtItsListenersAndWhereTheyStandForAllAtThisHost) {
  Open(sip::Protocol::kUdp, "0.0.0.0:0");
  const sip::Endpoint all = shards_[0]->listeners()[0].address;
  const auto at = [&](absl::string_view address) { return *sip::Endpoint::Make(address, all.port); };
  EXPECT_TRUE(shards_[0]->ListensOn(sip::Protocol::kUdp, all));
  EXPECT_TRUE(shards_[0]->ListensOn(sip::Protocol::kUdp, at("127.0.0.1")));
  EXPECT_FALSE(shards_[0]->ListensOn(sip::Protocol::kTcp, at("127.0.0.1")));
  EXPECT_FALSE(shards_[0]->ListensOn(sip::Protocol::kUdp, at("198.18.255.254")));
  EXPECT_FALSE(shards_[0]->ListensOn(sip::Protocol::kUdp, at("::1")));
}

TEST_F(ShardTransportTest, AnswersStunOnTheSipPort) {
  Open(sip::Protocol::kUdp, "127.0.0.1:0");
  udp::socket peer(peer_context_, {asio::ip::make_address("127.0.0.1"), 0});
  const udp::endpoint server(asio::ip::make_address("127.0.0.1"), Address().port);
  peer.send_to(asio::buffer(std::string("\x00\x01\x00\x00\x21\x12\xa4\x42"
                                        "binding-req.",
                                        20)),
               server);
  RunUntil([&] { return peer.available() > 0; });
  std::string answer(100, '\0');
  answer.resize(peer.receive(asio::buffer(answer)));
  EXPECT_EQ(answer.substr(0, 2), "\x01\x01");
  EXPECT_EQ(answer.substr(8, 12), "binding-req.");
}

}  // namespace
}  // namespace sluice::transport
