// An operator's service of sluice/admission/v1, as small as can be: it has a tariff for a few numbers dialled, and says
// what it was asked, a line each. Until a signal ends it.
//
//   rating_server ADDRESS
//
//   0900…   refused by 402 "No credit"
//   0777…   no answer for a second
//   0666…   no verdict
//   others  admitted for two seconds
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include "sluice/admission/v1/call_admission.grpc.pb.h"

namespace sluice::tests {
namespace {

using admission::v1::AdmitCallRequest;
using admission::v1::AdmitCallResponse;

constexpr int kSeconds = 2;
constexpr std::chrono::seconds kSlowness(1);

class RatingServer final : public admission::v1::CallAdmissionService::Service {
  grpc::Status AdmitCall(grpc::ServerContext*, const AdmitCallRequest* request, AdmitCallResponse* response) override {
    std::cout << "asked: " + request->ShortDebugString() + "\n" << std::flush;
    const auto dials = [&](const char* prefix) { return request->dialled_number().rfind(prefix, 0) == 0; };
    if (dials("0777")) std::this_thread::sleep_for(kSlowness);
    if (dials("0900")) {
      response->mutable_refused()->set_sip_status(402);
      response->mutable_refused()->set_reason("No credit");
    } else if (!dials("0666")) {
      response->mutable_admitted()->mutable_max_duration()->set_seconds(kSeconds);
    }
    return grpc::Status::OK;
  }
};

int Run(const std::string& address) {
  RatingServer service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) {
    std::cerr << "rating_server: cannot serve at " << address << "\n";
    return 1;
  }
  std::cout << "serves\n" << std::flush;
  server->Wait();
  return 0;
}

}  // namespace
}  // namespace sluice::tests

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "rating_server ADDRESS\n";
    return 2;
  }
  return sluice::tests::Run(argv[1]);
}
