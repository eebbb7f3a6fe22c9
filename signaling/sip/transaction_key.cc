#include "signaling/sip/transaction_key.h"

#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "signaling/sip/text.h"
#include "signaling/sip/via.h"

namespace sluice::sip {
namespace {

constexpr size_t kMaxKeyBytes = 128;

// A line end stands in no part, so parts cannot run into each other.
std::string Join(std::initializer_list<absl::string_view> parts) {
  size_t size = 0;
  for (const absl::string_view part : parts) size += part.size() + 1;
  std::string key;
  key.reserve(size);
  for (const absl::string_view part : parts) {
    key.append(part.data(), part.size());
    key.push_back('\n');
  }
  if (key.size() <= kMaxKeyBytes) return key;
  std::array<unsigned char, 32> digest;
  EVP_Digest(key.data(), key.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  return std::string(reinterpret_cast<const char*>(digest.data()), digest.size());
}

}  // namespace

std::string ServerTransactionKey(const Message& request, absl::string_view method) {
  absl::string_view list = request.Get(Header::kVia);
  const absl::string_view top = NextElement(list).value_or(absl::string_view());
  const ViaParts via = ParseViaParts(top).value_or(ViaParts());
  const absl::string_view branch = via.branch();
  if (IsUniqueBranch(branch)) {
    return Join({branch, via.host, absl::StrCat(via.port), request.CallId(), method});
  }
  return Join(
      {top, request.request_uri(), request.CallId(), absl::StrCat(request.CSeqNumber()), request.FromTag(), method});
}

std::string AckKey(const Message& message) {
  return Join({message.CallId(), absl::StrCat(message.CSeqNumber()), message.FromTag(), message.ToTag()});
}

}  // namespace sluice::sip
