// A TCP socket that speaks TLS or not: what is above it reads and writes bytes and does not care.
//
// It is an AsyncStream in the sense of Asio and Beast, so that their composed operations work on it.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_TRANSPORT_BYTE_STREAM_H_
#define SLUICE_SIGNALING_TRANSPORT_BYTE_STREAM_H_

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/role.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::transport {

class ByteStream {
 public:
  using executor_type = boost::asio::ip::tcp::socket::executor_type;

  // `tls` null: plain.
  ByteStream(boost::asio::ip::tcp::socket socket, std::shared_ptr<boost::asio::ssl::context> tls);

  // The first bytes of a connection: TLS as the side that was called, or as the side that calls. A caller goes on only
  // if the peer's certificate is believed and speaks for `peer_name` (RFC 5922), a domain or an address. Without TLS
  // `done` is called with success. Never called from inside.
  void Accept(std::function<void(const boost::system::error_code&)> done);
  void Call(const std::string& peer_name, std::function<void(const boost::system::error_code&)> done);

  // Of a client that has called us by TLS and shown a certificate that was verified: whom that speaks for (RFC 5922).
  // Else empty. After Accept.
  std::vector<std::string> ClientIdentities();

  // At once; operations that wait end with an error. By TLS the peer is told first that this is the end and no cut
  // (close_notify), if the kernel takes it without waiting.
  void Close();

  boost::asio::ip::tcp::socket& socket() { return socket_; }

  executor_type get_executor() { return socket_.get_executor(); }

  template <typename Buffers, typename Handler>
  void async_read_some(const Buffers& buffers, Handler&& handler) {
    if (tls_.has_value()) {
      tls_->async_read_some(buffers, std::forward<Handler>(handler));
    } else {
      socket_.async_read_some(buffers, std::forward<Handler>(handler));
    }
  }

  template <typename Buffers, typename Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {
    if (tls_.has_value()) {
      tls_->async_write_some(buffers, std::forward<Handler>(handler));
    } else {
      socket_.async_write_some(buffers, std::forward<Handler>(handler));
    }
  }

  // How Beast ends a stream: after the close frames, and when a peer is too slow.
  friend void beast_close_socket(ByteStream& stream) { stream.Close(); }
  friend void teardown(boost::beast::role_type, ByteStream& stream, boost::system::error_code& error) {
    error = {};
    stream.Close();
  }
  template <typename Handler>
  friend void async_teardown(boost::beast::role_type, ByteStream& stream, Handler&& handler) {
    stream.Close();
    boost::asio::post(stream.get_executor(), [handler = std::forward<Handler>(handler)]() mutable { handler({}); });
  }

 private:
  boost::asio::ip::tcp::socket socket_;
  // Outlives what was made from it, also when a reload has replaced it.
  const std::shared_ptr<boost::asio::ssl::context> context_;
  std::optional<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls_;
};

}  // namespace sluice::transport

#endif  // SLUICE_SIGNALING_TRANSPORT_BYTE_STREAM_H_
