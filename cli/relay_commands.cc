// relays, drain, undrain, explain, capture: what an operator asks of relays.
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/table.h"
#include "cli/text.h"

namespace sluice::cli {
namespace {

using controller::v1::ControllerService;
using relay::v1::RelayService;

absl::Status ListRelays(Invocation& invocation) {
  controller::v1::ListRelaysResponse relays;
  const absl::Status status =
      invocation.Call(Process::kController, invocation.Controller(), &ControllerService::Stub::ListRelays,
                      controller::v1::ListRelaysRequest(), relays);
  if (!status.ok()) return status;
  if (invocation.output == Output::kJson) return invocation.PrintJson(relays);
  Table table({"RELAY", "HEALTH", ">SESSIONS", "ADDRESS", "SINCE (UTC)", "REASON"});
  for (const controller::v1::RelayStatus& relay : relays.relays()) {
    table.AddRow({relay.name(), EnumWord(controller::v1::RelayHealth_Name(relay.health()), "RELAY_HEALTH_"),
                  absl::StrCat(relay.sessions()), relay.address(), FormatUtc(relay.since()), OrDash(relay.text())});
  }
  table.Print(invocation.out(), "no relays in the controller's config");
  return absl::OkStatus();
}

absl::Status Drain(Invocation& invocation) {
  relay::v1::DrainRelayResponse response;
  const absl::Status status = invocation.Call(Process::kRelay, invocation.Relay(), &RelayService::Stub::DrainRelay,
                                              relay::v1::DrainRelayRequest(), response);
  if (!status.ok()) return status;
  if (invocation.output == Output::kJson) return invocation.PrintJson(response);
  invocation.out() << "the relay takes no new sessions; those that exist go on\n";
  return absl::OkStatus();
}

absl::Status Undrain(Invocation& invocation) {
  relay::v1::UndrainRelayResponse response;
  const absl::Status status = invocation.Call(Process::kRelay, invocation.Relay(), &RelayService::Stub::UndrainRelay,
                                              relay::v1::UndrainRelayRequest(), response);
  if (!status.ok()) return status;
  if (invocation.output == Output::kJson) return invocation.PrintJson(response);
  invocation.out() << "the relay takes new sessions\n";
  return absl::OkStatus();
}

// "198.18.1.2:4000", "[2001:db8::1]:4000".
absl::StatusOr<relay::v1::Endpoint> ReadEndpoint(absl::string_view what, const std::string& text) {
  const size_t colon = text.rfind(':');
  std::string address = text.substr(0, colon);
  uint32_t port = 0;
  if (absl::StartsWith(address, "[") && absl::EndsWith(address, "]")) address = address.substr(1, address.size() - 2);
  if (colon == std::string::npos || address.empty() || !absl::SimpleAtoi(text.substr(colon + 1), &port) || port == 0 ||
      port > 65535) {
    return WrongUse(absl::StrCat(what, ": '", text,
                                 "' is not an address with a port; allowed: 198.18.1.2:4000, [2001:db8::1]:4000"));
  }
  relay::v1::Endpoint endpoint;
  endpoint.set_address(address);
  endpoint.set_port(port);
  return endpoint;
}

absl::Status Explain(Invocation& invocation) {
  relay::v1::ExplainPacketRequest request;
  relay::v1::PacketAddresses& packet = *request.mutable_addresses();
  const absl::StatusOr<relay::v1::Endpoint> source = ReadEndpoint("SOURCE", invocation.arguments[0]);
  if (!source.ok()) return source.status();
  const absl::StatusOr<relay::v1::Endpoint> destination = ReadEndpoint("DESTINATION", invocation.arguments[1]);
  if (!destination.ok()) return destination.status();
  const absl::StatusOr<uint64_t> payload_type = invocation.Number("--payload-type", 0, 0, 127);
  if (!payload_type.ok()) return payload_type.status();
  const absl::StatusOr<uint64_t> ssrc = invocation.Number("--ssrc", 0, 0, UINT32_MAX);
  if (!ssrc.ok()) return ssrc.status();
  const absl::StatusOr<uint64_t> sequence = invocation.Number("--sequence", 0, 0, 65535);
  if (!sequence.ok()) return sequence.status();
  *packet.mutable_source() = *source;
  *packet.mutable_destination() = *destination;
  packet.set_payload_type(static_cast<uint32_t>(*payload_type));
  packet.set_ssrc(static_cast<uint32_t>(*ssrc));
  packet.set_sequence(static_cast<uint32_t>(*sequence));

  relay::v1::ExplainPacketResponse response;
  const absl::Status status =
      invocation.Call(Process::kRelay, invocation.Relay(), &RelayService::Stub::ExplainPacket, request, response);
  if (!status.ok()) return status;
  if (invocation.output == Output::kJson) return invocation.PrintJson(response);
  std::ostream& out = invocation.out();
  int number = 0;
  for (const std::string& step : response.steps())
    out << PadLeft(absl::StrCat(++number), 2) << "  " << Printable(step) << "\n";
  if (response.forwarded()) {
    out << "forwarded: from " << FormatEndpoint(response.new_source()) << " to "
        << FormatEndpoint(response.new_destination());
  } else {
    out << "dropped: " << Printable(response.drop_reason());
  }
  if (!response.session_id().empty()) {
    out << ", session " << Printable(response.session_id()) << ", stream " << response.stream_id() << ", from "
        << (response.leg() == 0 ? "A" : "B");
  }
  out << "\n";
  return absl::OkStatus();
}

absl::Status StartCapture(Invocation& invocation) {
  relay::v1::StartCaptureRequest request;
  request.set_session_id(invocation.arguments[0]);
  if (invocation.Has("--duration")) {
    const absl::StatusOr<absl::Duration> duration = invocation.Duration("--duration", absl::ZeroDuration());
    if (!duration.ok()) return duration.status();
    const int64_t nanoseconds = absl::ToInt64Nanoseconds(*duration);
    request.mutable_max_duration()->set_seconds(nanoseconds / 1'000'000'000);
    request.mutable_max_duration()->set_nanos(static_cast<int32_t>(nanoseconds % 1'000'000'000));
  }
  const absl::StatusOr<uint64_t> bytes = invocation.Number("--max-bytes", 0, 1, uint64_t{1} << 30);
  if (!bytes.ok()) return bytes.status();
  request.set_max_bytes(*bytes);
  relay::v1::StartCaptureResponse response;
  const absl::Status status =
      invocation.Call(Process::kRelay, invocation.Relay(), &RelayService::Stub::StartCapture, request, response);
  if (!status.ok()) return status;
  if (invocation.output == Output::kJson) return invocation.PrintJson(response);
  PrintPairs(invocation.out(), {{"capture", response.capture_id()}, {"file", response.file_name()}});
  invocation.out() << "The file is in the relay's capture folder (sessions.capture_folder).\n";
  return absl::OkStatus();
}

absl::Status StopCapture(Invocation& invocation) {
  relay::v1::StopCaptureRequest request;
  request.set_capture_id(invocation.arguments[0]);
  relay::v1::StopCaptureResponse response;
  const absl::Status status =
      invocation.Call(Process::kRelay, invocation.Relay(), &RelayService::Stub::StopCapture, request, response);
  if (!status.ok()) return status;
  if (invocation.output == Output::kJson) return invocation.PrintJson(response);
  PrintPairs(invocation.out(), {{"packets", absl::StrCat(response.packets())},
                                {"bytes", FormatBytes(response.bytes())},
                                {"not written", absl::StrCat(response.dropped())}});
  return absl::OkStatus();
}

}  // namespace

std::vector<Command> RelayCommands() {
  return {
      {.name = "relays", .summary = "Lists the controller's relays and how they do.", .run = ListRelays},
      {.name = "drain", .summary = "Lets the relay take no new sessions; those that exist go on.", .run = Drain},
      {.name = "undrain", .summary = "Lets the relay take new sessions again.", .run = Undrain},
      {.name = "explain",
       .arguments = "SOURCE DESTINATION",
       .min_arguments = 2,
       .max_arguments = 2,
       .summary = "Says what the relay would do with a packet, and why. Nothing is sent.",
       .options = {{"--payload-type", "N", "RTP payload type; 0 unless told."},
                   {"--ssrc", "N", "RTP SSRC."},
                   {"--sequence", "N", "RTP sequence number."}},
       .run = Explain},
      {.name = "capture start",
       .arguments = "SESSION",
       .min_arguments = 1,
       .max_arguments = 1,
       .summary = "Writes the packets of a session to a pcapng file at the relay.",
       .options = {{"--duration", "DURATION", "1s to 1h; 60s unless told."},
                   {"--max-bytes", "N", "Up to 1 GiB; 16 MiB unless told."}},
       .run = StartCapture},
      {.name = "capture stop",
       .arguments = "CAPTURE",
       .min_arguments = 1,
       .max_arguments = 1,
       .summary = "Ends a capture and says what it wrote.",
       .run = StopCapture},
  };
}

}  // namespace sluice::cli
