#include "signaling/transport/shard_transport.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "signaling/transport/shard_of.h"
#include "signaling/transport/sockaddr.h"
#include "signaling/transport/stun.h"

namespace sluice::transport {
namespace {

// How a status line begins.
constexpr absl::string_view kResponse = "SIP/2.0 ";

// What phones send to keep a NAT open: line ends, NULs, nothing.
bool IsKeepAlive(absl::string_view datagram) {
  return datagram.size() <= 8 &&
         std::all_of(datagram.begin(), datagram.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

}  // namespace

ShardMesh::ShardMesh(size_t shards, const SourceLimits& strangers, size_t waiting_messages)
    : waiting_messages_(waiting_messages), sources_(strangers) {
  for (size_t i = 0; i < shards; ++i) places_.push_back(std::make_unique<Place>());
}

ShardMesh::~ShardMesh() = default;

bool ShardMesh::Post(size_t shard, std::function<void(ShardTransport&)> work) {
  Place& place = *places_[shard];
  if (place.context == nullptr) return false;
  // A bound, not a balance: that two shards pass it at once does no harm.
  if (place.waiting.load(std::memory_order_relaxed) >= waiting_messages_) return false;
  place.waiting.fetch_add(1, std::memory_order_relaxed);
  boost::asio::post(*place.context, [&place, work = std::move(work)] {
    place.waiting.fetch_sub(1, std::memory_order_relaxed);
    // Null: the shard has stopped.
    if (place.transport != nullptr) work(*place.transport);
  });
  return true;
}

absl::StatusOr<std::unique_ptr<ShardTransport>> ShardTransport::Open(boost::asio::io_context& context, size_t shard,
                                                                     ShardMesh& mesh,
                                                                     const ShardTransportOptions& options,
                                                                     Events events) {
  std::unique_ptr<ShardTransport> transport(new ShardTransport(context, shard, mesh, options, std::move(events)));
  if (absl::Status status = transport->OpenListeners(context, options); !status.ok()) return status;
  mesh.places_[shard]->transport = transport.get();
  mesh.places_[shard]->context = &context;
  return transport;
}

ShardTransport::ShardTransport(boost::asio::io_context& context, size_t shard, ShardMesh& mesh,
                               const ShardTransportOptions& options, Events events)
    : shard_(shard),
      mesh_(mesh),
      events_(std::move(events)),
      streams_(context, static_cast<uint16_t>(shard), options.streams, {mesh.tls_peers_, mesh.clients_}, counters_,
               {.receive = [this](const sip::Hop& hop, absl::string_view message) { Take(hop, message); },
                .undelivered = [this](const sip::Hop& hop,
                                      absl::string_view message) { Tell(&Events::undelivered, hop, message); }}) {
  streams_.SetTls(options.tls);
}

ShardTransport::~ShardTransport() { mesh_.places_[shard_]->transport = nullptr; }

absl::Status ShardTransport::OpenListeners(boost::asio::io_context& context, const ShardTransportOptions& options) {
  for (Listener listener : options.listeners) {
    if (listener.protocol == sip::Protocol::kUdp) {
      auto socket = UdpSocket::Open(context, listener.address, options.udp, counters_,
                                    [this](const Datagram& datagram) { TakeDatagram(datagram); });
      if (!socket.ok()) return socket.status();
      listener.address = (*socket)->local();
      udp_.push_back(*std::move(socket));
    } else {
      const absl::StatusOr<sip::Endpoint> bound = streams_.Listen(listener, listeners_.size());
      if (!bound.ok()) return bound.status();
      listener.address = *bound;
    }
    listeners_.push_back(std::move(listener));
  }
  return absl::OkStatus();
}

void ShardTransport::TakeDatagram(const Datagram& datagram) {
  const sip::Hop hop = {sip::Protocol::kUdp, datagram.local, datagram.source};
  if (IsStun(datagram.bytes)) {
    counters_.Drop(DropReason::kKeepAlive);
    if (const auto answer = AnswerStun(datagram.bytes, datagram.source); answer.has_value()) Send(hop, *answer);
  } else if (IsKeepAlive(datagram.bytes)) {
    counters_.Drop(DropReason::kKeepAlive);
  } else {
    Take(hop, datagram.bytes);
  }
}

void ShardTransport::Take(const sip::Hop& hop, absl::string_view message) {
  // Responses are nothing without the secrets of a transaction.
  if (!absl::StartsWith(message, kResponse) && !mesh_.sources_.Admit(hop.remote, SourceLimiter::Time::clock::now())) {
    return counters_.Drop(DropReason::kUnknownSource);
  }
  Tell(&Events::receive, hop, message);
}

void ShardTransport::Tell(StreamTransport::MessageFunction Events::*event, const sip::Hop& hop,
                          absl::string_view message) {
  if (mesh_.size() == 1) {
    (events_.*event)(hop, message);
    return;
  }
  const absl::string_view call_id = FindCallId(message);
  // A message without Call-ID is nobody's; who has received it refuses it.
  const size_t owner = call_id.empty() ? shard_ : ShardOf(call_id, mesh_.size());
  if (owner == shard_) {
    (events_.*event)(hop, message);
    return;
  }
  const bool posted = mesh_.Post(owner, [event, hop, bytes = std::string(message)](ShardTransport& transport) {
    (transport.events_.*event)(hop, bytes);
  });
  if (posted) {
    counters_.handed_over.fetch_add(1, std::memory_order_relaxed);
  } else {
    counters_.Drop(DropReason::kShardBusy);
  }
}

void ShardTransport::Send(const sip::Hop& hop, absl::string_view message) {
  if (hop.protocol == sip::Protocol::kUdp) {
    UdpSocket* const socket = SocketFor(hop);
    if (socket == nullptr) {
      counters_.Drop(DropReason::kUnreachable);
    } else {
      socket->Send(hop.local, hop.remote, message);
    }
    return;
  }
  const size_t owner = StreamTransport::ShardOf(hop.connection);
  if (hop.connection == 0 || owner == shard_ || owner >= mesh_.size()) {
    streams_.Send(hop, message);
    return;
  }
  const bool posted = mesh_.Post(
      owner, [hop, bytes = std::string(message)](ShardTransport& transport) { transport.streams_.Send(hop, bytes); });
  if (!posted) counters_.Drop(DropReason::kShardBusy);
}

UdpSocket* ShardTransport::SocketFor(const sip::Hop& hop) const {
  UdpSocket* fitting = nullptr;
  for (const std::unique_ptr<UdpSocket>& socket : udp_) {
    const sip::Endpoint& local = socket->local();
    if (local == hop.local) return socket.get();
    if (local.is_v6 != hop.remote.is_v6) continue;
    const bool for_all = IsUnspecified(local) && local.port == hop.local.port;
    if (fitting == nullptr || for_all) fitting = socket.get();
  }
  return fitting;
}

std::string ShardTransport::Advertised(const sip::Hop& hop) const {
  const Listener* fitting = nullptr;
  for (const Listener& listener : listeners_) {
    if (listener.protocol != hop.protocol) continue;
    const bool same =
        listener.address == hop.local || (IsUnspecified(listener.address) && listener.address.port == hop.local.port &&
                                          listener.address.is_v6 == hop.local.is_v6);
    if (same || fitting == nullptr) fitting = &listener;
    if (same) break;
  }
  if (fitting != nullptr && !fitting->advertised.empty()) return fitting->advertised;
  if (fitting == nullptr) return hop.local.ToString();
  // A connection that we opened leaves from a port of its own; peers reach us at the listener's.
  if (IsUnspecified(fitting->address)) return WithPort(hop.local, fitting->address.port).ToString();
  return fitting->address.ToString();
}

sip::Hop ShardTransport::HopTo(sip::Protocol protocol, const sip::Endpoint& remote) const {
  sip::Hop hop{.protocol = protocol, .remote = remote};
  bool found = false;
  for (const Listener& listener : listeners_) {
    if (listener.protocol != protocol) continue;
    const bool same_family = listener.address.is_v6 == remote.is_v6;
    if (found && !same_family) continue;
    hop.local = listener.address;
    found = true;
    if (same_family) break;
  }
  return hop;
}

bool ShardTransport::IsOfThisHost(const sip::Endpoint& address) const {
  if (host_addresses_.empty()) host_addresses_ = AddressesOfThisHost();
  return std::any_of(host_addresses_.begin(), host_addresses_.end(),
                     [&](const sip::Endpoint& own) { return own.SameAddress(address); });
}

bool ShardTransport::ListensOn(sip::Protocol protocol, const sip::Endpoint& local) const {
  return std::any_of(listeners_.begin(), listeners_.end(), [&](const Listener& listener) {
    if (listener.protocol != protocol || listener.address.is_v6 != local.is_v6) return false;
    if (listener.address == local) return true;
    return IsUnspecified(listener.address) && listener.address.port == local.port && IsOfThisHost(local);
  });
}

std::vector<std::string> ShardTransport::ClientIdentities(const sip::Hop& hop) const {
  return IsSecure(hop.protocol) ? mesh_.clients_.Find(hop.connection) : std::vector<std::string>();
}

void ShardTransport::Flush() {
  for (const std::unique_ptr<UdpSocket>& socket : udp_) socket->Flush();
}

}  // namespace sluice::transport
