// WebSockets on real sockets against Beast's client and against bytes that are none.
#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "signaling/transport/shard_transport_test_bed.h"
#include "signaling/transport/test_certificates.h"
#include "signaling/transport/tls_context.h"

namespace sluice::transport {
namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;

// A browser: asks for the upgrade with `protocol` and reads all that comes.
template <typename Stream>
class Browser {
 public:
  template <typename... Arguments>
  explicit Browser(Arguments&&... arguments) : socket_(std::forward<Arguments>(arguments)...) {}

  Stream& stream() { return socket_.next_layer(); }

  void Upgrade(const std::string& protocol) {
    socket_.set_option(websocket::stream_base::decorator([protocol](websocket::request_type& request) {
      if (!protocol.empty()) request.set(boost::beast::http::field::sec_websocket_protocol, protocol);
    }));
    socket_.control_callback([this](websocket::frame_type type, boost::beast::string_view) {
      if (type == websocket::frame_type::pong) ++pongs_;
      if (type == websocket::frame_type::ping) ++pings_;
    });
    socket_.async_handshake(response_, "sip.example", "/", [this](const error_code& error) {
      done_ = true;
      upgraded_ = !error;
      if (!error) Read();
    });
  }
  void Send(const std::string& message) {
    sent_ = message;
    socket_.async_write(asio::buffer(sent_), [](const error_code&, size_t) {});
  }
  void Ping() {
    socket_.async_ping({}, [](const error_code&) {});
  }

  bool done() const { return done_; }
  bool upgraded() const { return upgraded_; }
  bool closed() const { return closed_; }
  int status() const { return static_cast<int>(response_.result_int()); }
  std::string protocol() { return std::string(response_[boost::beast::http::field::sec_websocket_protocol]); }
  uint16_t close_code() { return socket_.reason().code; }
  const std::vector<std::string>& received() const { return received_; }
  bool last_was_text() const { return last_was_text_; }
  int pings() const { return pings_; }
  int pongs() const { return pongs_; }

 private:
  void Read() {
    socket_.async_read(buffer_, [this](const error_code& error, size_t) {
      closed_ = static_cast<bool>(error);
      if (error) return;
      received_.push_back(boost::beast::buffers_to_string(buffer_.data()));
      last_was_text_ = socket_.got_text();
      buffer_.clear();
      Read();
    });
  }

  websocket::stream<Stream> socket_;
  websocket::response_type response_;
  boost::beast::flat_buffer buffer_;
  std::string sent_;
  std::vector<std::string> received_;
  bool done_ = false;
  bool upgraded_ = false;
  bool closed_ = false;
  bool last_was_text_ = false;
  int pings_ = 0;
  int pongs_ = 0;
};

class WebSocketTransportTest : public ShardTransportTestBed {
 protected:
  std::unique_ptr<Browser<tcp::socket>> Call(const std::string& protocol = "sip") {
    auto browser = std::make_unique<Browser<tcp::socket>>(Connect(peer_context_, Address()));
    browser->Upgrade(protocol);
    return browser;
  }

