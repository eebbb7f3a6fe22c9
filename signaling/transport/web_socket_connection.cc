#include "signaling/transport/web_socket_connection.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/websocket/error.hpp>
#include <boost/beast/websocket/option.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <chrono>
#include <utility>

#include "absl/strings/match.h"
#include "signaling/transport/utf8.h"

namespace sluice::transport {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;

namespace {

constexpr uint32_t kMaxUpgradeBytes = 8192;
constexpr size_t kReadBytes = 4096;
constexpr char kSubprotocol[] = "sip";

constexpr char kWantsUpgrade[] =
    "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\nContent-Length: 0\r\n\r\n";
constexpr char kWantsSip[] =
    "HTTP/1.1 400 WebSocket subprotocol sip is required\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

bool OffersSip(const http::request<http::empty_body>& request) {
  const auto range = request.equal_range(http::field::sec_websocket_protocol);
  return std::any_of(range.first, range.second, [](const auto& field) {
    const http::token_list names(field.value());
    return std::any_of(names.begin(), names.end(), [](const auto& name) {
      return absl::EqualsIgnoreCase(absl::string_view(name.data(), name.size()), kSubprotocol);
    });
  });
}

bool IsEmptyLines(absl::string_view message) {
  return std::all_of(message.begin(), message.end(), [](char c) { return c == '\r' || c == '\n'; });
}

}  // namespace

WebSocketConnection::WebSocketConnection(asio::ip::tcp::socket socket, const Setup& setup, TransportCounters& counters,
                                         std::shared_ptr<const Events> events)
    : Connection(std::move(socket), setup, counters, std::move(events)), socket_(stream()) {}

void WebSocketConnection::Begin() {
  request_ = std::make_unique<http::request_parser<http::empty_body>>();
  request_->header_limit(kMaxUpgradeBytes);
  http::async_read_header(stream(), buffer_, *request_, [self = Self()](const error_code& error, size_t) {
    if (!self->is_open()) return;
    error ? self->Close(DropReason::kWebSocket) : self->TakeUpgrade();
  });
}

void WebSocketConnection::TakeUpgrade() {
  if (!websocket::is_upgrade(request_->get())) return Refuse(kWantsUpgrade);
  if (!OffersSip(request_->get())) return Refuse(kWantsSip);
  // A client has nothing to say before it has our answer (RFC 6455 4.1).
  if (buffer_.size() > 0) return Close(DropReason::kWebSocket);
  socket_.read_message_max(setup().max_message_bytes);
  // The upgrade itself is watched as TLS is, from outside. Beast pings after half of the idle time.
  websocket::stream_base::timeout timeout;
  timeout.handshake_timeout = websocket::stream_base::none();
  timeout.idle_timeout = absl::ToChronoMilliseconds(2 * setup().ping_interval);
  timeout.keep_alive_pings = true;
  socket_.set_option(timeout);
  socket_.set_option(websocket::stream_base::decorator(
      [](websocket::response_type& response) { response.set(http::field::sec_websocket_protocol, kSubprotocol); }));
  socket_.control_callback([this](websocket::frame_type, const auto&) { NoteBytes(); });
  socket_.async_accept(request_->get(), [self = Self()](const error_code& error) {
    self->request_.reset();
    if (!self->is_open()) return;
    if (error) return self->Close(DropReason::kWebSocket);
    self->Read();
    self->Ready();
  });
}

void WebSocketConnection::Refuse(const std::string& response) {
  const auto text = std::make_shared<std::string>(response);
  asio::async_write(stream(), asio::buffer(*text),
                    [self = Self(), text](const error_code&, size_t) { self->Close(DropReason::kWebSocket); });
}

void WebSocketConnection::Read() {
  socket_.async_read_some(buffer_, kReadBytes, [self = Self()](const error_code& error, size_t) {
    if (!self->is_open()) return;
    if (error == websocket::error::closed) return self->Close();
    if (error == boost::beast::error::timeout) return self->Close(DropReason::kIdle);
    // What is against RFC 6455 or too long; the others are ends of the stream.
    if (error == websocket::condition::protocol_violation || error == websocket::error::message_too_big ||
        error == websocket::error::buffer_overflow) {
      return self->Close(DropReason::kWebSocket);
    }
    if (error) return self->Close();
    self->NoteBytes();
    self->NoteProgress(!self->socket_.is_message_done());
    if (self->socket_.is_message_done()) {
      const auto bytes = self->buffer_.cdata();
      const absl::string_view message(static_cast<const char*>(bytes.data()), bytes.size());
      if (!IsEmptyLines(message)) {
        self->TakeMessage(message);
      } else if (message.size() >= 4) {
        self->TakePing();
      }
      self->buffer_.clear();
    }
    if (self->is_open()) self->Read();
  });
}

void WebSocketConnection::Write(const std::string& bytes) {
  socket_.text(IsUtf8(bytes));
  socket_.async_write(asio::buffer(bytes), [self = Self()](const error_code& error, size_t) { self->Written(error); });
}

}  // namespace sluice::transport
