#include "signaling/transport/byte_stream.h"

#include <openssl/ssl.h>

#include <boost/asio/ssl/verify_context.hpp>

#include "signaling/sip/hop.h"
#include "signaling/transport/tls_identity.h"

namespace sluice::transport {

namespace asio = boost::asio;
using boost::system::error_code;

ByteStream::ByteStream(asio::ip::tcp::socket socket, std::shared_ptr<asio::ssl::context> tls)
    : socket_(std::move(socket)), context_(std::move(tls)) {
  if (context_ != nullptr) tls_.emplace(socket_, *context_);
}

void ByteStream::Accept(std::function<void(const error_code&)> done) {
  if (tls_.has_value()) {
    tls_->async_handshake(asio::ssl::stream_base::server, std::move(done));
  } else {
    asio::post(get_executor(), [done = std::move(done)] { done({}); });
  }
}

void ByteStream::Call(const std::string& peer_name, std::function<void(const error_code&)> done) {
  if (!tls_.has_value()) {
    asio::post(get_executor(), [done = std::move(done)] { done({}); });
    return;
  }
  // SNI carries names and no addresses (RFC 6066 3).
  if (!sip::Endpoint::Make(peer_name, 0).has_value())
    SSL_set_tlsext_host_name(tls_->native_handle(), peer_name.c_str());
  tls_->set_verify_callback([peer_name](bool believed, asio::ssl::verify_context& context) {
    X509_STORE_CTX* const store = context.native_handle();
    if (!believed || X509_STORE_CTX_get_error_depth(store) > 0) return believed;
    return SpeaksFor(X509_STORE_CTX_get_current_cert(store), peer_name);
  });
  tls_->async_handshake(asio::ssl::stream_base::client, std::move(done));
}

std::vector<std::string> ByteStream::ClientIdentities() {
  if (!tls_.has_value()) return {};
  SSL* const tls = tls_->native_handle();
  const X509* const certificate = SSL_get0_peer_certificate(tls);
  // Where none was asked for, or none shown, the result is good as well.
  if (certificate == nullptr || SSL_get_verify_result(tls) != X509_V_OK) return {};
  return SipIdentities(certificate);
}

void ByteStream::Close() {
  error_code ignored;
  if (tls_.has_value() && socket_.is_open() && SSL_is_init_finished(tls_->native_handle()) == 1) {
    socket_.non_blocking(true, ignored);
    tls_->shutdown(ignored);
  }
  socket_.close(ignored);
}

}  // namespace sluice::transport