  // The status line that `request` is answered with.
  std::string Ask(const std::string& request) {
    tcp::socket peer = Connect(peer_context_, Address());
    asio::write(peer, asio::buffer(request));
    RunUntil([&] { return peer.available() > 0; });
    std::string response(4096, '\0');
    response.resize(peer.read_some(asio::buffer(response)));
    return response.substr(0, response.find('\r'));
  }
};

TEST_F(WebSocketTransportTest, ExchangesOneSipMessageAWebSocketMessage) {
  Open(sip::Protocol::kWs, "127.0.0.1:0");
  const auto browser = Call("other, sip");
  RunUntil([&] { return browser->done(); });
  ASSERT_TRUE(browser->upgraded());
  EXPECT_EQ(browser->protocol(), "sip");
  browser->Send(Options(CallIdOf(1, 2)));
  RunUntil([&] { return !received_[1].empty(); });
  EXPECT_EQ(received_[1][0].message, Options(CallIdOf(1, 2)));
  EXPECT_EQ(received_[1][0].hop.protocol, sip::Protocol::kWs);
  shards_[1]->Send(received_[1][0].hop, "first");
  shards_[1]->Send(received_[1][0].hop, "second");
  RunUntil([&] { return browser->received().size() == 2; });
  EXPECT_EQ(browser->received(), (std::vector<std::string>{"first", "second"}));
}

TEST_F(WebSocketTransportTest, SendsTextIfItIsTextAndBinaryIfNot) {
  Open(sip::Protocol::kWs, "127.0.0.1:0");
  const auto browser = Call();
  RunUntil([&] { return browser->upgraded(); });
  browser->Send(Options(CallIdOf(0, 2)));
  RunUntil([&] { return !received_[0].empty(); });
  shards_[0]->Send(received_[0][0].hop, "J\xc3\xbcrgen");
  RunUntil([&] { return browser->received().size() == 1; });
  EXPECT_TRUE(browser->last_was_text());
  shards_[0]->Send(received_[0][0].hop, "J\xfcrgen");
  RunUntil([&] { return browser->received().size() == 2; });
  EXPECT_EQ(browser->received()[1], "J\xfcrgen");
  EXPECT_FALSE(browser->last_was_text());
}

TEST_F(WebSocketTransportTest, UpgradesOnlyForTheSubprotocolSip) {
  Open(sip::Protocol::kWs, "127.0.0.1:0");
  for (const char* protocol : {"", "mqtt"}) {
    const auto browser = Call(protocol);
    RunUntil([&] { return browser->done(); });
    EXPECT_FALSE(browser->upgraded()) << protocol;
    EXPECT_EQ(browser->status(), 400) << protocol;
  }
  RunUntil([&] { return connections() == 0 && Dropped(DropReason::kWebSocket) == 2; });
}

TEST_F(WebSocketTransportTest, TellsABrowserWithoutUpgradeWhatItWants) {
  Open(sip::Protocol::kWs, "127.0.0.1:0");
  EXPECT_EQ(Ask("GET / HTTP/1.1\r\nHost: sip.example\r\n\r\n"), "HTTP/1.1 426 Upgrade Required");
}

TEST_F(WebSocketTransportTest, ClosesWhatIsNoHttpOrTooLong) {
  Open(sip::Protocol::kWs, "127.0.0.1:0");
  tcp::socket sip = Connect(peer_context_, Address());
  asio::write(sip, asio::buffer(Options("x")));
  RunUntil([&] { return Dropped(DropReason::kWebSocket) == 1; });
  tcp::socket endless = Connect(peer_context_, Address());
  asio::write(endless, asio::buffer("GET / HTTP/1.1\r\nX: " + std::string(9000, 'x')));
  RunUntil([&] { return Dropped(DropReason::kWebSocket) == 2 && connections() == 0; });
}

TEST_F(WebSocketTransportTest, ClosesWhenAMessageIsTooLong) {
  Open(sip::Protocol::kWs, "127.0.0.1:0", {.streams = {.max_message_bytes = 1000}});
  const auto browser = Call();
  RunUntil([&] { return browser->upgraded(); });
  browser->Send(std::string(1001, 'x'));
  RunUntil([&] { return browser->closed() && Dropped(DropReason::kWebSocket) == 1; });
  EXPECT_EQ(browser->close_code(), websocket::close_code::too_big);
}

TEST_F(WebSocketTransportTest, ClosesWhenAFrameIsNotMasked) {
  Open(sip::Protocol::kWs, "127.0.0.1:0");
  const auto browser = Call();
  RunUntil([&] { return browser->upgraded(); });
  asio::write(browser->stream(), asio::buffer(std::string("\x81\x01x", 3)));
  RunUntil([&] { return Dropped(DropReason::kWebSocket) == 1 && connections() == 0; });
  EXPECT_TRUE(received_[0].empty() && received_[1].empty());
}

TEST_F(WebSocketTransportTest, AnswersPingsOfBothKinds) {
  Open(sip::Protocol::kWs, "127.0.0.1:0");
  const auto browser = Call();
  RunUntil([&] { return browser->upgraded(); });
  browser->Ping();
  RunUntil([&] { return browser->pongs() == 1; });
  browser->Send("\r\n\r\n");
  RunUntil([&] { return browser->received().size() == 1; });
  EXPECT_EQ(browser->received()[0], "\r\n");
}

TEST_F(WebSocketTransportTest, PingsAClientThatSaysNothingAndClosesOneThatIsGone) {
  Open(sip::Protocol::kWs, "127.0.0.1:0", {.streams = {.ping_interval = absl::Milliseconds(50)}});
  const auto there = Call();
  RunUntil([&] { return there->pings() >= 2; });
  EXPECT_FALSE(there->closed());
  // Its end of the socket stays open, but nobody is there to answer.
  tcp::socket gone = Connect(peer_context_, Address());
  asio::write(gone, asio::buffer(std::string("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                                             "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                             "Sec-WebSocket-Protocol: sip\r\n\r\n")));
  RunUntil([&] { return Dropped(DropReason::kIdle) == 1; });
  EXPECT_FALSE(there->closed());
}

TEST_F(WebSocketTransportTest, OpensNoneItself) {
  Open(sip::Protocol::kWs, "127.0.0.1:0");
  shards_[0]->Send(shards_[0]->HopTo(sip::Protocol::kWs, *sip::Endpoint::Parse("127.0.0.1:9")), "anybody?");
  EXPECT_EQ(Dropped(DropReason::kNoConnection), 1u);
}

TEST_F(WebSocketTransportTest, RunsOverTls) {
  TestCertificates certificates;
  TlsFiles files = certificates.MakeFiles("server", "DNS:sip.example");
  const auto client = *MakeTlsClient({"", "", files.ca_file});
  files.ca_file.clear();
  Open(sip::Protocol::kWss, "127.0.0.1:0",
       {.tls = std::make_shared<TlsContexts>(TlsContexts{.servers = {*MakeTlsServer(files)}, .client = client})});
  using Secure = asio::ssl::stream<tcp::socket>;
  Browser<Secure> browser(Connect(peer_context_, Address()), *client);
  browser.stream().async_handshake(asio::ssl::stream_base::client, [&](const error_code& error) {
    if (!error) browser.Upgrade("sip");
  });
  RunUntil([&] { return browser.upgraded(); });
  browser.Send(Options(CallIdOf(0, 2)));
  RunUntil([&] { return !received_[0].empty(); });
  EXPECT_EQ(received_[0][0].hop.protocol, sip::Protocol::kWss);
  shards_[0]->Send(received_[0][0].hop, "answer");
  RunUntil([&] { return browser.received().size() == 1; });
}

}  // namespace
}  // namespace sluice::transport
