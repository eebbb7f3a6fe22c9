// A controller and a relay that answer what a test has put into them, behind one real gRPC server on a UNIX socket.
//
// A list is served in pages of two, so that every test of a list turns some. `refusal` is the answer to everything
// while it is not OK.
//
// Threads: the fields are set before the client is run, and read after it has ended.
#ifndef SLUICE_CLI_SERVICES_FAKE_H_
#define SLUICE_CLI_SERVICES_FAKE_H_

#include <grpcpp/server.h>

#include <memory>
#include <string>

#include "sluice/controller/v1/controller_service.grpc.pb.h"
#include "sluice/relay/v1/relay_service.grpc.pb.h"
#include "sluice/relay/v1/session_service.grpc.pb.h"

namespace sluice::cli {

class FakeServices {
 public:
  FakeServices();
  ~FakeServices();

  // "unix:/tmp/.../services.sock".
  const std::string& address() const { return address_; }

  grpc::Status refusal;

  // What is answered.
  controller::v1::ListCallsResponse calls;
  controller::v1::GetCallResponse call;
  controller::v1::ListBindingsResponse bindings;
  controller::v1::ListAccountsResponse accounts;
  controller::v1::ListCallRecordsResponse records;
  controller::v1::ListRelaysResponse relays;
  controller::v1::ListTrunksResponse trunks;
  controller::v1::GetStatisticsResponse statistics;
  relay::v1::ListSessionsResponse sessions;
  relay::v1::WatchStatsResponse relay_statistics;
  relay::v1::WatchEventsResponse events;
  relay::v1::ExplainPacketResponse explanation;

  // The latest request of those that change something or carry options, as text: "HangUpCall call_id: \"1\"".
  std::string asked;

 private:
  class Controller;
  class Relay;
  class Sessions;

  std::string folder_;
  std::string address_;
  std::unique_ptr<Controller> controller_;
  std::unique_ptr<Relay> relay_;
  std::unique_ptr<Sessions> session_service_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_SERVICES_FAKE_H_
