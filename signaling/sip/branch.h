// The branch of our own Vias: what finds the transaction, and what tells a request of ours that comes back as it went.
#ifndef SLUICE_SIGNALING_SIP_BRANCH_H_
#define SLUICE_SIGNALING_SIP_BRANCH_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace sluice::sip {

struct Branch {
  // Of the transaction; nobody can guess it.
  uint64_t number = 0;
  // Of whatever the way of the request was chosen by (RFC 3261 16.6 step 8); 0: none.
  uint64_t mark = 0;

  // Nothing: it is none of ours.
  static std::optional<Branch> Parse(absl::string_view branch);

  // The magic cookie and 16 or, with a mark, 32 hex digits.
  std::string ToString() const;
};

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_BRANCH_H_
