// What the datapath knows, in the words of sluice.relay.v1.
//
// Threads: pure functions.

#ifndef SLUICE_DATAPATH_SERVICE_TO_PROTO_H_
#define SLUICE_DATAPATH_SERVICE_TO_PROTO_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "datapath/packet/endpoint.h"
#include "datapath/session/event_log.h"
#include "datapath/session/session_state.h"
#include "google/protobuf/timestamp.pb.h"
#include "sluice/relay/v1/session_service.pb.h"

namespace sluice::service {

google::protobuf::Timestamp ToProto(absl::Time time);
void ToProto(const packet::Endpoint& endpoint, relay::v1::Endpoint& out);
void ToProto(const session::SessionState& state, relay::v1::SessionState& out);
void ToProto(const session::Event& event, relay::v1::Event& out);
void ToProto(const absl::Status& status, relay::v1::ItemStatus& out);

}  // namespace sluice::service

#endif  // SLUICE_DATAPATH_SERVICE_TO_PROTO_H_
