// STUN binding requests on the SIP port, by which phones keep their NAT's mapping and see whether it has changed (RFC
// 5626 4.4.2, RFC 8489).
//
// Threads: any.
#ifndef SLUICE_SIGNALING_TRANSPORT_STUN_H_
#define SLUICE_SIGNALING_TRANSPORT_STUN_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "signaling/sip/hop.h"

namespace sluice::transport {

// A datagram that begins as STUN does and SIP never can, whatever it says.
bool IsStun(absl::string_view datagram);

// The answer to a binding request from `source`: where it was seen to come from; or which attributes that must be
// understood are not. Nothing for what is no right request; it is never longer than 100 bytes.
std::optional<std::string> AnswerStun(absl::string_view datagram, const sip::Endpoint& source);

}  // namespace sluice::transport

#endif  // SLUICE_SIGNALING_TRANSPORT_STUN_H_
