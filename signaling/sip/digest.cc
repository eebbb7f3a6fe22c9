#include "signaling/sip/digest.h"

#include <openssl/evp.h>

#include <array>
#include <initializer_list>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "signaling/sip/text.h"

namespace sluice::sip {
namespace {

// Fetched once: OpenSSL looks for EVP_md5() and its kin by name each time they are used.
const EVP_MD* Function(DigestAlgorithm algorithm) {
  static EVP_MD* const md5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
  static EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
  static EVP_MD* const sha512_256 = EVP_MD_fetch(nullptr, "SHA2-512/256", nullptr);
  switch (algorithm) {
    case DigestAlgorithm::kMd5:
      return md5;
    case DigestAlgorithm::kSha256:
      return sha256;
    case DigestAlgorithm::kSha512_256:
      return sha512_256;
  }
  return nullptr;
}

// H of the parts with colons between them, in hex.
std::string Hash(DigestAlgorithm algorithm, std::initializer_list<absl::string_view> parts) {
  const std::string text = absl::StrJoin(parts, ":");
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, Function(algorithm), nullptr);
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest.data()), size));
}

std::string NonceCountText(uint32_t count) { return absl::StrCat(absl::Hex(count, absl::kZeroPad8)); }

// Cuts "Digest" off. False for another scheme.
bool TakeScheme(absl::string_view& value) {
  constexpr absl::string_view kScheme = "Digest";
  value = Trim(value);
  if (value.size() <= kScheme.size() || !absl::EqualsIgnoreCase(value.substr(0, kScheme.size()), kScheme) ||
      !Is(value[kScheme.size()], kSpaceCharacter)) {
    return false;
  }
  value.remove_prefix(kScheme.size());
  return true;
}

// name=value of an element; the value without its quotes.
struct Pair {
  absl::string_view name;
  std::string value;
};
std::optional<Pair> ReadPair(absl::string_view element) {
  const size_t equal = element.find('=');
  if (equal == absl::string_view::npos) return std::nullopt;
  const absl::string_view name = Trim(element.substr(0, equal));
  const absl::string_view value = Trim(element.substr(equal + 1));
  const size_t quoted = QuotedLength(value);
  // A value is one quoted string or has no quote at all.
  if (!IsToken(name) || value.empty() || (quoted != value.size() && absl::StrContains(value, '"'))) {
    return std::nullopt;
  }
  return Pair{name, Unquote(value)};
}

// Sets the field `name` of a list once. False: it was there before.
bool SetOnce(std::string& field, bool& seen, std::string value) {
  if (seen) return false;
  seen = true;
  field = std::move(value);
  return true;
}

}  // namespace

absl::string_view DigestAlgorithmName(DigestAlgorithm algorithm) {
  switch (algorithm) {
    case DigestAlgorithm::kMd5:
      return "MD5";
    case DigestAlgorithm::kSha256:
      return "SHA-256";
    case DigestAlgorithm::kSha512_256:
      return "SHA-512-256";
  }
  return "";
}

std::optional<DigestAlgorithm> ParseDigestAlgorithm(absl::string_view name) {
  for (const DigestAlgorithm algorithm :
       {DigestAlgorithm::kMd5, DigestAlgorithm::kSha256, DigestAlgorithm::kSha512_256}) {
    if (absl::EqualsIgnoreCase(name, DigestAlgorithmName(algorithm))) return algorithm;
  }
  return std::nullopt;
}

size_t DigestHexSize(DigestAlgorithm algorithm) { return algorithm == DigestAlgorithm::kMd5 ? 32 : 64; }

std::string HashA1(absl::string_view user, absl::string_view realm, absl::string_view password,
                   DigestAlgorithm algorithm) {
  return Hash(algorithm, {user, realm, password});
}

