// Whether a certificate speaks for a SIP domain (RFC 5922 7).
//
// Its names are the sip: URIs without a user part among its subjectAltNames; without any, its DNS names; without any
// subjectAltName, its common name. They are compared whole: wildcards do not count (RFC 5922 7.2).
//
// Threads: any.
#ifndef SLUICE_SIGNALING_TRANSPORT_TLS_IDENTITY_H_
#define SLUICE_SIGNALING_TRANSPORT_TLS_IDENTITY_H_

#include <openssl/x509.h>

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace sluice::transport {

// Lower case.
std::vector<std::string> SipIdentities(const X509* certificate);

// `name` is a domain, or an address: then one of the certificate's IP addresses must be the same.
bool SpeaksFor(X509* certificate, absl::string_view name);

}  // namespace sluice::transport

#endif  // SLUICE_SIGNALING_TRANSPORT_TLS_IDENTITY_H_
