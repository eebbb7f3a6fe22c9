// One UDP socket of one shard: many datagrams a system call, both ways.
//
// Every shard has a socket of its own on each UDP listener (SO_REUSEPORT); the kernel spreads peers over them. Received
// datagrams are handed up in bursts. Datagrams to be sent are collected and leave with sendmmsg once the current turn
// of the event loop is over, so a burst of requests costs two system calls and not one a message. What the kernel
// cannot take at once waits in a bounded queue. On a listener for all addresses, each datagram carries the address that
// it came to, and an answer leaves from there.
//
// Threads: the shard's, all of it.
#ifndef SLUICE_SIGNALING_TRANSPORT_UDP_SOCKET_H_
#define SLUICE_SIGNALING_TRANSPORT_UDP_SOCKET_H_

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "signaling/sip/hop.h"
#include "signaling/transport/counters.h"

namespace boost::asio {
class io_context;
}

namespace sluice::transport {

struct Datagram {
  absl::string_view bytes;
  sip::Endpoint source;
  // Where it came to.
  sip::Endpoint local;
};

struct UdpSocketOptions {
  size_t max_message_bytes = 65535;
  size_t waiting_datagrams = 4096;
  int receive_buffer_bytes = 4 << 20;
};

class UdpSocket {
 public:
  using ReceiveFunction = std::function<void(const Datagram& datagram)>;

  // Binds to `local` (port 0: any) and begins to receive. Errors name the address and what to do. `context` and
  // `counters` outlive the socket.
  static absl::StatusOr<std::unique_ptr<UdpSocket>> Open(boost::asio::io_context& context, const sip::Endpoint& local,
                                                         const UdpSocketOptions& options, TransportCounters& counters,
                                                         ReceiveFunction receive);
  ~UdpSocket();

  // Sends soon, from `local` if the socket is bound to all addresses. Never waits; what cannot be sent is dropped and
  // counted.
  void Send(const sip::Endpoint& local, const sip::Endpoint& remote, absl::string_view bytes);
  // Sends now what waits, as far as the kernel takes it. For the stop.
  void Flush();

  // With the port that the kernel chose.
  const sip::Endpoint& local() const;

 private:
  class Loop;
  explicit UdpSocket(std::shared_ptr<Loop> loop) : loop_(std::move(loop)) {}

  // Shared with the handlers that wait in the event loop.
  const std::shared_ptr<Loop> loop_;
};

}  // namespace sluice::transport

#endif  // SLUICE_SIGNALING_TRANSPORT_UDP_SOCKET_H_
