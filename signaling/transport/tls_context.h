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
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "signaling/transport/network.h"
#include "signaling/transport/tls_files.h"

namespace sluice::transport {

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;
// By the trunk's name, of those that have files of their own.
using TrunkTlsContexts = absl::flat_hash_map<std::string, TlsContext>;

struct TlsContexts {
  // One a listener, null for those that do not speak TLS.
  std::vector<TlsContext> servers;
  // For connections that we open: to the servers of these trunks, and to all others.
  TrunkTlsContexts trunks;
  TlsContext client;
};

// For connections that peers open to us. INVALID_ARGUMENT names the file and what is wrong with it.
// `certificates_are_optional`: as Listener's.
absl::StatusOr<TlsContext> MakeTlsServer(const TlsFiles& files, bool certificates_are_optional = false);
// For connections that we open: they are refused unless the peer's certificate is believed. Errors as above.
absl::StatusOr<TlsContext> MakeTlsClient(const TlsFiles& files);

// All of `listeners` and `client`, and of no trunk. Errors name the listener too.
absl::StatusOr<TlsContexts> ReadTlsContexts(const std::vector<Listener>& listeners, const TlsFiles& client);

}  // namespace sluice::transport

#endif  // SLUICE_SIGNALING_TRANSPORT_TLS_CONTEXT_H_
