// Which files TLS is set up from, all PEM.
#ifndef SLUICE_SIGNALING_TRANSPORT_TLS_FILES_H_
#define SLUICE_SIGNALING_TRANSPORT_TLS_FILES_H_

#include <string>

namespace sluice::transport {

struct TlsFiles {
  // What we show: the certificate with what is between it and its root, and its key. Empty, as a client: nothing.
  std::string certificate_file;
  std::string private_key_file;
  // Whose certificates we believe. Empty: as a client those of the system; as a server none is asked for.
  std::string ca_file;
};

}  // namespace sluice::transport

#endif  // SLUICE_SIGNALING_TRANSPORT_TLS_FILES_H_
