#include "signaling/transport/tcp_connection.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <utility>

#include "absl/time/clock.h"
#include "signaling/transport/sockaddr.h"

namespace sluice::transport {

namespace asio = boost::asio;
using boost::system::error_code;

TcpConnection::TcpConnection(asio::ip::tcp::socket socket, uint64_t id, const sip::Endpoint& local,
                             const sip::Endpoint& remote, size_t max_message_bytes, size_t max_waiting_bytes,
                             TransportCounters& counters, std::shared_ptr<const Events> events)
    : socket_(std::move(socket)),
      id_(id),
      local_(local),
      remote_(remote),
      max_waiting_bytes_(max_waiting_bytes),
      counters_(counters),
      events_(std::move(events)),
      framer_(max_message_bytes),
      last_byte_time_(absl::Now()) {}

void TcpConnection::Start() {
  connected_ = true;
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.set_option(asio::socket_base::keep_alive(true), ignored);
  Read();
  if (!waiting_.empty()) Write();
}

void TcpConnection::Connect() {
  sockaddr_storage storage;
  const socklen_t length = ToSockaddr(remote_, storage);
  asio::ip::tcp::endpoint endpoint;
  std::memcpy(endpoint.data(), &storage, length);
  endpoint.resize(length);
  socket_.async_connect(endpoint, [self = shared_from_this()](const error_code& error) {
    if (!self->open_) return;
    if (error) {
      self->Close(DropReason::kUnreachable);
      return;
    }
    error_code no_local;
    const auto local = self->socket_.local_endpoint(no_local);
    if (!no_local) {
      if (const auto address = FromSockaddr(local.data()); address.has_value()) self->local_ = *address;
    }
    self->Start();
  });
}

void TcpConnection::Send(absl::string_view bytes) {
  if (!open_) return;
  if (waiting_.size() + bytes.size() > max_waiting_bytes_) {
    Close(DropReason::kSendQueueFull);
    return;
  }
  waiting_.append(bytes.data(), bytes.size());
  if (connected_ && writing_.empty()) Write();
}

void TcpConnection::Close(DropReason reason) {
  if (open_) counters_.Drop(reason);
  Close();
}

void TcpConnection::Close() {
  if (!open_) return;
  open_ = false;
  error_code ignored;
  socket_.close(ignored);
  // Later, because the caller may be going through the table of connections.
  asio::post(socket_.get_executor(), [self = shared_from_this()] { self->events_->closed(*self); });
}

void TcpConnection::Read() {
  socket_.async_read_some(asio::buffer(read_buffer_),
                          [self = shared_from_this()](const error_code& error, size_t size) {
                            if (!self->open_) return;
                            if (error) {
                              self->Close();
                              return;
                            }
                            self->last_byte_time_ = absl::Now();
                            self->framer_.Append(absl::string_view(self->read_buffer_.data(), size));
                            self->TakeMessages();
                            if (self->open_) self->Read();
                          });
}

void TcpConnection::TakeMessages() {
  while (open_) {
    const sip::StreamFramer::Item item = framer_.Next();
    switch (item.kind) {
      case sip::StreamFramer::Item::kMessage:
        events_->message(*this, item.bytes);
        message_begin_time_ = absl::InfiniteFuture();
        break;
      case sip::StreamFramer::Item::kPing:
        counters_.Drop(DropReason::kKeepAlive);
        Send("\r\n");
        break;
      case sip::StreamFramer::Item::kMore:
        if (!framer_.in_message()) {
          message_begin_time_ = absl::InfiniteFuture();
        } else if (message_begin_time_ == absl::InfiniteFuture()) {
          message_begin_time_ = last_byte_time_;
        }
        return;
      case sip::StreamFramer::Item::kError:
        Close(DropReason::kFraming);
        return;
    }
  }
}

void TcpConnection::Write() {
  writing_.swap(waiting_);
  asio::async_write(socket_, asio::buffer(writing_), [self = shared_from_this()](const error_code& error, size_t) {
    self->writing_.clear();
    if (!self->open_) return;
    if (error) {
      self->Close();
    } else if (!self->waiting_.empty()) {
      self->Write();
    }
  });
}

}  // namespace sluice::transport
