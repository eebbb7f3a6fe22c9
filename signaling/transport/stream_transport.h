// The connections of one shard, TCP, TLS and WebSocket: those that peers opened to our listeners and those that we
// opened (never a WebSocket: we are its server only).
//
// A connection belongs to the shard that has it for its whole life; its id names the shard, so that another shard can
// send by it through its owner. Streams are cut into messages by `StreamFramer`, WebSockets by their frames; a stream
// that cannot be cut is closed, since nothing after the damage has a beginning. CRLF CRLF between messages is answered
// with CRLF (RFC 5626 4.4.1), and said by us where we opened the connection and nothing comes.
//
// Bounds, all counted when they bite: connections in all and from one address, bytes that wait to be sent on a
// connection, time for TLS and the upgrade, time to finish a message that was begun, time without any byte. A peer that
// does not read is closed, never waited for.
//
// Threads: the shard's, all of it. Time is asked of the steady clock only in the event loop's own timer (`Sweep`) and
// handlers.
#ifndef SLUICE_SIGNALING_TRANSPORT_STREAM_TRANSPORT_H_
#define SLUICE_SIGNALING_TRANSPORT_STREAM_TRANSPORT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/sip/hop.h"
#include "signaling/transport/client_identities.h"
#include "signaling/transport/counters.h"
#include "signaling/transport/network.h"
#include "signaling/transport/tls_context.h"
#include "signaling/transport/tls_peers.h"

namespace boost::asio {
class io_context;
}

namespace sluice::transport {

struct StreamTransportOptions {
  size_t max_message_bytes = 65535;
  size_t max_connections = 20000;
  size_t max_connections_per_address = 1000;
  size_t max_waiting_bytes = 1 << 20;
  absl::Duration message_limit = absl::Seconds(20);
  // Longer than any sensible registration, so that a phone that is silent between two REGISTERs keeps its connection.
  absl::Duration idle_limit = absl::Hours(2);
  // From the first packet until messages can be exchanged.
  absl::Duration connect_limit = absl::Seconds(10);
  absl::Duration ping_interval = absl::Seconds(30);
};

class StreamTransport {
 public:
  using MessageFunction = std::function<void(const sip::Hop& hop, absl::string_view message)>;
  // Called from the event loop, never from inside Send.
  struct Events {
    // A whole message of the hop's connection.
    MessageFunction receive;
    // One of ours that no connection took: there is none and none can be made, it did not come about, or it ended
    // first, or before anything has come from a peer that we have connected to.
    MessageFunction undelivered;
  };

  // What is the same for all shards.
  struct Shared {
    const TlsPeers& peers;
    ClientIdentities& clients;
  };

  // `shard` goes into the top 16 bits of connection ids. `context`, `shared` and `counters` outlive the transport.
  StreamTransport(boost::asio::io_context& context, uint16_t shard, const StreamTransportOptions& options,
                  const Shared& shared, TransportCounters& counters, Events events);
  ~StreamTransport();

  // Shard of a connection id.
  static uint16_t ShardOf(uint64_t connection) { return static_cast<uint16_t>(connection >> 48); }

  // Accepts on its address beside other shards (SO_REUSEPORT). Answers it with the port that the kernel chose. `index`
  // is its place among TlsContexts' servers. Errors name the address and what to do.
  absl::StatusOr<sip::Endpoint> Listen(const Listener& listener, size_t index);

  // For connections that begin from now on. Without any, none by TLS comes about, and none for a trunk that is to show
  // its own certificate and is not among them.
  void SetTls(std::shared_ptr<const TlsContexts> contexts);

  // Sends by the hop's connection; if there is none (any more), by any to its remote for its TLS peer, or by a new one
  // to there, unless the hop says that only the connection reaches the peer. Never waits; what cannot be sent is
  // counted and given back.
  void Send(const sip::Hop& hop, absl::string_view bytes);

  // True while the connection is there.
  bool Has(uint64_t connection) const;
  void Close(uint64_t connection);

  // Closes what is past its limits, and keeps the rest alive. Call about once a second.
  void Sweep();

 private:
  class Connections;
  // Shared with the handlers that wait in the event loop.
  const std::shared_ptr<Connections> connections_;
};

}  // namespace sluice::transport

#endif  // SLUICE_SIGNALING_TRANSPORT_STREAM_TRANSPORT_H_
