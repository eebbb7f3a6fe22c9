// What TLS connections are made from: versions, certificates, whom to believe.
//
// TLS 1.2 and 1.3 only (RFC 8996). A context is read from files once and shared by all shards; a reload makes new ones,
// and connections that exist keep what they began with.
//
// Threads: any.
#ifndef SLUICE_SIGNALING_TRANSPORT_TLS_CONTEXT_H_
#define SLUICE_SIGNALING_TRANSPORT_TLS_CONTEXT_H_

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "signaling/transport/network.h"
#include "signaling/transport/tls_files.h"

namespace sluice::transport {

// One a listener, null for those that do not speak TLS; and the one for connections that we open.
struct TlsContexts {
  std::vector<std::shared_ptr<boost::asio::ssl::context>> servers;
  std::shared_ptr<boost::asio::ssl::context> client;
};

// For connections that peers open to us. INVALID_ARGUMENT names the file and what is wrong with it.
absl::StatusOr<std::shared_ptr<boost::asio::ssl::context>> MakeTlsServer(const TlsFiles& files);
// For connections that we open: they are refused unless the peer's certificate is believed. Errors as above.
absl::StatusOr<std::shared_ptr<boost::asio::ssl::context>> MakeTlsClient(const TlsFiles& files);

// All of `listeners` and `client`. Errors name the listener too.
absl::StatusOr<std::shared_ptr<const TlsContexts>> ReadTlsContexts(const std::vector<Listener>& listeners,
                                                                   const TlsFiles& client);

}  // namespace sluice::transport

#endif  // SLUICE_SIGNALING_TRANSPORT_TLS_CONTEXT_H_
