// A client that knows nothing of Sluice's protos, as grpcurl does: what server reflection and health say of a process.
//
//   grpc_probe ADDRESS services          each service and its methods, "sluice.relay.v1.RelayService/GetRelay"
//   grpc_probe ADDRESS health SERVICE    SERVING, NOT_SERVING; SERVICE may be empty: the process as a whole
//
// Exit status: 0 answered, 1 not, 2 wrong use.
#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>

#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"

namespace sluice::tests {
namespace {

using grpc::reflection::v1alpha::ServerReflection;
using grpc::reflection::v1alpha::ServerReflectionRequest;
using grpc::reflection::v1alpha::ServerReflectionResponse;

constexpr std::chrono::seconds kPatience(5);

int Fail(const grpc::Status& status) {
  std::cerr << "grpc_probe: " << status.error_message() << " (code " << status.error_code() << ")\n";
  return 1;
}

// Prints the methods of `service` as the descriptors say that the server itself hands out.
bool PrintMethods(grpc::ClientReaderWriter<ServerReflectionRequest, ServerReflectionResponse>& stream,
                  const std::string& service) {
  ServerReflectionRequest request;
  request.set_file_containing_symbol(service);
  ServerReflectionResponse response;
  if (!stream.Write(request) || !stream.Read(&response)) return false;
  for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
    google::protobuf::FileDescriptorProto file;
    if (!file.ParseFromString(bytes)) return false;
    for (const google::protobuf::ServiceDescriptorProto& described : file.service()) {
      if (file.package() + "." + described.name() != service) continue;
      for (const google::protobuf::MethodDescriptorProto& method : described.method()) {
        std::cout << service << "/" << method.name() << "\n";
      }
    }
  }
  return true;
}

int PrintServices(const std::shared_ptr<grpc::Channel>& channel) {
  const std::unique_ptr<ServerReflection::Stub> stub = ServerReflection::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  const auto stream = stub->ServerReflectionInfo(&context);
  ServerReflectionRequest request;
  request.set_list_services("*");
  ServerReflectionResponse response;
  bool answered = stream->Write(request) && stream->Read(&response);
  for (const auto& service : response.list_services_response().service()) {
    answered = answered && PrintMethods(*stream, service.name());
  }
  stream->WritesDone();
  const grpc::Status status = stream->Finish();
  return answered && status.ok() ? 0 : Fail(status);
}

int PrintHealth(const std::shared_ptr<grpc::Channel>& channel, const std::string& service) {
  const std::unique_ptr<grpc::health::v1::Health::Stub> stub = grpc::health::v1::Health::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  grpc::health::v1::HealthCheckRequest request;
  request.set_service(service);
  grpc::health::v1::HealthCheckResponse response;
  if (const grpc::Status status = stub->Check(&context, request, &response); !status.ok()) return Fail(status);
  std::cout << grpc::health::v1::HealthCheckResponse::ServingStatus_Name(response.status()) << "\n";
  return 0;
}

int Main(int argc, char** argv) {
  const std::string command = argc > 2 ? argv[2] : "";
  if (!(command == "services" && argc == 3) && !(command == "health" && argc == 4)) {
    std::cerr << "usage: grpc_probe ADDRESS services | grpc_probe ADDRESS health SERVICE\n";
    return 2;
  }
  const auto channel = grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials());
  return command == "services" ? PrintServices(channel) : PrintHealth(channel, argv[3]);
}

}  // namespace
}  // namespace sluice::tests

int main(int argc, char** argv) { return sluice::tests::Main(argc, argv); }
