#include "signaling/service/new_account.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "signaling/sip/digest.h"

namespace sluice::service {

namespace {

constexpr size_t kMaxNameBytes = 64;
constexpr size_t kMaxDisplayNameBytes = 128;
constexpr size_t kMaxPasswordBytes = 128;
constexpr size_t kPasswordCharacters = 20;

// What may stand in the user part of a SIP URI as it is (RFC 3261 25.1: unreserved and user-unreserved).
bool IsUserCharacter(char c) { return absl::ascii_isalnum(c) || absl::StrContains("-_.!~*'()&=+$,;?/", c); }

bool IsControl(char c) { return absl::ascii_iscntrl(c); }

}  // namespace

std::string MakePassword() {
  // 32 characters without those that are mistaken for each other, so that a byte's low five bits choose evenly.
  constexpr absl::string_view kAlphabet = "abcdefghjkmnpqrstuvwxyz23456789A";
  static_assert(kAlphabet.size() == 32);
  std::array<unsigned char, kPasswordCharacters> random;
  RAND_bytes(random.data(), static_cast<int>(random.size()));
  std::string password;
  for (const unsigned char byte : random) password.push_back(kAlphabet[byte % kAlphabet.size()]);
  return password;
}

absl::StatusOr<NewAccount> MakeAccount(const controller::v1::CreateAccountRequest& request, const std::string& realm,
                                       absl::Time now) {
  const controller::v1::Account& wanted = request.account();
  if (wanted.name().empty() || wanted.name().size() > kMaxNameBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("account.name: has ", wanted.name().size(), " bytes, allowed are 1 to ", kMaxNameBytes));
  }
  if (!std::all_of(wanted.name().begin(), wanted.name().end(), IsUserCharacter)) {
    return absl::InvalidArgumentError(absl::StrCat("account.name: '", absl::CHexEscape(wanted.name()),
                                                   "' has a character that is not allowed; allowed are letters, digits "
                                                   "and -_.!~*'()&=+$,;?/"));
  }
  if (wanted.display_name().size() > kMaxDisplayNameBytes ||
      std::any_of(wanted.display_name().begin(), wanted.display_name().end(), IsControl)) {
    return absl::InvalidArgumentError(absl::StrCat("account.display_name: at most ", kMaxDisplayNameBytes,
                                                   " bytes of UTF-8 without control characters"));
  }
  if (wanted.has_create_time()) {
    return absl::InvalidArgumentError("account.create_time: is set by the controller, leave it out");
  }
  if (request.password().size() > kMaxPasswordBytes ||
      std::any_of(request.password().begin(), request.password().end(), IsControl)) {
    return absl::InvalidArgumentError(
        absl::StrCat("password: at most ", kMaxPasswordBytes, " bytes without control characters"));
  }
  NewAccount made;
  made.password = request.password().empty() ? MakePassword() : request.password();
  made.account.name = wanted.name();
  made.account.display_name = wanted.display_name();
  made.account.allow_legacy_digest = wanted.allow_legacy_digest();
  if (wanted.has_follow_redirections()) made.account.follow_redirections = wanted.follow_redirections();
  made.account.create_time = now;
  for (const sip::DigestAlgorithm algorithm :
       {sip::DigestAlgorithm::kMd5, sip::DigestAlgorithm::kSha256, sip::DigestAlgorithm::kSha512_256}) {
    made.account.digests.push_back({realm, std::string(sip::DigestAlgorithmName(algorithm)),
                                    sip::HashA1(wanted.name(), realm, made.password, algorithm)});
  }
  return made;
}

}  // namespace sluice::service
