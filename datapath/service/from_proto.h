// sluice.relay.v1 in the datapath's own types.
//
// Threads: pure functions.

#ifndef SLUICE_DATAPATH_SERVICE_FROM_PROTO_H_
#define SLUICE_DATAPATH_SERVICE_FROM_PROTO_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "datapath/packet/endpoint.h"
#include "datapath/session/session_spec.h"
#include "sluice/relay/v1/session_service.pb.h"

namespace sluice::service {

// INVALID_ARGUMENT names the field and what is allowed. Unset is what SDP means by silence: sendrecv, RTCP on the next
// port. Media kind and source policy have to be said.
absl::StatusOr<session::SessionSpec> FromProto(const relay::v1::Session& session);

session::Writer FromProto(const relay::v1::Writer& writer);

// INVALID_ARGUMENT, with `field` in front.
absl::StatusOr<packet::Endpoint> FromProto(absl::string_view field, const relay::v1::Endpoint& endpoint);

}  // namespace sluice::service

#endif  // SLUICE_DATAPATH_SERVICE_FROM_PROTO_H_
