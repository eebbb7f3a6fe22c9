// SIP right on a stream, TCP or TLS: cut into messages by Content-Length (RFC 3261 18.3).
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_TRANSPORT_SIP_CONNECTION_H_
#define SLUICE_SIGNALING_TRANSPORT_SIP_CONNECTION_H_

#include <array>
#include <memory>
#include <string>

#include "signaling/sip/stream_framer.h"
#include "signaling/transport/connection.h"

namespace sluice::transport {

class SipConnection final : public Connection {
 public:
  SipConnection(boost::asio::ip::tcp::socket socket, const Setup& setup, TransportCounters& counters,
                std::shared_ptr<const Events> events);

 private:
  void Begin() override;
  bool joins_messages() const override { return true; }
  void Write(const std::string& bytes) override;

  std::shared_ptr<SipConnection> Self() { return std::static_pointer_cast<SipConnection>(shared_from_this()); }
  void Read();
  void TakeMessages();

  sip::StreamFramer framer_;
  std::array<char, 8192> read_buffer_;
};

}  // namespace sluice::transport

#endif  // SLUICE_SIGNALING_TRANSPORT_SIP_CONNECTION_H_
