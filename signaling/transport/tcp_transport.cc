#include "signaling/transport/tcp_transport.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "signaling/transport/sockaddr.h"
#include "signaling/transport/tcp_connection.h"

namespace sluice::transport {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

class TcpTransport::Connections : public std::enable_shared_from_this<TcpTransport::Connections> {
 public:
  Connections(asio::io_context& context, uint16_t shard, const TcpTransportOptions& options,
              TransportCounters& counters, ReceiveFunction receive)
      : context_(context),
        next_id_((uint64_t{shard} << 48) + 1),
        options_(options),
        counters_(counters),
        receive_(std::move(receive)) {}

  void Start() {
    // A connection may be heard of after the transport has gone: its last handlers still wait in the event loop.
    const std::weak_ptr<Connections> weak = weak_from_this();
    events_ = std::make_shared<TcpConnection::Events>(TcpConnection::Events{
        .message =
            [weak](const TcpConnection& connection, absl::string_view message) {
              const auto self = weak.lock();
              if (self == nullptr || self->stopped_) return;
              self->receive_({message, connection.remote(), connection.local(), connection.id()});
            },
        .closed =
            [weak](const TcpConnection& connection) {
              if (const auto self = weak.lock(); self != nullptr) self->Forget(connection);
            },
    });
  }

  absl::StatusOr<sip::Endpoint> Listen(const sip::Endpoint& local);
  void Send(uint64_t connection, const sip::Endpoint& remote, absl::string_view bytes, bool may_connect);
  bool Has(uint64_t connection) const { return connections_.contains(connection); }
  void Close(uint64_t connection) {
    if (const auto found = connections_.find(connection); found != connections_.end()) found->second->Close();
  }
  void Sweep();
  void Stop();

 private:
  struct Acceptor {
    explicit Acceptor(asio::io_context& context) : socket(context), again(context) {}
    tcp::acceptor socket;
    // Waits when the process is out of descriptors: trying at once would spin.
    asio::steady_timer again;
  };

  void Accept(Acceptor& acceptor);
  void TakeAccepted(tcp::socket socket);
  std::shared_ptr<TcpConnection> Add(tcp::socket socket, const sip::Endpoint& local, const sip::Endpoint& remote);
  void Forget(const TcpConnection& connection);

  asio::io_context& context_;
  uint64_t next_id_;
  const TcpTransportOptions options_;
  TransportCounters& counters_;
  const ReceiveFunction receive_;
  std::shared_ptr<const TcpConnection::Events> events_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  absl::flat_hash_map<uint64_t, std::shared_ptr<TcpConnection>> connections_;
  absl::flat_hash_map<sip::Endpoint, uint64_t> by_remote_;
  // By address, port 0.
  absl::flat_hash_map<sip::Endpoint, size_t> per_address_;
  bool stopped_ = false;
};

absl::StatusOr<sip::Endpoint> TcpTransport::Connections::Listen(const sip::Endpoint& local) {
  sockaddr_storage storage;
  const socklen_t length = ToSockaddr(local, storage);
  tcp::endpoint endpoint;
  std::memcpy(endpoint.data(), &storage, length);
  endpoint.resize(length);
  auto acceptor = std::make_unique<Acceptor>(context_);
  tcp::acceptor& socket = acceptor->socket;
  error_code error;
  socket.open(endpoint.protocol(), error);
  if (!error) socket.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) socket.set_option(ReusePort(true), error);
  if (!error && local.is_v6) socket.set_option(asio::ip::v6_only(true), error);
  if (!error) socket.bind(endpoint, error);
  if (!error) socket.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    const std::string text = absl::StrCat("SIP listener ", local.ToString(), "/tcp: cannot listen: ", error.message());
    if (error.value() == EADDRINUSE) return absl::AlreadyExistsError(text + "; another program listens there");
    if (error.value() == EADDRNOTAVAIL) {
      return absl::NotFoundError(text + "; the address must be one of this machine's interfaces");
    }
    if (error.value() == EACCES) return absl::PermissionDeniedError(text + "; ports below 1024 need a right");
    return absl::UnavailableError(text);
  }
  const sip::Endpoint bound = FromSockaddr(socket.local_endpoint().data()).value_or(local);
  acceptors_.push_back(std::move(acceptor));
  Accept(*acceptors_.back());
  return bound;
}

void TcpTransport::Connections::Accept(Acceptor& acceptor) {
  acceptor.socket.async_accept([self = shared_from_this(), &acceptor](const error_code& error, tcp::socket socket) {
    if (self->stopped_) return;
    if (!error) {
      self->TakeAccepted(std::move(socket));
      self->Accept(acceptor);
      return;
    }
    self->counters_.Drop(DropReason::kConnectionLimit);
    acceptor.again.expires_after(std::chrono::milliseconds(100));
    acceptor.again.async_wait([self, &acceptor](const error_code& aborted) {
      if (!aborted && !self->stopped_) self->Accept(acceptor);
    });
  });
}

