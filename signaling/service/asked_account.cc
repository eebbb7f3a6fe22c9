#include "signaling/service/asked_account.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

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
constexpr absl::string_view kChangeable = "display_name, allow_legacy_digest and follow_redirections";

// What may stand in the user part of a SIP URI as it is (RFC 3261 25.1: unreserved and user-unreserved).
bool IsUserCharacter(char c) { return absl::ascii_isalnum(c) || absl::StrContains("-_.!~*'()&=+$,;?/", c); }

bool IsControl(char c) { return absl::ascii_iscntrl(c); }

// 20 characters, easy to type and to read aloud, of 100 random bits.
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

absl::Status CheckDisplayName(const std::string& name) {
  if (name.size() <= kMaxDisplayNameBytes && std::none_of(name.begin(), name.end(), IsControl)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("account.display_name: at most ", kMaxDisplayNameBytes,
                                                 " bytes of UTF-8 without control characters"));
}

// Makes one where `asked` is empty.
absl::Status SetPassword(const std::string& asked, const std::string& realm, AccountWithPassword& made) {
  if (asked.size() > kMaxPasswordBytes || std::any_of(asked.begin(), asked.end(), IsControl)) {
    return absl::InvalidArgumentError(
        absl::StrCat("password: at most ", kMaxPasswordBytes, " bytes without control characters"));
  }
  made.password = asked.empty() ? MakePassword() : asked;
  made.account.digests.clear();
  for (const sip::DigestAlgorithm algorithm :
       {sip::DigestAlgorithm::kMd5, sip::DigestAlgorithm::kSha256, sip::DigestAlgorithm::kSha512_256}) {
    made.account.digests.push_back({realm, std::string(sip::DigestAlgorithmName(algorithm)),
                                    sip::HashA1(made.account.name, realm, made.password, algorithm)});
  }
  return absl::OkStatus();
}

std::optional<bool> FollowRedirections(const controller::v1::Account& wanted) {
  return wanted.has_follow_redirections() ? std::optional(wanted.follow_redirections()) : std::nullopt;
}

}  // namespace

absl::StatusOr<AccountWithPassword> MakeAccount(const controller::v1::CreateAccountRequest& request,
                                                const std::string& realm, absl::Time now) {
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
  if (absl::Status status = CheckDisplayName(wanted.display_name()); !status.ok()) return status;
  if (wanted.has_create_time()) {
    return absl::InvalidArgumentError("account.create_time: is set by the controller, leave it out");
  }
  AccountWithPassword made;
  made.account.name = wanted.name();
  made.account.display_name = wanted.display_name();
  made.account.allow_legacy_digest = wanted.allow_legacy_digest();
  made.account.follow_redirections = FollowRedirections(wanted);
  made.account.create_time = now;
  if (absl::Status status = SetPassword(request.password(), realm, made); !status.ok()) return status;
  return made;
}

absl::StatusOr<AccountWithPassword> ChangeAccount(const controller::v1::UpdateAccountRequest& request,
                                                  const store::Account& known, const std::string& realm) {
  const controller::v1::Account& wanted = request.account();
  if (request.update_mask().paths().empty() && !request.has_password()) {
    return absl::InvalidArgumentError(absl::StrCat("update_mask: is empty; allowed are ", kChangeable));
  }
  AccountWithPassword changed;
  changed.account = known;
  for (const std::string& path : request.update_mask().paths()) {
    if (path == "display_name") {
      if (absl::Status status = CheckDisplayName(wanted.display_name()); !status.ok()) return status;
      changed.account.display_name = wanted.display_name();
    } else if (path == "allow_legacy_digest") {
      changed.account.allow_legacy_digest = wanted.allow_legacy_digest();
    } else if (path == "follow_redirections") {
      changed.account.follow_redirections = FollowRedirections(wanted);
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat("update_mask: '", absl::CHexEscape(path), "' cannot be changed; allowed are ", kChangeable));
    }
  }
  if (request.has_password()) {
    if (absl::Status status = SetPassword(request.password(), realm, changed); !status.ok()) return status;
  }
  return changed;
}

}  // namespace sluice::service
