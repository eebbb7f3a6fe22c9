// Any text as URI, Via, address, list, digest and each smaller value: read without a crash, and what is written is read
// back as the same.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "signaling/sip/digest.h"
#include "signaling/sip/header_values.h"
#include "signaling/sip/name_address.h"
#include "signaling/sip/text.h"
#include "signaling/sip/uri.h"
#include "signaling/sip/via.h"

namespace sip = sluice::sip;

namespace {

// What can be read and was written must be read again, and then be written the same.
template <typename Value>
void CheckFixpoint(absl::string_view text) {
  const auto value = Value::Parse(text);
  if (!value) return;
  const std::string written = value->ToString();
  const auto again = Value::Parse(written);
  if (!again || again->ToString() != written) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  // A header field never has line ends; they would be told apart before.
  if (text.find_first_of(absl::string_view("\r\n\0", 3)) != absl::string_view::npos) return 0;
  CheckFixpoint<sip::NameAddress>(text);
  CheckFixpoint<sip::Via>(text);
  CheckFixpoint<sip::DigestCredentials>(text);
  CheckFixpoint<sip::DigestChallenge>(text);
  CheckFixpoint<sip::CSeq>(text);
  CheckFixpoint<sip::RAck>(text);
  CheckFixpoint<sip::SessionExpires>(text);
  CheckFixpoint<sip::Replaces>(text);
  CheckFixpoint<sip::Reason>(text);
  CheckFixpoint<sip::Event>(text);
  CheckFixpoint<sip::SubscriptionState>(text);
  CheckFixpoint<sip::MediaType>(text);
  if (auto uri = sip::Uri::Parse(text)) {
    if (uri->is_sip() && !(*uri == *uri)) std::abort();
    uri->SetParameter("transport", "tcp");
    if (uri->is_sip() && uri->Parameter("transport") != "tcp") std::abort();
    uri->RemoveParameter("transport");
    uri->SetUser("a b");
    uri->SetHostPort("2001:db8::1", 5060);
  }
  size_t elements = 0;
  for (const absl::string_view element : sip::SplitList(text)) elements += element.size();
  if (elements > text.size()) std::abort();
  if (sip::Unquote(sip::Quote(text)) != text) std::abort();
  return 0;
}
