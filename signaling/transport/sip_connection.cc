#include "signaling/transport/sip_connection.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace sluice::transport {

namespace asio = boost::asio;
using boost::system::error_code;

SipConnection::SipConnection(asio::ip::tcp::socket socket, const Setup& setup, TransportCounters& counters,
                             std::shared_ptr<const Events> events)
    : Connection(std::move(socket), setup, counters, std::move(events)), framer_(setup.max_message_bytes) {}

void SipConnection::Begin() {
  Read();
  Ready();
}

void SipConnection::Write(const std::string& bytes) {
  asio::async_write(stream(), asio::buffer(bytes),
                    [self = Self()](const error_code& error, size_t) { self->Written(error); });
}

void SipConnection::Read() {
  stream().async_read_some(asio::buffer(read_buffer_), [self = Self()](const error_code& error, size_t size) {
    if (!self->is_open()) return;
    if (error) {
      self->Close();
      return;
    }
    self->NoteBytes();
    self->framer_.Append(absl::string_view(self->read_buffer_.data(), size));
    self->TakeMessages();
    if (self->is_open()) self->Read();
  });
}

void SipConnection::TakeMessages() {
  while (is_open()) {
    const sip::StreamFramer::Item item = framer_.Next();
    switch (item.kind) {
      case sip::StreamFramer::Item::kMessage:
        TakeMessage(item.bytes);
        NoteProgress(false);
        break;
      case sip::StreamFramer::Item::kPing:
        TakePing();
        break;
      case sip::StreamFramer::Item::kMore:
        NoteProgress(framer_.in_message());
        return;
      case sip::StreamFramer::Item::kError:
        Close(DropReason::kFraming);
        return;
    }
  }
}

}  // namespace sluice::transport
