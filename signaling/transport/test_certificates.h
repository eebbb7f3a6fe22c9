// Keys and certificates that a test makes for itself, and an authority that signs them.
#ifndef SLUICE_SIGNALING_TRANSPORT_TEST_CERTIFICATES_H_
#define SLUICE_SIGNALING_TRANSPORT_TEST_CERTIFICATES_H_

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "signaling/transport/tls_files.h"

namespace sluice::transport {

class TestCertificates {
 public:
  struct Key {
    std::shared_ptr<EVP_PKEY> key;
    std::shared_ptr<X509> certificate;
  };

  // Files go into a folder of its own, which ends with it.
  TestCertificates();
  ~TestCertificates();

  // Signed by the authority. `names` as OpenSSL's subjectAltName has them, "DNS:sip.example,URI:sip:example"; empty:
  // none.
  Key Make(const std::string& common_name, const std::string& names);
  // The same in files, with the authority's certificate as ca_file.
  TlsFiles MakeFiles(const std::string& common_name, const std::string& names);

  std::string ca_file() const { return folder_ + "/ca.pem"; }
  std::string WriteFile(const std::string& name, const std::string& text);

 private:
  std::string folder_;
  Key authority_;
  int made_ = 0;
};

}  // namespace sluice::transport

#endif  // SLUICE_SIGNALING_TRANSPORT_TEST_CERTIFICATES_H_
