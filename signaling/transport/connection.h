// One connection of a reliable protocol: how it comes up, what waits to be written, how it ends. What its bytes mean is
// for those that derive from it. StreamTransport owns it and says what its limits are.
//
//   Accept: TLS if there is any, then Begin         Connect: TCP, TLS if there is any, then Begin
//
// Begin starts to read and calls Ready once messages can be written; what was sent before waits until then.
//
// Threads: the shard's, all of it.
#ifndef SLUICE_SIGNALING_TRANSPORT_CONNECTION_H_
#define SLUICE_SIGNALING_TRANSPORT_CONNECTION_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "signaling/sip/hop.h"
#include "signaling/transport/byte_stream.h"
#include "signaling/transport/counters.h"

namespace sluice::transport {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  struct Events {
    std::function<void(const Connection& connection, absl::string_view message)> message;
    // Before the first message of a client whose certificate was verified: whom it speaks for; not empty.
    std::function<void(const Connection& connection, std::vector<std::string> identities)> identified;
    // The last that is heard of it. Called from the event loop, never from inside Send.
    std::function<void(Connection& connection)> closed;
  };

  struct Setup {
    // Of its messages; the local address is unspecified for one that we open.
    sip::Hop hop;
    // For TLS and WSS.
    std::shared_ptr<boost::asio::ssl::context> tls;
    size_t max_message_bytes = 0;
    size_t max_waiting_bytes = 0;
    // How often a WebSocket's client that says nothing is asked whether it is there, and KeepAlive speaks.
    absl::Duration ping_interval;
  };

  virtual ~Connection();

  // For a socket that was accepted.
  void Accept();
  // For a socket that is not connected yet. Whom TLS must find there: RFC 5922's domain, or an address.
  void Connect(const std::string& peer_name);

  // Takes the bytes to be written in order. Too many waiting: the connection is closed.
  void Send(absl::string_view bytes);
  // One that we opened, by which nothing has come for the ping interval: says CRLF CRLF, so that what is between us and
  // the peer does not forget it (RFC 5626 3.5.1). An answer is not waited for: servers need not know of this.
  void KeepAlive();
  // Closes, counting `reason` if there is one; `closed` follows.
  void Close();
  void Close(DropReason reason);
  // Of one that is closed: the messages of which nothing was written; and where nothing has ever come from a peer that
  // we have connected to, all that were. By TLS 1.3 a server refuses our certificate only after they were sent.
  std::vector<std::string> TakeUnheard();

  uint64_t id() const { return setup_.hop.connection; }
  // By which its messages come, and by which messages go to the other end.
  const sip::Hop& hop() const { return setup_.hop; }
  const sip::Endpoint& remote() const { return setup_.hop.remote; }
  // There is a TCP connection; messages can be exchanged.
  bool connected() const { return connected_; }
  bool ready() const { return ready_; }
  bool is_open() const { return open_; }
  // When it was begun, when the last byte came, and when the message that is not complete began (InfiniteFuture: none
  // has begun).
  absl::Time begin_time() const { return begin_time_; }
  absl::Time last_byte_time() const { return last_byte_time_; }
  absl::Time message_begin_time() const { return message_begin_time_; }

 protected:
  // `counters` outlives it.
  Connection(boost::asio::ip::tcp::socket socket, const Setup& setup, TransportCounters& counters,
             std::shared_ptr<const Events> events);

  // The stream can be read and written.
  virtual void Begin() = 0;
  // What waits may go into one write, or each message needs its own.
  virtual bool joins_messages() const = 0;
  // Writes all of `bytes`, which stay where they are, and calls Written.
  virtual void Write(const std::string& bytes) = 0;

  void Ready();
  void Written(const boost::system::error_code& error);
  // Bytes have come; they are or are not amid a message.
  void NoteBytes() {
    last_byte_time_ = absl::Now();
    NoteHeard();
  }
  void NoteProgress(bool in_message);
  // A whole message, or the empty lines between two: a ping is answered (RFC 5626 4.4.1).
  void TakeMessage(absl::string_view message) { events_->message(*this, message); }
  void TakePing();

  ByteStream& stream() { return stream_; }
  const Setup& setup() const { return setup_; }

 private:
  void WriteWaiting();
  void NoteHeard() {
    keeps_written_ = false;
    written_.clear();
  }
  // The next one that waits.
  std::string TakeWaiting();

  ByteStream stream_;
  Setup setup_;
  TransportCounters& counters_;
  const std::shared_ptr<const Events> events_;
  std::deque<std::string> waiting_;
  size_t waiting_bytes_ = 0;
  std::string writing_;
  // Until the peer is heard: what was written to it.
  std::vector<std::string> written_;
  size_t written_bytes_ = 0;
  bool keeps_written_ = false;
  bool is_writing_ = false;
  bool connected_ = false;
  bool ready_ = false;
  bool open_ = true;
  bool opened_by_us_ = false;
  absl::Time last_ping_ = absl::InfinitePast();
  const absl::Time begin_time_;
  absl::Time last_byte_time_;
  absl::Time message_begin_time_ = absl::InfiniteFuture();
};

}  // namespace sluice::transport

#endif  // SLUICE_SIGNALING_TRANSPORT_CONNECTION_H_
