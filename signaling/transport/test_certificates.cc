#include "signaling/transport/test_certificates.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace sluice::transport {
namespace {

constexpr long kLifetimeSeconds = 3600;

void AddExtension(X509* certificate, int nid, const std::string& value) {
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Signed by `issuer`; by itself if that has no key.
TestCertificates::Key MakeKey(const TestCertificates::Key& issuer, int serial, const std::string& common_name,
                              const std::string& names) {
  TestCertificates::Key made;
  made.key.reset(EVP_EC_gen("P-256"), EVP_PKEY_free);
  made.certificate.reset(X509_new(), X509_free);
  X509* const certificate = made.certificate.get();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), kLifetimeSeconds);
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  const bool is_authority = issuer.key == nullptr;
  X509_set_issuer_name(certificate, X509_get_subject_name(is_authority ? certificate : issuer.certificate.get()));
  if (is_authority) AddExtension(certificate, NID_basic_constraints, "critical,CA:TRUE");
  if (!names.empty()) AddExtension(certificate, NID_subject_alt_name, names);
  X509_sign(certificate, is_authority ? made.key.get() : issuer.key.get(), EVP_sha256());
  return made;
}

template <typename Write>
std::string Pem(const Write& write) {
  BIO* const memory = BIO_new(BIO_s_mem());
  write(memory);
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory, &text);
  std::string pem(text, static_cast<size_t>(size));
  BIO_free(memory);
  return pem;
}

std::string CertificatePem(X509* certificate) {
  return Pem([&](BIO* memory) { PEM_write_bio_X509(memory, certificate); });
}

}  // namespace

TestCertificates::TestCertificates() {
  const char* const temporary = std::getenv("TEST_TMPDIR");
  std::string pattern = absl::StrCat(temporary == nullptr ? "/tmp" : temporary, "/certificates-XXXXXX");
  folder_ = mkdtemp(pattern.data());
  authority_ = MakeKey({}, ++made_, "Test authority", "");
  WriteFile("ca.pem", CertificatePem(authority_.certificate.get()));
}

TestCertificates::~TestCertificates() { std::filesystem::remove_all(folder_); }

TestCertificates::Key TestCertificates::Make(const std::string& common_name, const std::string& names) {
  return MakeKey(authority_, ++made_, common_name, names);
}

TlsFiles TestCertificates::MakeFiles(const std::string& common_name, const std::string& names) {
  const Key made = Make(common_name, names);
  const std::string key = Pem(
      [&](BIO* memory) { PEM_write_bio_PrivateKey(memory, made.key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  return {.certificate_file = WriteFile(absl::StrCat(made_, ".pem"), CertificatePem(made.certificate.get())),
          .private_key_file = WriteFile(absl::StrCat(made_, ".key"), key),
          .ca_file = ca_file()};
}

std::string TestCertificates::WriteFile(const std::string& name, const std::string& text) {
  const std::string path = absl::StrCat(folder_, "/", name);
  std::ofstream(path) << text;
  return path;
}

}  // namespace sluice::transport
