#include "signaling/sip/method.h"

#include <cstddef>
#include <iterator>

namespace sluice::sip {
namespace {

constexpr absl::string_view kNames[] = {"",        "INVITE",   "ACK",       "BYE",    "CANCEL",
                                        "OPTIONS", "REGISTER", "PRACK",     "UPDATE", "INFO",
                                        "MESSAGE", "REFER",    "SUBSCRIBE", "NOTIFY", "PUBLISH"};

}  // namespace

absl::string_view MethodName(Method method) { return kNames[static_cast<size_t>(method)]; }

Method ParseMethod(absl::string_view name) {
  for (size_t i = 1; i < std::size(kNames); ++i) {
    if (name == kNames[i]) return static_cast<Method>(i);
  }
  return Method::kOther;
}

}  // namespace sluice::sip