std::optional<DigestCredentials> DigestCredentials::Parse(absl::string_view value) {
  if (!TakeScheme(value)) return std::nullopt;
  DigestCredentials credentials;
  std::string nonce_count;
  struct Known {
    absl::string_view name;
    std::string* field;
    bool seen = false;
  };
  Known known[] = {
      {"username", &credentials.username}, {"realm", &credentials.realm},
      {"nonce", &credentials.nonce},       {"uri", &credentials.uri},
      {"response", &credentials.response}, {"algorithm", &credentials.algorithm},
      {"opaque", &credentials.opaque},     {"qop", &credentials.qop},
      {"cnonce", &credentials.cnonce},     {"nc", &nonce_count},
  };
  while (const std::optional<absl::string_view> element = NextElement(value)) {
    std::optional<Pair> pair = ReadPair(*element);
    if (!pair) return std::nullopt;
    for (Known& one : known) {
      if (absl::EqualsIgnoreCase(pair->name, one.name) && !SetOnce(*one.field, one.seen, std::move(pair->value))) {
        return std::nullopt;
      }
    }
  }
  // username, realm, nonce, uri and response are always there.
  for (size_t i = 0; i < 5; ++i) {
    if (!known[i].seen) return std::nullopt;
  }
  if (!IsAll(credentials.response, kHexCharacter)) return std::nullopt;
  if (known[5].seen && !IsToken(credentials.algorithm)) return std::nullopt;
  absl::AsciiStrToLower(&credentials.response);
  const bool has_qop = known[7].seen;
  // Some phones of the old form send a cnonce that means nothing.
  if (!has_qop) {
    credentials.cnonce.clear();
    return credentials;
  }
  if (!IsToken(credentials.qop) || credentials.cnonce.empty() || nonce_count.size() != 8 ||
      !absl::SimpleHexAtoi(nonce_count, &credentials.nonce_count) || credentials.nonce_count == 0) {
    return std::nullopt;
  }
  return credentials;
}

std::string DigestCredentials::ToString() const {
  std::string out = absl::StrCat("Digest username=", Quote(username), ", realm=", Quote(realm),
                                 ", nonce=", Quote(nonce), ", uri=", Quote(uri), ", response=\"", response, "\"");
  if (!algorithm.empty()) absl::StrAppend(&out, ", algorithm=", algorithm);
  if (!opaque.empty()) absl::StrAppend(&out, ", opaque=", Quote(opaque));
  if (!qop.empty()) {
    absl::StrAppend(&out, ", qop=", qop, ", cnonce=", Quote(cnonce), ", nc=", NonceCountText(nonce_count));
  }
  return out;
}

std::optional<DigestChallenge> DigestChallenge::Parse(absl::string_view value) {
  if (!TakeScheme(value)) return std::nullopt;
  DigestChallenge challenge;
  bool has_realm = false;
  while (const std::optional<absl::string_view> element = NextElement(value)) {
    std::optional<Pair> pair = ReadPair(*element);
    if (!pair) return std::nullopt;
    if (absl::EqualsIgnoreCase(pair->name, "realm")) {
      has_realm = true;
      challenge.realm = std::move(pair->value);
    } else if (absl::EqualsIgnoreCase(pair->name, "nonce")) {
      challenge.nonce = std::move(pair->value);
    } else if (absl::EqualsIgnoreCase(pair->name, "opaque")) {
      challenge.opaque = std::move(pair->value);
    } else if (absl::EqualsIgnoreCase(pair->name, "algorithm")) {
      if (!IsToken(pair->value)) return std::nullopt;
      challenge.algorithm = std::move(pair->value);
    } else if (absl::EqualsIgnoreCase(pair->name, "stale")) {
      challenge.stale = absl::EqualsIgnoreCase(pair->value, "true");
    } else if (absl::EqualsIgnoreCase(pair->name, "qop")) {
      for (const absl::string_view option : SplitList(pair->value)) {
        if (!IsToken(option)) return std::nullopt;
        challenge.qop.emplace_back(option);
      }
    }
  }
  if (!has_realm || challenge.nonce.empty()) return std::nullopt;
  return challenge;
}

std::string DigestChallenge::ToString() const {
  std::string out = absl::StrCat("Digest realm=", Quote(realm), ", nonce=", Quote(nonce));
  if (!opaque.empty()) absl::StrAppend(&out, ", opaque=", Quote(opaque));
  if (!algorithm.empty()) absl::StrAppend(&out, ", algorithm=", algorithm);
  if (!qop.empty()) absl::StrAppend(&out, ", qop=", Quote(absl::StrJoin(qop, ",")));
  if (stale) out += ", stale=true";
  return out;
}

std::string DigestResponse(absl::string_view hash_a1, absl::string_view method, const DigestCredentials& credentials,
                           DigestAlgorithm algorithm) {
  const std::string hash_a2 = Hash(algorithm, {method, credentials.uri});
  if (credentials.qop.empty()) return Hash(algorithm, {hash_a1, credentials.nonce, hash_a2});
  return Hash(algorithm, {hash_a1, credentials.nonce, NonceCountText(credentials.nonce_count), credentials.cnonce,
                          credentials.qop, hash_a2});
}

}  // namespace sluice::sip
