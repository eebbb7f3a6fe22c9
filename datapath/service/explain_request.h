// The frame that an ExplainPacketRequest is about.

#ifndef SLUICE_DATAPATH_SERVICE_EXPLAIN_REQUEST_H_
#define SLUICE_DATAPATH_SERVICE_EXPLAIN_REQUEST_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "sluice/relay/v1/relay_service.pb.h"

namespace sluice::service {

// The frame as given, or one made from the addresses: an RTP packet of 20 ms of silence in PCMU unless the request has
// another payload. INVALID_ARGUMENT names the field and what is allowed.
absl::StatusOr<std::vector<uint8_t>> FrameOf(const relay::v1::ExplainPacketRequest& request);

}  // namespace sluice::service

#endif  // SLUICE_DATAPATH_SERVICE_EXPLAIN_REQUEST_H_
