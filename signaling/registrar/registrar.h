// The registrar of RFC 3261 10 with the basics of RFC 5626: which contacts an account has, and where a number can be
// reached.
//
// It decides over what the store has in memory and never waits. Who may register is not its business: the caller has
// authenticated the account. A REGISTER is carried out whole or not at all, also against one that another shard carries
// out for the same account at the same time.
//
// Which contact is which: by instance and reg-id if both are there (RFC 5626 6.1), else by URI. Phones behind different
// NATs may register the same private URI; such bindings are told apart by the address that their packets come from,
// unless the Call-ID says that it is the same phone.
//
// Threads: any.
#ifndef SLUICE_SIGNALING_REGISTRAR_REGISTRAR_H_
#define SLUICE_SIGNALING_REGISTRAR_REGISTRAR_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/store/binding.h"
#include "signaling/store/store.h"

namespace sluice::registrar {

struct RegistrarOptions {
  // A shorter wish is refused by 423, a longer one is cut.
  absl::Duration min_expires = absl::Seconds(60);
  absl::Duration max_expires = absl::Seconds(3600);
  // For a contact that names no time.
  absl::Duration default_expires = absl::Seconds(3600);
  // With this many, a new contact takes the place of the one that expires first: a phone that comes back under another
  // address is not locked out.
  size_t max_bindings = 8;
};

// One Contact of a REGISTER.
struct ContactWish {
  // Without angle brackets and header parameters.
  std::string uri;
  // expires parameter, seconds; 0 removes. Unset: as the Expires header field says.
  std::optional<uint32_t> expires;
  // q in thousandths.
  uint32_t priority = 1000;
  std::string instance;
  uint32_t reg_id = 0;
};

// What a REGISTER says and where it came from. The fields are those of store::Binding.
struct Registration {
  std::string account;
  std::string call_id;
  uint32_t cseq = 0;
  // Expires header field, seconds.
  std::optional<uint32_t> expires;
  // Contact: *
  bool wildcard = false;
  // Empty and no wildcard: a fetch.
  std::vector<ContactWish> contacts;
  std::string user_agent;
  std::string path;
  std::string transport;
  std::string source;
  std::string local;
  uint64_t connection = 0;
};

struct RegistrationResult {
  // 200; 400 wildcard with something else, a contact that is no SIP URI, or more contacts than an account may have; 404
  // no such account; 423 too short a time; 500 an older request than one that was carried out (RFC 3261 10.3).
  uint32_t status = 200;
  // Why, for the reason phrase. Empty for 200.
  std::string reason;
  // For 423: Min-Expires, seconds.
  uint32_t min_expires = 0;
  // For 200: all bindings that the account has now.
  store::BindingSet bindings;
};

// Where one binding of a number is reached.
struct Target {
  store::Binding binding;
  // The address that a request goes to: the source of the phone's packets when it is behind NAT or its contact names a
  // host, else the contact's.
  std::string remote;
};

class Registrar {
 public:
  // `store` outlives the registrar.
  Registrar(store::Store& store, const RegistrarOptions& options) : store_(store), options_(options) {}

  RegistrationResult Register(const Registration& registration, absl::Time now);

  // Where `account` can be reached at `now`, best first: highest q, then the latest to expire. Empty: not registered.
  std::vector<Target> Locate(absl::string_view account, absl::Time now) const;

 private:
  store::Store& store_;
  const RegistrarOptions options_;
};

// True if a contact of this URI, whose request came from `source`, is behind NAT: its host is an address and not the
// source's.
bool IsBehindNat(absl::string_view contact_uri, absl::string_view source);

}  // namespace sluice::registrar

#endif  // SLUICE_SIGNALING_REGISTRAR_REGISTRAR_H_
