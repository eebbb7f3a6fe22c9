// What a client may say to our WebSocket server, over a pair of sockets in place of a network. The first byte chooses:
// even, a whole conversation as it comes, from the upgrade on; odd, frames behind a right upgrade, each from four bytes
// (two of its head, how long it says that it is, how long it is) and the mask's first byte.
//
// Every message that is taken fits the limit and comes while the connection is open, and its end is told once.
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/sip/hop.h"
#include "signaling/transport/counters.h"
#include "signaling/transport/web_socket_connection.h"

namespace transport = sluice::transport;

namespace {

constexpr size_t kMaxMessage = 1024;
constexpr char kUpgrade[] =
    "GET / HTTP/1.1\r\nHost: sluice.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n";

// A connection and the client's end of it.
class Conversation {
 public:
  Conversation() {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) std::abort();
    client_.assign(boost::asio::ip::tcp::v4(), ends[0]);
    client_.non_blocking(true);
    boost::asio::ip::tcp::socket server(context_);
    server.assign(boost::asio::ip::tcp::v4(), ends[1]);
    const auto events = std::make_shared<transport::Connection::Events>(
        transport::Connection::Events{.message =
                                          [this](const transport::Connection& connection, absl::string_view message) {
                                            if (message.size() > kMaxMessage || closed_ > 0 || !connection.is_open())
                                              std::abort();
                                          },
                                      .closed = [this](transport::Connection&) { ++closed_; }});
    const transport::Connection::Setup setup = {.hop = {.protocol = sluice::sip::Protocol::kWs, .connection = 1},
                                                .max_message_bytes = kMaxMessage,
                                                .max_waiting_bytes = 1 << 16,
                                                .ping_interval = absl::Seconds(30)};
    connection_ = std::make_shared<transport::WebSocketConnection>(std::move(server), setup, counters_, events);
    connection_->Accept();
  }
  ~Conversation() {
    connection_->Close();
    connection_.reset();
    // Timers and handlers let go of the connection.
    Run();
    if (closed_ != 1) std::abort();
  }

  void Say(absl::string_view bytes) {
    boost::system::error_code ignored;
    while (!bytes.empty()) {
      const size_t sent = client_.send(boost::asio::buffer(bytes.data(), bytes.size()), 0, ignored);
      bytes.remove_prefix(sent);
      Run();
      Listen();
      if (ignored && ignored != boost::asio::error::would_block) return;
    }
  }

 private:
  void Run() {
    context_.restart();
    context_.poll();
  }
  // So that what we send does not wait for ever.
  void Listen() {
    char heard[4096];
    boost::system::error_code error;
    while (!error) client_.receive(boost::asio::buffer(heard), 0, error);
  }

  transport::TransportCounters counters_;
  boost::asio::io_context context_{1};
  boost::asio::ip::tcp::socket client_{context_};
  std::shared_ptr<transport::WebSocketConnection> connection_;
  int closed_ = 0;
};

// A frame of a client (RFC 6455 5.2): its first two bytes, `said` as the length of its payload, `sent` bytes of it.
std::string Frame(uint8_t first, uint8_t second, uint8_t said, uint8_t sent, absl::string_view payload) {
  std::string frame = {static_cast<char>(first), static_cast<char>(second)};
  const uint8_t length = second & 0x7f;
  if (length >= 126) frame.append(length == 126 ? 1 : 7, '\0').push_back(static_cast<char>(said));
  if ((second & 0x80) != 0) frame.append(4, '\0');
  absl::StrAppend(&frame, payload.substr(0, sent));
  return frame;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  absl::string_view input(reinterpret_cast<const char*>(data), size);
  Conversation conversation;
  const bool raw = data[0] % 2 == 0;
  input.remove_prefix(1);
  if (raw) {
    conversation.Say(input);
    return 0;
  }
  conversation.Say(kUpgrade);
  while (input.size() >= 4) {
    const auto byte = [&](size_t at) { return static_cast<uint8_t>(input[at]); };
    const std::string frame = Frame(byte(0), byte(1), byte(2), byte(3), input.substr(4));
    input.remove_prefix(4 + std::min<size_t>(byte(3), input.size() - 4));
    conversation.Say(frame);
  }
  return 0;
}
