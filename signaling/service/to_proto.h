// What signaling knows, in the words of sluice.controller.v1.
#ifndef SLUICE_SIGNALING_SERVICE_TO_PROTO_H_
#define SLUICE_SIGNALING_SERVICE_TO_PROTO_H_

#include "signaling/agent/call_control.h"
#include "signaling/fleet/fleet.h"
#include "signaling/store/account.h"
#include "signaling/store/binding.h"
#include "signaling/store/call_record.h"
#include "signaling/store/store.h"
#include "sluice/controller/v1/controller_service.pb.h"

namespace sluice::service {

// InfinitePast, and whatever a Timestamp cannot say, leaves `timestamp` unset; hence the pointer to the message that
// has it.
bool ToTimestamp(absl::Time time, google::protobuf::Timestamp* timestamp);

controller::v1::Call ToProto(const agent::CallSummary& call);
// `call_id`: of the call that it is of.
controller::v1::LegRecord ToProto(const store::LegRecord& leg, const std::string& call_id);
controller::v1::LadderEntry ToProto(const agent::LadderEntry& entry);
controller::v1::Binding ToProto(const store::AccountBindings& binding);
// Without digests.
controller::v1::Account ToProto(const store::Account& account);
controller::v1::CallRecord ToProto(const store::CallRecord& record);
controller::v1::RelayStatus ToProto(const fleet::RelayInfo& relay);
controller::v1::TrunkStatus ToProto(const agent::TrunkSummary& trunk);
controller::v1::GetStatisticsResponse ToProto(const agent::SignalingStatistics& statistics, uint64_t bindings);

}  // namespace sluice::service

#endif  // SLUICE_SIGNALING_SERVICE_TO_PROTO_H_
