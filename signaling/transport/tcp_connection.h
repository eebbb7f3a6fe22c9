// One TCP connection: reads, cuts into messages, writes what waits. TcpTransport owns it and says what its limits are.
//
// Threads: the shard's, all of it.
#ifndef SLUICE_SIGNALING_TRANSPORT_TCP_CONNECTION_H_
#define SLUICE_SIGNALING_TRANSPORT_TCP_CONNECTION_H_

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/sip/hop.h"
#include "signaling/sip/stream_framer.h"
#include "signaling/transport/counters.h"

namespace sluice::transport {

class TcpConnection : public std::enable_shared_from_this<TcpConnection> {
 public:
  struct Events {
    std::function<void(const TcpConnection& connection, absl::string_view message)> message;
    // The last that is heard of it. Called from the event loop, never from inside Send.
    std::function<void(const TcpConnection& connection)> closed;
  };

  // Neither reads nor writes before Start or Connect. `counters` outlives it.
  TcpConnection(boost::asio::ip::tcp::socket socket, uint64_t id, const sip::Endpoint& local,
                const sip::Endpoint& remote, size_t max_message_bytes, size_t max_waiting_bytes,
                TransportCounters& counters, std::shared_ptr<const Events> events);

  // For an accepted socket.
  void Start();
  // For a socket that is not connected yet; what is sent meanwhile waits.
  void Connect();

  // Takes the bytes to be written in order. Too many waiting: the connection is closed.
  void Send(absl::string_view bytes);
  // Closes, counting `reason` if there is one; `closed` follows.
  void Close();
  void Close(DropReason reason);

  uint64_t id() const { return id_; }
  const sip::Endpoint& local() const { return local_; }
  const sip::Endpoint& remote() const { return remote_; }
  bool connected() const { return connected_; }
  bool is_open() const { return open_; }
  // When the last byte came, the connection was made, or the message that is not complete began (InfiniteFuture: none
  // has begun).
  absl::Time last_byte_time() const { return last_byte_time_; }
  absl::Time message_begin_time() const { return message_begin_time_; }

 private:
  void Read();
  void TakeMessages();
  void Write();

  boost::asio::ip::tcp::socket socket_;
  const uint64_t id_;
  sip::Endpoint local_;
  const sip::Endpoint remote_;
  const size_t max_waiting_bytes_;
  TransportCounters& counters_;
  const std::shared_ptr<const Events> events_;
  sip::StreamFramer framer_;
  std::array<char, 8192> read_buffer_;
  std::string waiting_;
  std::string writing_;
  bool connected_ = false;
  bool open_ = true;
  absl::Time last_byte_time_;
  absl::Time message_begin_time_ = absl::InfiniteFuture();
};

}  // namespace sluice::transport

#endif  // SLUICE_SIGNALING_TRANSPORT_TCP_CONNECTION_H_
