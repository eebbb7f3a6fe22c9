#include "signaling/transport/tls_identity.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "absl/strings/ascii.h"
#include "signaling/sip/hop.h"
#include "signaling/sip/uri.h"

namespace sluice::transport {
namespace {

struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

// A NUL inside would make a name look like another one.
std::optional<std::string> Text(const ASN1_STRING* text) {
  const absl::string_view bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                                static_cast<size_t>(ASN1_STRING_length(text)));
  if (bytes.empty() || bytes.find('\0') != absl::string_view::npos) return std::nullopt;
  return absl::AsciiStrToLower(bytes);
}

std::optional<std::string> CommonName(const X509* certificate) {
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (index < 0) return std::nullopt;
  return Text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
}

}  // namespace

std::vector<std::string> SipIdentities(const X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, FreeNames> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> uris;
  std::vector<std::string> hosts;
  const int count = names == nullptr ? 0 : sk_GENERAL_NAME_num(names.get());
  for (int i = 0; i < count; ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) {
      if (auto host = Text(name->d.dNSName); host.has_value()) hosts.push_back(*std::move(host));
    } else if (name->type == GEN_URI) {
      const auto text = Text(name->d.uniformResourceIdentifier);
      const auto uri = text.has_value() ? sip::Uri::Parse(*text) : std::nullopt;
      // With a user part it names a user and not a domain.
      if (uri.has_value() && uri->scheme() == sip::Scheme::kSip && uri->DecodedUser().empty()) {
        uris.emplace_back(uri->host());
      }
    }
  }
  if (!uris.empty()) return uris;
  if (!hosts.empty() || names != nullptr) return hosts;
  if (auto name = CommonName(certificate); name.has_value()) hosts.push_back(*std::move(name));
  return hosts;
}

bool SpeaksFor(X509* certificate, absl::string_view name) {
  if (const auto address = sip::Endpoint::Make(name, 0); address.has_value()) {
    return X509_check_ip(certificate, address->address.data(), address->is_v6 ? 16 : 4, 0) == 1;
  }
  const std::vector<std::string> identities = SipIdentities(certificate);
  return std::find(identities.begin(), identities.end(), absl::AsciiStrToLower(name)) != identities.end();
}

}  // namespace sluice::transport
