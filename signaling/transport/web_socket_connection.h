// SIP over a WebSocket, as its server (RFC 7118 over RFC 6455): one SIP message a WebSocket message, both ways.
//
// The client asks for the upgrade with the subprotocol "sip", whatever path it names; without it the answer is an HTTP
// error and the end. Beast reads and writes frames, answers pings and closes; a message is bounded as on a stream. A
// client that says nothing is pinged, and closed if it does not answer. Text or binary is read as it comes; what we
// send is text if it is UTF-8.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_TRANSPORT_WEB_SOCKET_CONNECTION_H_
#define SLUICE_SIGNALING_TRANSPORT_WEB_SOCKET_CONNECTION_H_

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <memory>
#include <string>

#include "signaling/transport/connection.h"

namespace sluice::transport {

class WebSocketConnection final : public Connection {
 public:
  WebSocketConnection(boost::asio::ip::tcp::socket socket, const Setup& setup, TransportCounters& counters,
                      std::shared_ptr<const Events> events);

 private:
  void Begin() override;
  bool joins_messages() const override { return false; }
  void Write(const std::string& bytes) override;

  std::shared_ptr<WebSocketConnection> Self() {
    return std::static_pointer_cast<WebSocketConnection>(shared_from_this());
  }
  void TakeUpgrade();
  // Answers with an HTTP error and closes.
  void Refuse(const std::string& response);
  void Read();

  // Of the upgrade; empty once that is over.
  std::unique_ptr<boost::beast::http::request_parser<boost::beast::http::empty_body>> request_;
  boost::beast::flat_buffer buffer_;
  boost::beast::websocket::stream<ByteStream&, false> socket_;
};

}  // namespace sluice::transport

#endif  // SLUICE_SIGNALING_TRANSPORT_WEB_SOCKET_CONNECTION_H_
