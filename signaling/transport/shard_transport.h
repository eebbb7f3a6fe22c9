// The transport of one shard: its sockets on every listener, and the way to and from the other shards.
//
// Whatever socket a message comes to, it is given to the shard that owns its Call-ID. That shard may answer by a
// connection that belongs to another one; the answer is then handed to that shard. Both ways are bounded queues into
// the other's event loop.
//
// Threads: each ShardTransport belongs to its shard's thread; ShardMesh is for all of them.
#ifndef SLUICE_SIGNALING_TRANSPORT_SHARD_TRANSPORT_H_
#define SLUICE_SIGNALING_TRANSPORT_SHARD_TRANSPORT_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "signaling/sip/hop.h"
#include "signaling/transport/client_identities.h"
#include "signaling/transport/counters.h"
#include "signaling/transport/network.h"
#include "signaling/transport/source_limiter.h"
#include "signaling/transport/stream_transport.h"
#include "signaling/transport/tls_context.h"
#include "signaling/transport/tls_peers.h"
#include "signaling/transport/udp_socket.h"

namespace boost::asio {
class io_context;
}

namespace sluice::transport {

class ShardTransport;

// How the shards of one process reach each other. Outlives their event loops.
class ShardMesh {
 public:
  explicit ShardMesh(size_t shards, const SourceLimits& strangers = {}, size_t waiting_messages = 8192);
  ~ShardMesh();

  size_t size() const { return places_.size(); }

  // Runs `work` on the shard's thread; false if too much waits there. Before the shard is attached: false.
  bool Post(size_t shard, std::function<void(ShardTransport&)> work);

 private:
  friend class ShardTransport;
  struct Place {
    boost::asio::io_context* context = nullptr;
    ShardTransport* transport = nullptr;
    std::atomic<size_t> waiting = 0;
  };

  const size_t waiting_messages_;
  SourceLimiter sources_;
  TlsPeers tls_peers_;
  ClientIdentities clients_;
  std::vector<std::unique_ptr<Place>> places_;
};

struct ShardTransportOptions {
  std::vector<Listener> listeners;
  UdpSocketOptions udp;
  StreamTransportOptions streams;
  // One a listener. Null: no listener speaks TLS, and no connection by TLS is opened.
  std::shared_ptr<const TlsContexts> tls;
};

class ShardTransport : public Network {
 public:
  // Both are told at the shard that owns the message's Call-ID.
  using Events = StreamTransport::Events;

  // Opens all listeners; all shards are opened before any event loop runs. Errors name the listener and what to do.
  static absl::StatusOr<std::unique_ptr<ShardTransport>> Open(boost::asio::io_context& context, size_t shard,
                                                              ShardMesh& mesh, const ShardTransportOptions& options,
                                                              Events events);
  ~ShardTransport() override;

  void Send(const sip::Hop& hop, absl::string_view message) override;
  // With the ports that the kernel chose.
  const std::vector<Listener>& listeners() const override { return listeners_; }
  std::string Advertised(const sip::Hop& hop) const override;
  sip::Hop HopTo(sip::Protocol protocol, const sip::Endpoint& remote) const override;
  bool ListensOn(sip::Protocol protocol, const sip::Endpoint& local) const override;

  void Trust(const sip::Endpoint& source) override { mesh_.sources_.Trust(source, SourceLimiter::Time::clock::now()); }
  uint32_t TlsPeerNumber(const TlsPeer& peer) override { return mesh_.tls_peers_.NumberOf(peer); }
  TlsPeer TlsPeerOf(uint32_t number) const override { return mesh_.tls_peers_.Find(number); }
  std::vector<std::string> ClientIdentities(const sip::Hop& hop) const override;
  // For connections that begin from now on.
  void SetTls(std::shared_ptr<const TlsContexts> contexts) { streams_.SetTls(std::move(contexts)); }

  // Closes connections past their limits. Call about once a second.
  void Sweep() {
    streams_.Sweep();
    host_addresses_.clear();
  }
  // Sends what waits, as far as the kernel takes it. For the stop.
  void Flush();

  // Threads: any.
  const TransportCounters& counters() const { return counters_; }

 private:
  ShardTransport(boost::asio::io_context& context, size_t shard, ShardMesh& mesh, const ShardTransportOptions& options,
                 Events events);
  bool IsOfThisHost(const sip::Endpoint& address) const;
  absl::Status OpenListeners(boost::asio::io_context& context, const ShardTransportOptions& options);
  void TakeDatagram(const Datagram& datagram);
  // A whole message: told to the owner, unless it is one too many.
  void Take(const sip::Hop& hop, absl::string_view message);
  // Tells the owner.
  void Tell(StreamTransport::MessageFunction Events::*event, const sip::Hop& hop, absl::string_view message);
  UdpSocket* SocketFor(const sip::Hop& hop) const;

  const size_t shard_;
  ShardMesh& mesh_;
  const Events events_;
  TransportCounters counters_;
  std::vector<Listener> listeners_;
  // As of the latest sweep, or later; empty: nobody has asked since.
  mutable std::vector<sip::Endpoint> host_addresses_;
  std::vector<std::unique_ptr<UdpSocket>> udp_;
  StreamTransport streams_;
};

}  // namespace sluice::transport

#endif  // SLUICE_SIGNALING_TRANSPORT_SHARD_TRANSPORT_H_
