#include "signaling/call/privacy.h"

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "signaling/sip/text.h"

namespace sluice::call {

bool IsAnonymous(const sip::Uri& uri) { return absl::EqualsIgnoreCase(uri.host(), "anonymous.invalid"); }

bool HidesSender(const sip::Message& request) {
  for (const absl::string_view field : request.Elements(sip::Header::kPrivacy)) {
    for (const absl::string_view value : absl::StrSplit(field, absl::ByAnyChar(";,"))) {
      const absl::string_view wish = sip::Trim(value);
      if (absl::EqualsIgnoreCase(wish, "id") || absl::EqualsIgnoreCase(wish, "user")) return true;
    }
  }
  return false;
}

void AssertIdentity(absl::string_view identity, bool hidden, sip::Message& request) {
  request.Add(sip::Header::kPAssertedIdentity, identity);
  if (hidden && !request.Has(sip::Header::kPrivacy)) request.Add(sip::Header::kPrivacy, "id");
}

}  // namespace sluice::call
