#include "signaling/agent/options_request.h"

#include "absl/strings/str_cat.h"

namespace sluice::agent {
namespace {

constexpr size_t kTagDigits = 16;

}  // namespace

sip::Message MakeOptions(absl::string_view uri, absl::string_view own, absl::string_view user_agent, IdSource& ids) {
  sip::Message options = sip::Message::Request("OPTIONS", uri);
  options.Add(sip::Header::kMaxForwards, "70");
  options.Add(sip::Header::kFrom, absl::StrCat("<sip:", own, ">;tag=", ids.NewHex(kTagDigits)));
  options.Add(sip::Header::kTo, absl::StrCat("<", uri, ">"));
  options.Add(sip::Header::kCallId, ids.NewCallId());
  options.Add(sip::Header::kCSeq, "1 OPTIONS");
  options.Add(sip::Header::kUserAgent, user_agent);
  return options;
}

}  // namespace sluice::agent
