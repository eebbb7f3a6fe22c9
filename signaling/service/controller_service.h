// sluice.controller.v1 over the rest of signaling.
//
// A request is checked here and given to whom it concerns: calls to the shards, live media to the fleet, bindings to
// the store's memory, accounts and call records to the store's disk on a thread of this service's own. No thread of
// gRPC or of a shard waits.
//
// Threads: gRPC's. What it is made of outlives it; the server that has it is stopped before it is destroyed.
#ifndef SLUICE_SIGNALING_SERVICE_CONTROLLER_SERVICE_H_
#define SLUICE_SIGNALING_SERVICE_CONTROLLER_SERVICE_H_

#include <string>

#include "signaling/agent/call_control.h"
#include "signaling/fleet/fleet.h"
#include "signaling/service/store_worker.h"
#include "signaling/store/store.h"
#include "sluice/controller/v1/controller_service.grpc.pb.h"

namespace sluice::service {

class ControllerService final : public controller::v1::ControllerService::CallbackService {
 public:
  // `realm` is that of the digest hashes which new accounts get.
  ControllerService(agent::CallControl& calls, store::Store& store, fleet::Fleet& fleet, std::string realm);

  grpc::ServerUnaryReactor* ListCalls(grpc::CallbackServerContext* context,
                                      const controller::v1::ListCallsRequest* request,
                                      controller::v1::ListCallsResponse* response) override;
  grpc::ServerUnaryReactor* GetCall(grpc::CallbackServerContext* context, const controller::v1::GetCallRequest* request,
                                    controller::v1::GetCallResponse* response) override;
  grpc::ServerUnaryReactor* HangUpCall(grpc::CallbackServerContext* context,
                                       const controller::v1::HangUpCallRequest* request,
                                       controller::v1::HangUpCallResponse* response) override;
  grpc::ServerUnaryReactor* ListBindings(grpc::CallbackServerContext* context,
                                         const controller::v1::ListBindingsRequest* request,
                                         controller::v1::ListBindingsResponse* response) override;
  grpc::ServerUnaryReactor* CreateAccount(grpc::CallbackServerContext* context,
                                          const controller::v1::CreateAccountRequest* request,
                                          controller::v1::CreateAccountResponse* response) override;
  grpc::ServerUnaryReactor* ListAccounts(grpc::CallbackServerContext* context,
                                         const controller::v1::ListAccountsRequest* request,
                                         controller::v1::ListAccountsResponse* response) override;
  grpc::ServerUnaryReactor* UpdateAccount(grpc::CallbackServerContext* context,
                                          const controller::v1::UpdateAccountRequest* request,
                                          controller::v1::UpdateAccountResponse* response) override;
  grpc::ServerUnaryReactor* DeleteAccount(grpc::CallbackServerContext* context,
                                          const controller::v1::DeleteAccountRequest* request,
                                          controller::v1::DeleteAccountResponse* response) override;
  grpc::ServerUnaryReactor* ListCallRecords(grpc::CallbackServerContext* context,
                                            const controller::v1::ListCallRecordsRequest* request,
                                            controller::v1::ListCallRecordsResponse* response) override;
  grpc::ServerUnaryReactor* ListRelays(grpc::CallbackServerContext* context,
                                       const controller::v1::ListRelaysRequest* request,
                                       controller::v1::ListRelaysResponse* response) override;
  grpc::ServerUnaryReactor* ListTrunks(grpc::CallbackServerContext* context,
                                       const controller::v1::ListTrunksRequest* request,
                                       controller::v1::ListTrunksResponse* response) override;
  grpc::ServerUnaryReactor* GetStatistics(grpc::CallbackServerContext* context,
                                          const controller::v1::GetStatisticsRequest* request,
                                          controller::v1::GetStatisticsResponse* response) override;
  grpc::ServerUnaryReactor* DrainController(grpc::CallbackServerContext* context,
                                            const controller::v1::DrainControllerRequest* request,
                                            controller::v1::DrainControllerResponse* response) override;
  grpc::ServerUnaryReactor* UndrainController(grpc::CallbackServerContext* context,
                                              const controller::v1::UndrainControllerRequest* request,
                                              controller::v1::UndrainControllerResponse* response) override;

 private:
  agent::CallControl& calls_;
  store::Store& store_;
  fleet::Fleet& fleet_;
  const std::string realm_;
  StoreWorker store_worker_;
};

}  // namespace sluice::service

#endif  // SLUICE_SIGNALING_SERVICE_CONTROLLER_SERVICE_H_
