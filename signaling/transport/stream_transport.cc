#include "signaling/transport/stream_transport.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "signaling/transport/connection.h"
#include "signaling/transport/sip_connection.h"
#include "signaling/transport/sockaddr.h"
#include "signaling/transport/web_socket_connection.h"

namespace sluice::transport {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

class StreamTransport::Connections : public std::enable_shared_from_this<StreamTransport::Connections> {
 public:
  Connections(asio::io_context& context, uint16_t shard, const StreamTransportOptions& options, const Shared& shared,
              TransportCounters& counters, Events events)
      : context_(context),
        next_id_((uint64_t{shard} << 48) + 1),
        options_(options),
        shared_(shared),
        counters_(counters),
        events_(std::move(events)) {}

  void Start() {
    // A connection may be heard of after the transport has gone: its last handlers still wait in the event loop.
    const std::weak_ptr<Connections> weak = weak_from_this();
    connection_events_ = std::make_shared<Connection::Events>(Connection::Events{
        .message =
            [weak](const Connection& connection, absl::string_view message) {
              const auto self = weak.lock();
              if (self == nullptr || self->stopped_) return;
              self->events_.receive(connection.hop(), message);
            },
        .identified =
            [weak](const Connection& connection, std::vector<std::string> identities) {
              const auto self = weak.lock();
              if (self == nullptr || self->stopped_) return;
              self->shared_.clients.Set(connection.id(), std::move(identities));
            },
        .closed =
            [weak](Connection& connection) {
              if (const auto self = weak.lock(); self != nullptr) self->Forget(connection);
            },
    });
  }

  absl::StatusOr<sip::Endpoint> Listen(const Listener& listener, size_t index);
  void SetTls(std::shared_ptr<const TlsContexts> contexts) { tls_ = std::move(contexts); }
  void Send(const sip::Hop& hop, absl::string_view bytes);
  bool Has(uint64_t connection) const { return connections_.contains(connection); }
  void Close(uint64_t connection) {
    if (const auto found = connections_.find(connection); found != connections_.end()) found->second->Close();
  }
  void Sweep();
  void Stop();

 private:
  // Connections of the same address by different protocols, for different names, or with the certificates of different
  // trunks are different ways.
  using Peer = std::tuple<sip::Protocol, sip::Endpoint, uint32_t>;
  static Peer PeerOf(const sip::Hop& hop) { return {hop.protocol, hop.remote, hop.tls_peer}; }

  struct Acceptor {
    Acceptor(asio::io_context& context, sip::Protocol protocol, size_t index)
        : protocol(protocol), index(index), socket(context), again(context) {}
    const sip::Protocol protocol;
    const size_t index;
    tcp::acceptor socket;
    // Waits when the process is out of descriptors: trying at once would spin.
    asio::steady_timer again;
  };

  void Accept(Acceptor& acceptor);
  void TakeAccepted(const Acceptor& acceptor, tcp::socket socket);
  void Open(const sip::Hop& hop, absl::string_view bytes);
  // Null: the trunk has none, and nobody else's will do.
  TlsContext ContextFor(const std::string& trunk) const;
  std::shared_ptr<Connection> Add(tcp::socket socket, sip::Hop hop, std::shared_ptr<asio::ssl::context> tls);
  void Forget(Connection& connection);
  // What can be sent by no connection; counts why.
  void GiveBack(const sip::Hop& hop, absl::string_view bytes, DropReason reason);