void TcpTransport::Connections::TakeAccepted(tcp::socket socket) {
  error_code error;
  const tcp::endpoint remote_endpoint = socket.remote_endpoint(error);
  if (error) return;
  const tcp::endpoint local_endpoint = socket.local_endpoint(error);
  if (error) return;
  const auto remote = FromSockaddr(remote_endpoint.data());
  const auto local = FromSockaddr(local_endpoint.data());
  if (!remote.has_value() || !local.has_value()) return;
  const auto connection = Add(std::move(socket), *local, *remote);
  if (connection != nullptr) connection->Start();
}

std::shared_ptr<TcpConnection> TcpTransport::Connections::Add(tcp::socket socket, const sip::Endpoint& local,
                                                              const sip::Endpoint& remote) {
  size_t& from_address = per_address_[WithPort(remote, 0)];
  if (connections_.size() >= options_.max_connections || from_address >= options_.max_connections_per_address) {
    if (from_address == 0) per_address_.erase(WithPort(remote, 0));
    counters_.Drop(DropReason::kConnectionLimit);
    return nullptr;
  }
  ++from_address;
  const uint64_t id = next_id_++;
  auto connection = std::make_shared<TcpConnection>(std::move(socket), id, local, remote, options_.max_message_bytes,
                                                    options_.max_waiting_bytes, counters_, events_);
  connections_.emplace(id, connection);
  by_remote_[remote] = id;
  counters_.connections.store(connections_.size(), std::memory_order_relaxed);
  return connection;
}

void TcpTransport::Connections::Forget(const TcpConnection& connection) {
  const auto address = per_address_.find(WithPort(connection.remote(), 0));
  if (address != per_address_.end() && --address->second == 0) per_address_.erase(address);
  const auto by_remote = by_remote_.find(connection.remote());
  if (by_remote != by_remote_.end() && by_remote->second == connection.id()) by_remote_.erase(by_remote);
  connections_.erase(connection.id());
  counters_.connections.store(connections_.size(), std::memory_order_relaxed);
}

void TcpTransport::Connections::Send(uint64_t connection, const sip::Endpoint& remote, absl::string_view bytes,
                                     bool may_connect) {
  auto found = connections_.find(connection);
  if (found == connections_.end() || !found->second->is_open()) {
    const auto by_remote = by_remote_.find(remote);
    found = by_remote == by_remote_.end() ? connections_.end() : connections_.find(by_remote->second);
  }
  if (found != connections_.end() && found->second->is_open()) {
    found->second->Send(bytes);
    return;
  }
  if (!may_connect || stopped_) {
    counters_.Drop(DropReason::kNoConnection);
    return;
  }
  error_code error;
  tcp::socket socket(context_);
  socket.open(remote.is_v6 ? tcp::v6() : tcp::v4(), error);
  if (error) {
    counters_.Drop(DropReason::kSendError);
    return;
  }
  const auto made = Add(std::move(socket), sip::Endpoint(), remote);
  if (made == nullptr) return;
  made->Send(bytes);
  made->Connect();
}

void TcpTransport::Connections::Sweep() {
  const absl::Time now = absl::Now();
  for (const auto& [id, connection] : connections_) {
    if (!connection->connected()) {
      if (now - connection->last_byte_time() > options_.connect_limit) connection->Close(DropReason::kUnreachable);
    } else if (now - connection->message_begin_time() > options_.message_limit) {
      connection->Close(DropReason::kHalfMessage);
    } else if (now - connection->last_byte_time() > options_.idle_limit) {
      connection->Close(DropReason::kIdle);
    }
  }
}

void TcpTransport::Connections::Stop() {
  stopped_ = true;
  for (const auto& acceptor : acceptors_) {
    error_code ignored;
    acceptor->socket.close(ignored);
    acceptor->again.cancel();
  }
  for (const auto& [id, connection] : connections_) connection->Close();
}

TcpTransport::TcpTransport(asio::io_context& context, uint16_t shard, const TcpTransportOptions& options,
                           TransportCounters& counters, ReceiveFunction receive)
    : connections_(std::make_shared<Connections>(context, shard, options, counters, std::move(receive))) {
  connections_->Start();
}

TcpTransport::~TcpTransport() { connections_->Stop(); }

absl::StatusOr<sip::Endpoint> TcpTransport::Listen(const sip::Endpoint& local) { return connections_->Listen(local); }

void TcpTransport::Send(uint64_t connection, const sip::Endpoint& remote, absl::string_view bytes, bool may_connect) {
  connections_->Send(connection, remote, bytes, may_connect);
}

bool TcpTransport::Has(uint64_t connection) const { return connections_->Has(connection); }

void TcpTransport::Close(uint64_t connection) { connections_->Close(connection); }

void TcpTransport::Sweep() { connections_->Sweep(); }

}  // namespace sluice::transport
