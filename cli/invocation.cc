#include "cli/invocation.h"

#include <google/protobuf/util/json_util.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/text.h"

namespace sluice::cli {
namespace {

constexpr absl::Duration kDeadline = absl::Seconds(5);
constexpr char kWrongUse[] = "sluice.cli/wrong_use";
constexpr int kMaxMessageBytes = 256 << 20;

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  // Processes are reached directly, whatever the environment says of proxies.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  return grpc::CreateCustomChannel(absl::StartsWith(address, "/") ? "unix:" + address : address,
                                   grpc::InsecureChannelCredentials(), arguments);
}

absl::StatusOr<std::string> ToJson(const google::protobuf::Message& message, bool indented) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = indented;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  if (!status.ok()) return absl::InternalError(absl::StrCat("cannot write JSON: ", status.ToString()));
  return json;
}

}  // namespace

absl::Status WrongUse(absl::string_view text) {
  absl::Status status = absl::InvalidArgumentError(text);
  status.SetPayload(kWrongUse, absl::Cord());
  return status;
}

bool IsWrongUse(const absl::Status& status) { return status.GetPayload(kWrongUse).has_value(); }

absl::StatusOr<uint64_t> Invocation::Number(const std::string& option, uint64_t otherwise, uint64_t least,
                                            uint64_t most) const {
  const auto found = options.find(option);
  if (found == options.end()) return otherwise;
  uint64_t number = 0;
  if (!absl::SimpleAtoi(found->second, &number) || number < least || number > most) {
    return WrongUse(absl::StrCat(option, ": '", found->second, "' is not allowed; allowed: ", least, " to ", most));
  }
  return number;
}

absl::StatusOr<absl::Duration> Invocation::Duration(const std::string& option, absl::Duration otherwise) const {
  const auto found = options.find(option);
  if (found == options.end()) return otherwise;
  absl::Duration duration;
  if (!absl::ParseDuration(found->second, &duration) || duration <= absl::ZeroDuration() ||
      duration > absl::Hours(24)) {
    return WrongUse(
        absl::StrCat(option, ": '", found->second, "' is not a duration; allowed: 500ms, 10s, 5m, up to 24h"));
  }
  return duration;
}

controller::v1::ControllerService::Stub& Invocation::Controller() {
  if (controller_service_ == nullptr) {
    controller_service_ = controller::v1::ControllerService::NewStub(Connect(controller_));
  }
  return *controller_service_;
}

std::shared_ptr<grpc::Channel> Invocation::RelayChannel() {
  if (relay_channel_ == nullptr) relay_channel_ = Connect(relay_);
  return relay_channel_;
}

relay::v1::RelayService::Stub& Invocation::Relay() {
  if (relay_service_ == nullptr) relay_service_ = relay::v1::RelayService::NewStub(RelayChannel());
  return *relay_service_;
}

relay::v1::SessionService::Stub& Invocation::Sessions() {
  if (session_service_ == nullptr) session_service_ = relay::v1::SessionService::NewStub(RelayChannel());
  return *session_service_;
}

void Invocation::SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(absl::ToChronoTime(absl::Now() + kDeadline));
}

absl::Status Invocation::FromServer(Process process, const grpc::Status& status) const {
  if (status.ok()) return absl::OkStatus();
  const bool controller = process == Process::kController;
  const std::string& address = controller ? controller_ : relay_;
  const std::string name = controller ? "controller" : "relay";
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      return absl::Status(
          code, absl::StrCat("cannot reach the ", name, " at ", address, ": is sluice-", name, " running there? --",
                             name, " ADDRESS or SLUICE_", controller ? "CONTROLLER" : "RELAY", " names another"));
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return absl::Status(code, absl::StrCat("the ", name, " at ", address, " has not answered within ",
                                             absl::FormatDuration(kDeadline), ": is it overloaded or stopped?"));
    case grpc::StatusCode::UNIMPLEMENTED:
      return absl::Status(code, absl::StrCat("the process at ", address, " does not know this: is it a sluice-", name,
                                             " of this version?"));
    default:
      return absl::Status(code, Printable(status.error_message()));
  }
}

absl::Status Invocation::PrintJson(const google::protobuf::Message& message) {
  const absl::StatusOr<std::string> json = ToJson(message, true);
  if (json.ok()) out_ << *json;
  return json.status();
}

absl::Status Invocation::PrintJsonLine(const google::protobuf::Message& message) {
  const absl::StatusOr<std::string> json = ToJson(message, false);
  if (json.ok()) out_ << *json << std::endl;
  return json.status();
}

}  // namespace sluice::cli