  asio::io_context& context_;
  uint64_t next_id_;
  const StreamTransportOptions options_;
  const Shared shared_;
  TransportCounters& counters_;
  const Events events_;
  std::shared_ptr<const Connection::Events> connection_events_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  absl::flat_hash_map<uint64_t, std::shared_ptr<Connection>> connections_;
  // What else may be used towards a peer than the connection that is asked for. By TLS only those that we opened: who
  // opened one to us has not shown whom it speaks for.
  absl::flat_hash_map<Peer, uint64_t> by_remote_;
  std::shared_ptr<const TlsContexts> tls_;
  // By address, port 0.
  absl::flat_hash_map<sip::Endpoint, size_t> per_address_;
  bool stopped_ = false;
};

absl::StatusOr<sip::Endpoint> StreamTransport::Connections::Listen(const Listener& listener, size_t index) {
  const sip::Endpoint& local = listener.address;
  sockaddr_storage storage;
  const socklen_t length = ToSockaddr(local, storage);
  tcp::endpoint endpoint;
  std::memcpy(endpoint.data(), &storage, length);
  endpoint.resize(length);
  auto acceptor = std::make_unique<Acceptor>(context_, listener.protocol, index);
  tcp::acceptor& socket = acceptor->socket;
  error_code error;
  socket.open(endpoint.protocol(), error);
  if (!error) socket.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) socket.set_option(ReusePort(true), error);
  if (!error && local.is_v6) socket.set_option(asio::ip::v6_only(true), error);
  if (!error) socket.bind(endpoint, error);
  if (!error) socket.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    const std::string text = absl::StrCat("SIP listener ", local.ToString(), "/", TransportName(listener.protocol),
                                          ": cannot listen: ", error.message());
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

void StreamTransport::Connections::Accept(Acceptor& acceptor) {
  acceptor.socket.async_accept([self = shared_from_this(), &acceptor](const error_code& error, tcp::socket socket) {
    if (self->stopped_) return;
    if (!error) {
      self->TakeAccepted(acceptor, std::move(socket));
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

void StreamTransport::Connections::TakeAccepted(const Acceptor& acceptor, tcp::socket socket) {
  error_code error;
  const tcp::endpoint remote_endpoint = socket.remote_endpoint(error);
  if (error) return;
  const tcp::endpoint local_endpoint = socket.local_endpoint(error);
  if (error) return;
  const auto remote = FromSockaddr(remote_endpoint.data());
  const auto local = FromSockaddr(local_endpoint.data());
  if (!remote.has_value() || !local.has_value()) return;
  std::shared_ptr<asio::ssl::context> tls;
  if (IsSecure(acceptor.protocol)) {
    if (tls_ != nullptr && acceptor.index < tls_->servers.size()) tls = tls_->servers[acceptor.index];
    // Never plain where TLS was promised.
    if (tls == nullptr) return counters_.Drop(DropReason::kTls);
  }
  const auto connection =
      Add(std::move(socket), {.protocol = acceptor.protocol, .local = *local, .remote = *remote}, std::move(tls));
  if (connection == nullptr) return counters_.Drop(DropReason::kConnectionLimit);
  if (!IsSecure(acceptor.protocol)) by_remote_[PeerOf(connection->hop())] = connection->id();
  connection->Accept();
}

std::shared_ptr<Connection> StreamTransport::Connections::Add(tcp::socket socket, sip::Hop hop,
                                                              std::shared_ptr<asio::ssl::context> tls) {
  size_t& from_address = per_address_[WithPort(hop.remote, 0)];
  if (connections_.size() >= options_.max_connections || from_address >= options_.max_connections_per_address) {
    if (from_address == 0) per_address_.erase(WithPort(hop.remote, 0));
    return nullptr;
  }
  ++from_address;
  hop.connection = next_id_++;
  const Connection::Setup setup = {.hop = hop,
                                   .tls = std::move(tls),
                                   .max_message_bytes = options_.max_message_bytes,
                                   .max_waiting_bytes = options_.max_waiting_bytes,
                                   .ping_interval = options_.ping_interval};
  std::shared_ptr<Connection> connection;
  if (hop.protocol == sip::Protocol::kWs || hop.protocol == sip::Protocol::kWss) {
    connection = std::make_shared<WebSocketConnection>(std::move(socket), setup, counters_, connection_events_);
  } else {
    connection = std::make_shared<SipConnection>(std::move(socket), setup, counters_, connection_events_);
  }
  connections_.emplace(hop.connection, connection);
  counters_.connections.store(connections_.size(), std::memory_order_relaxed);
  return connection;
}

void StreamTransport::Connections::Forget(Connection& connection) {
  const auto address = per_address_.find(WithPort(connection.remote(), 0));
  if (address != per_address_.end() && --address->second == 0) per_address_.erase(address);
  const auto by_remote = by_remote_.find(PeerOf(connection.hop()));
  if (by_remote != by_remote_.end() && by_remote->second == connection.id()) by_remote_.erase(by_remote);
  connections_.erase(connection.id());
  // What is shared and the counters may be gone already: connections that Stop closed are forgotten after it.
  if (stopped_) return;
  if (IsSecure(connection.hop().protocol)) shared_.clients.Forget(connection.id());
  counters_.connections.store(connections_.size(), std::memory_order_relaxed);
  for (const std::string& message : connection.TakeUnheard()) events_.undelivered(connection.hop(), message);
}

void StreamTransport::Connections::GiveBack(const sip::Hop& hop, absl::string_view bytes, DropReason reason) {
  counters_.Drop(reason);
  asio::post(context_, [self = shared_from_this(), hop, message = std::string(bytes)] {
    if (!self->stopped_) self->events_.undelivered(hop, message);
  });
}

void StreamTransport::Connections::Send(const sip::Hop& hop, absl::string_view bytes) {
  auto found = connections_.find(hop.connection);
  if (found == connections_.end() || !found->second->is_open()) {
    const auto by_remote = by_remote_.find(PeerOf(hop));
    found = by_remote == by_remote_.end() ? connections_.end() : connections_.find(by_remote->second);
  }
  if (found != connections_.end() && found->second->is_open()) {
    found->second->Send(bytes);
  } else if (hop.only_connection || stopped_) {
    GiveBack(hop, bytes, DropReason::kNoConnection);
  } else {
    Open(hop, bytes);
  }
}

TlsContext StreamTransport::Connections::ContextFor(const std::string& trunk) const {
  if (trunk.empty()) return tls_->client;
  const auto own = tls_->trunks.find(trunk);
  return own == tls_->trunks.end() ? nullptr : own->second;
}

void StreamTransport::Connections::Open(const sip::Hop& hop, absl::string_view bytes) {
  TlsContext tls;
  const TlsPeer peer = shared_.peers.Find(hop.tls_peer);
  if (hop.protocol == sip::Protocol::kTls && tls_ != nullptr) tls = ContextFor(peer.trunk);
  // A WebSocket is opened by phones only; and nothing goes out plain that was meant for TLS.
  if (hop.protocol != sip::Protocol::kTcp && tls == nullptr) return GiveBack(hop, bytes, DropReason::kNoConnection);
  error_code error;
  tcp::socket socket(context_);
  socket.open(hop.remote.is_v6 ? tcp::v6() : tcp::v4(), error);
  if (error) return GiveBack(hop, bytes, DropReason::kSendError);
  const auto made = Add(std::move(socket), {.protocol = hop.protocol, .remote = hop.remote, .tls_peer = hop.tls_peer},
                        std::move(tls));
  if (made == nullptr) return GiveBack(hop, bytes, DropReason::kConnectionLimit);
  by_remote_[PeerOf(hop)] = made->id();
  made->Send(bytes);
  made->Connect(peer.name.empty() ? hop.remote.Address() : peer.name);
}

void StreamTransport::Connections::Sweep() {
  const absl::Time now = absl::Now();
  for (const auto& [id, connection] : connections_) {
    if (!connection->ready()) {
      if (now - connection->begin_time() <= options_.connect_limit) continue;
      connection->Close(connection->connected() ? DropReason::kHandshakeTimeout : DropReason::kUnreachable);
    } else if (now - connection->message_begin_time() > options_.message_limit) {
      connection->Close(DropReason::kHalfMessage);
    } else if (now - connection->last_byte_time() > options_.idle_limit) {
      connection->Close(DropReason::kIdle);
    } else {
      connection->KeepAlive();
    }
  }
}

void StreamTransport::Connections::Stop() {
  stopped_ = true;
  for (const auto& acceptor : acceptors_) {
    error_code ignored;
    acceptor->socket.close(ignored);
    acceptor->again.cancel();
  }
  for (const auto& [id, connection] : connections_) connection->Close();
}

StreamTransport::StreamTransport(asio::io_context& context, uint16_t shard, const StreamTransportOptions& options,
                                 const Shared& shared, TransportCounters& counters, Events events)
    : connections_(std::make_shared<Connections>(context, shard, options, shared, counters, std::move(events))) {
  connections_->Start();
}

StreamTransport::~StreamTransport() { connections_->Stop(); }

absl::StatusOr<sip::Endpoint> StreamTransport::Listen(const Listener& listener, size_t index) {
  return connections_->Listen(listener, index);
}

void StreamTransport::SetTls(std::shared_ptr<const TlsContexts> contexts) { connections_->SetTls(std::move(contexts)); }

void StreamTransport::Send(const sip::Hop& hop, absl::string_view bytes) { connections_->Send(hop, bytes); }

bool StreamTransport::Has(uint64_t connection) const { return connections_->Has(connection); }

void StreamTransport::Close(uint64_t connection) { connections_->Close(connection); }

void StreamTransport::Sweep() { connections_->Sweep(); }

}  // namespace sluice::transport
