// The request methods of SIP (RFC 3261, 3262, 3311, 3428, 3515, 3903, 6086, 6665). Names are case-sensitive.
#ifndef SLUICE_SIGNALING_SIP_METHOD_H_
#define SLUICE_SIGNALING_SIP_METHOD_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace sluice::sip {

enum class Method : uint8_t {
  // Any name that is not below; Message::method_name() tells it.
  kOther,
  kInvite,
  kAck,
  kBye,
  kCancel,
  kOptions,
  kRegister,
  kPrack,
  kUpdate,
  kInfo,
  kMessage,
  kRefer,
  kSubscribe,
  kNotify,
  kPublish,
};

// "INVITE"; empty for kOther.
absl::string_view MethodName(Method method);
Method ParseMethod(absl::string_view name);

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_METHOD_H_
