// An account as an operator asks for it: checked, with a password that is made where none is given, of which only
// hashes are kept.
#ifndef SLUICE_SIGNALING_SERVICE_ASKED_ACCOUNT_H_
#define SLUICE_SIGNALING_SERVICE_ASKED_ACCOUNT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "signaling/store/account.h"
#include "sluice/controller/v1/controller_service.pb.h"

namespace sluice::service {

struct AccountWithPassword {
  store::Account account;
  // The caller's, or the one that was made: to be told once and forgotten. Empty: it stays what it was.
  std::string password;
};

// Both: INVALID_ARGUMENT names the field and what is allowed. The hashes are for `realm`, one an algorithm of RFC 8760
// that we challenge with (MD5, SHA-256, SHA-512-256).
absl::StatusOr<AccountWithPassword> MakeAccount(const controller::v1::CreateAccountRequest& request,
                                                const std::string& realm, absl::Time now);
// What becomes of `known`.
absl::StatusOr<AccountWithPassword> ChangeAccount(const controller::v1::UpdateAccountRequest& request,
                                                  const store::Account& known, const std::string& realm);

}  // namespace sluice::service

#endif  // SLUICE_SIGNALING_SERVICE_ASKED_ACCOUNT_H_
