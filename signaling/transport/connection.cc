#include "signaling/transport/connection.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstring>
#include <iterator>
#include <utility>

#include "signaling/transport/sockaddr.h"

namespace sluice::transport {

namespace asio = boost::asio;
using boost::system::error_code;

Connection::Connection(asio::ip::tcp::socket socket, const Setup& setup, TransportCounters& counters,
                       std::shared_ptr<const Events> events)
    : stream_(std::move(socket), setup.tls),
      setup_(setup),
      counters_(counters),
      events_(std::move(events)),
      begin_time_(absl::Now()),
      last_byte_time_(begin_time_) {}

Connection::~Connection() = default;

void Connection::Accept() {
  connected_ = true;
  error_code ignored;
  stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  stream_.socket().set_option(asio::socket_base::keep_alive(true), ignored);
  stream_.Accept([self = shared_from_this()](const error_code& error) {
    if (!self->open_) return;
    if (error) return self->Close(DropReason::kTls);
    std::vector<std::string> identities = self->stream_.ClientIdentities();
    if (!identities.empty()) self->events_->identified(*self, std::move(identities));
    self->Begin();
  });
}

void Connection::Connect(const std::string& peer_name) {
  opened_by_us_ = true;
  keeps_written_ = true;
  sockaddr_storage storage;
  const socklen_t length = ToSockaddr(setup_.hop.remote, storage);
  asio::ip::tcp::endpoint endpoint;
  std::memcpy(endpoint.data(), &storage, length);
  endpoint.resize(length);
  stream_.socket().async_connect(endpoint, [self = shared_from_this(), peer_name](const error_code& error) {
    if (!self->open_) return;
    if (error) {
      self->Close(DropReason::kUnreachable);
      return;
    }
    self->connected_ = true;
    error_code no_local;
    const auto local = self->stream_.socket().local_endpoint(no_local);
    if (!no_local) self->setup_.hop.local = FromSockaddr(local.data()).value_or(self->setup_.hop.local);
    error_code ignored;
    self->stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
    self->stream_.socket().set_option(asio::socket_base::keep_alive(true), ignored);
    self->stream_.Call(peer_name, [self](const error_code& refused) {
      if (!self->open_) return;
      refused ? self->Close(DropReason::kTls) : self->Begin();
    });
  });
}

void Connection::Send(absl::string_view bytes) {
  if (!open_) return;
  waiting_bytes_ += bytes.size();
  waiting_.emplace_back(bytes);
  if (waiting_bytes_ > setup_.max_waiting_bytes) {
    Close(DropReason::kSendQueueFull);
    return;
  }
  if (ready_ && !is_writing_) WriteWaiting();
}

void Connection::KeepAlive() {
  const absl::Time now = absl::Now();
  if (!opened_by_us_ || !ready_ || now - std::max(last_byte_time_, last_ping_) < setup_.ping_interval) return;
  last_ping_ = now;
  Send("\r\n\r\n");
}

void Connection::Close(DropReason reason) {
  if (open_) counters_.Drop(reason);
  Close();
}

void Connection::Close() {
  if (!open_) return;
  open_ = false;
  stream_.Close();
  // Later, because the caller may be going through the table of connections.
  asio::post(stream_.get_executor(), [self = shared_from_this()] { self->events_->closed(*self); });
}

void Connection::Ready() {
  ready_ = true;
  last_byte_time_ = absl::Now();
  if (!waiting_.empty()) WriteWaiting();
}

void Connection::NoteProgress(bool in_message) {
  if (!in_message) {
    message_begin_time_ = absl::InfiniteFuture();
  } else if (message_begin_time_ == absl::InfiniteFuture()) {
    message_begin_time_ = last_byte_time_;
  }
}

void Connection::TakePing() {
  counters_.Drop(DropReason::kKeepAlive);
  Send("\r\n");
}

std::vector<std::string> Connection::TakeUnheard() {
  std::vector<std::string> unheard = std::exchange(written_, {});
  unheard.insert(unheard.end(), std::make_move_iterator(waiting_.begin()), std::make_move_iterator(waiting_.end()));
  waiting_.clear();
  return unheard;
}

std::string Connection::TakeWaiting() {
  std::string message = std::move(waiting_.front());
  waiting_.pop_front();
  written_bytes_ += message.size();
  // A peer that takes all this without a word has heard it.
  if (written_bytes_ > setup_.max_waiting_bytes) NoteHeard();
  if (keeps_written_) written_.push_back(message);
  return message;
}

void Connection::WriteWaiting() {
  is_writing_ = true;
  writing_ = TakeWaiting();
  while (joins_messages() && !waiting_.empty()) writing_ += TakeWaiting();
  waiting_bytes_ -= writing_.size();
  Write(writing_);
}

void Connection::Written(const error_code& error) {
  is_writing_ = false;
  writing_.clear();
  if (!open_) return;
  if (error) {
    Close();
  } else if (!waiting_.empty()) {
    WriteWaiting();
  }
}

}  // namespace sluice::transport
