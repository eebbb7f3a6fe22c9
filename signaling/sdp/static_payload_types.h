// The payload types that mean something without a=rtpmap (RFC 3551 6).
#ifndef SLUICE_SIGNALING_SDP_STATIC_PAYLOAD_TYPES_H_
#define SLUICE_SIGNALING_SDP_STATIC_PAYLOAD_TYPES_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace sluice::sdp {

struct StaticPayloadType {
  absl::string_view encoding;
  uint32_t clock_rate;
};

// Null for a number that the table leaves open.
const StaticPayloadType* FindStaticPayloadType(uint8_t number);

}  // namespace sluice::sdp

#endif  // SLUICE_SIGNALING_SDP_STATIC_PAYLOAD_TYPES_H_
