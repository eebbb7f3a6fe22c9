// Makes an account to be stored from what an operator asks for: checks it, makes a password where none is given, and
// keeps only hashes of it.
#ifndef SLUICE_SIGNALING_SERVICE_NEW_ACCOUNT_H_
#define SLUICE_SIGNALING_SERVICE_NEW_ACCOUNT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "signaling/store/account.h"
#include "sluice/controller/v1/controller_service.pb.h"

namespace sluice::service {

struct NewAccount {
  store::Account account;
  // The caller's, or the one that was made: to be told once and forgotten.
  std::string password;
};

// INVALID_ARGUMENT names the field and what is allowed. The hashes are for `realm`, one an algorithm of RFC 8760 that
// we challenge with (MD5, SHA-256, SHA-512-256).
absl::StatusOr<NewAccount> MakeAccount(const controller::v1::CreateAccountRequest& request, const std::string& realm,
                                       absl::Time now);

// 20 characters, easy to type and to read aloud, of 100 random bits.
std::string MakePassword();

}  // namespace sluice::service

#endif  // SLUICE_SIGNALING_SERVICE_NEW_ACCOUNT_H_
