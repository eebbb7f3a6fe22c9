#include "signaling/transport/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "signaling/transport/sockaddr.h"

namespace sluice::transport {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

namespace {

// Forward secrecy and authenticated encryption; those of TLS 1.3 all are.
constexpr char kCiphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

absl::Status FileError(absl::string_view key, const std::string& file, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(key, " '", file, "': ", what));
}

// OpenSSL tells of a missing file only that something failed.
absl::Status CheckReadable(absl::string_view key, const std::string& file) {
  errno = 0;
  if (std::ifstream stream(file); stream.is_open() && stream.peek() != std::ifstream::traits_type::eof()) {
    return absl::OkStatus();
  }
  return FileError(key, file, absl::StrCat("cannot be read: ", errno == 0 ? "it is empty" : std::strerror(errno)));
}

absl::Status UseCertificate(ssl::context& context, const TlsFiles& files) {
  if (absl::Status status = CheckReadable("certificate_file", files.certificate_file); !status.ok()) return status;
  if (absl::Status status = CheckReadable("private_key_file", files.private_key_file); !status.ok()) return status;
  error_code error;
  context.use_certificate_chain_file(files.certificate_file, error);
  if (error) return FileError("certificate_file", files.certificate_file, "holds no certificate in PEM");
  // A key for another certificate is refused here as well; without a callback OpenSSL would ask the terminal.
  context.set_password_callback([](size_t, ssl::context::password_purpose) { return std::string(); }, error);
  context.use_private_key_file(files.private_key_file, ssl::context::pem, error);
  if (!error && SSL_CTX_check_private_key(context.native_handle()) == 1) return absl::OkStatus();
  const bool mismatch = ERR_GET_REASON(error.value()) == X509_R_KEY_VALUES_MISMATCH ||
                        ERR_GET_REASON(error.value()) == X509_R_KEY_TYPE_MISMATCH;
  ERR_clear_error();
  return FileError("private_key_file", files.private_key_file,
                   mismatch ? absl::StrCat("is not the key of ", files.certificate_file)
                            : "holds no private key in PEM without password");
}

absl::Status UseAuthorities(ssl::context& context, absl::string_view key, const std::string& file) {
  if (absl::Status status = CheckReadable(key, file); !status.ok()) return status;
  error_code error;
  context.load_verify_file(file, error);
  return error ? FileError(key, file, "holds no certificate in PEM") : absl::OkStatus();
}

absl::StatusOr<TlsContext> MakeContext(ssl::context::method method) {
  auto context = std::make_shared<ssl::context>(method);
  SSL_CTX* const native = context->native_handle();
  SSL_CTX_set_options(native, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION) != 1 || SSL_CTX_set_cipher_list(native, kCiphers) != 1) {
    return absl::InternalError("OpenSSL has not what TLS 1.2 needs");
  }
  return context;
}

}  // namespace

absl::StatusOr<TlsContext> MakeTlsServer(const TlsFiles& files, bool certificates_are_optional) {
  auto context = MakeContext(ssl::context::tls_server);
  if (!context.ok()) return context;
  if (absl::Status status = UseCertificate(**context, files); !status.ok()) return status;
  if (files.ca_file.empty()) return context;
  if (absl::Status status = UseAuthorities(**context, "client_ca_file", files.ca_file); !status.ok()) return status;
  (*context)->set_verify_mode(ssl::verify_peer | (certificates_are_optional ? 0 : ssl::verify_fail_if_no_peer_cert));
  // Without a name for them, sessions of clients with certificates cannot be resumed.
  constexpr unsigned char kSessions[] = "sluice";
  SSL_CTX_set_session_id_context((*context)->native_handle(), kSessions, sizeof(kSessions) - 1);
  return context;
}

absl::StatusOr<TlsContext> MakeTlsClient(const TlsFiles& files) {
  auto context = MakeContext(ssl::context::tls_client);
  if (!context.ok()) return context;
  if (!files.certificate_file.empty()) {
    if (absl::Status status = UseCertificate(**context, files); !status.ok()) return status;
  }
  if (files.ca_file.empty()) {
    error_code none;
    (*context)->set_default_verify_paths(none);
  } else if (absl::Status status = UseAuthorities(**context, "ca_file", files.ca_file); !status.ok()) {
    return status;
  }
  (*context)->set_verify_mode(ssl::verify_peer);
  return context;
}

absl::StatusOr<TlsContexts> ReadTlsContexts(const std::vector<Listener>& listeners, const TlsFiles& client) {
  TlsContexts contexts;
  for (const Listener& listener : listeners) {
    contexts.servers.emplace_back();
    if (!IsSecure(listener.protocol)) continue;
    auto server = MakeTlsServer(listener.tls, listener.client_certificates_are_optional);
    if (!server.ok()) {
      return absl::Status(server.status().code(),
                          absl::StrCat("SIP listener ", listener.address.ToString(), "/",
                                       TransportName(listener.protocol), ": ", server.status().message()));
    }
    contexts.servers.back() = *std::move(server);
  }
  auto made = MakeTlsClient(client);
  if (!made.ok()) return absl::Status(made.status().code(), absl::StrCat("sip.tls_client: ", made.status().message()));
  contexts.client = *std::move(made);
  return contexts;
}

}  // namespace sluice::transport
