// What a command runs with: its arguments and options, where to print, and the two processes that it can ask.
//
// Errors are absl::Status with one line for people. WrongUse marks those that are the user's command line (exit status
// 2); all others are what a process answered or that it cannot be reached (exit status 1).
//
// Threads: one.
#ifndef SLUICE_CLI_INVOCATION_H_
#define SLUICE_CLI_INVOCATION_H_

#include <google/protobuf/message.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <cstdint>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/controller/v1/controller_service.grpc.pb.h"
#include "sluice/relay/v1/relay_service.grpc.pb.h"
#include "sluice/relay/v1/session_service.grpc.pb.h"

namespace sluice::cli {

enum class Output { kTable, kJson, kCsv };

enum class Process { kController, kRelay };

absl::Status WrongUse(absl::string_view text);
bool IsWrongUse(const absl::Status& status);

class Invocation {
 public:
  // Addresses as gRPC takes them, or the path of a UNIX socket. Nothing is connected before it is asked for.
  Invocation(std::string controller, std::string relay, std::ostream& out)
      : controller_(std::move(controller)), relay_(std::move(relay)), out_(out) {}

  std::vector<std::string> arguments;
  // By name, "--limit"; a switch has an empty value.
  std::map<std::string, std::string> options;
  Output output = Output::kTable;

  std::ostream& out() { return out_; }

  bool Has(const std::string& option) const { return options.contains(option); }
  // The values of options. WrongUse says what is allowed.
  absl::StatusOr<uint64_t> Number(const std::string& option, uint64_t otherwise, uint64_t least, uint64_t most) const;
  absl::StatusOr<absl::Duration> Duration(const std::string& option, absl::Duration otherwise) const;

  controller::v1::ControllerService::Stub& Controller();
  relay::v1::RelayService::Stub& Relay();
  relay::v1::SessionService::Stub& Sessions();

  // Calls `method` of one of the stubs above and waits for the answer, five seconds at most.
  template <typename Stub, typename Request, typename Response>
  absl::Status Call(Process process, Stub& stub,
                    grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response& response) {
    grpc::ClientContext context;
    SetDeadline(context);
    return FromServer(process, (stub.*method)(&context, request, &response));
  }

  static void SetDeadline(grpc::ClientContext& context);
  // The error as a line: what the process said, or that it is not there and what to do.
  absl::Status FromServer(Process process, const grpc::Status& status) const;

  // The message in protobuf's JSON, indented.
  absl::Status PrintJson(const google::protobuf::Message& message);
  // The same on one line: for streams.
  absl::Status PrintJsonLine(const google::protobuf::Message& message);

 private:
  std::shared_ptr<grpc::Channel> RelayChannel();

  const std::string controller_;
  const std::string relay_;
  std::ostream& out_;
  std::shared_ptr<grpc::Channel> relay_channel_;
  std::unique_ptr<controller::v1::ControllerService::Stub> controller_service_;
  std::unique_ptr<relay::v1::RelayService::Stub> relay_service_;
  std::unique_ptr<relay::v1::SessionService::Stub> session_service_;
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_INVOCATION_H_
