// calls, call, hangup, and whether a controller takes new ones.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/command.h"
#include "cli/ladder.h"
#include "cli/legs.h"
#include "cli/media.h"
#include "cli/pages.h"
#include "cli/table.h"
#include "cli/text.h"

namespace sluice::cli {
namespace {

using controller::v1::Call;
using controller::v1::CallLeg;
using controller::v1::ControllerService;

std::string State(const Call& call) { return EnumWord(controller::v1::CallState_Name(call.state()), "CALL_STATE_"); }

// From the answer to the end, or until now.
std::string Talked(const Call& call) {
  if (!call.has_answer_time()) return "-";
  return FormatClock((call.has_end_time() ? TimeOf(call.end_time()) : absl::Now()) - TimeOf(call.answer_time()));
}

std::string Party(const CallLeg& leg) {
  return leg.display_name().empty() ? OrDash(leg.number()) : absl::StrCat(leg.number(), " (", leg.display_name(), ")");
}

absl::Status ListCalls(Invocation& invocation) {
  const absl::StatusOr<uint64_t> limit = invocation.Number("--limit", kDefaultLimit, 1, kMaxLimit);
  if (!limit.ok()) return limit.status();
  controller::v1::ListCallsResponse calls;
  const absl::Status status = ReadPages(
      controller::v1::ListCallsRequest(), *limit, calls,
      [&](const auto& request, auto& page) {
        return invocation.Call(Process::kController, invocation.Controller(), &ControllerService::Stub::ListCalls,
                               request, page);
      },
      [](auto& page) { return page.mutable_calls(); });
  if (!status.ok()) return status;
  if (invocation.output == Output::kJson) return invocation.PrintJson(calls);
  Table table({"CALL", "STATE", "CALLER", "CALLEE", "RELAY", "STARTED (UTC)", ">TALKED"});
  for (const Call& call : calls.calls()) {
    table.AddRow({call.call_id(), State(call), Party(call.caller()), Party(call.callee()), OrDash(call.relay()),
                  FormatUtc(call.start_time()), Talked(call)});
  }
  table.Print(invocation.out(), "no calls");
  return absl::OkStatus();
}

void PrintParty(const std::string& name, const CallLeg& leg, std::vector<std::pair<std::string, std::string>>& lines) {
  std::string line = absl::StrCat(Party(leg), " at ", OrDash(leg.peer()));
  if (!leg.user_agent().empty()) absl::StrAppend(&line, ", ", leg.user_agent());
  lines.emplace_back(name, line);
}

absl::Status ShowCall(Invocation& invocation) {
  controller::v1::GetCallRequest request;
  request.set_call_id(invocation.arguments[0]);
  request.set_include_messages(invocation.Has("--messages"));
  controller::v1::GetCallResponse response;
  const absl::Status status = invocation.Call(Process::kController, invocation.Controller(),
                                              &ControllerService::Stub::GetCall, request, response);
  if (!status.ok()) return status;
  if (invocation.output == Output::kJson) return invocation.PrintJson(response);

  const Call& call = response.call();
  std::vector<std::pair<std::string, std::string>> lines = {
      {"call", call.call_id()}, {"state", State(call)}, {"relay", OrDash(call.relay())}};
  PrintParty("A", call.caller(), lines);
  PrintParty("B", call.callee(), lines);
  lines.emplace_back("started", FormatUtc(call.start_time()) + " UTC");
  if (call.has_answer_time()) lines.emplace_back("talked", Talked(call));
  if (call.has_end_time()) {
    std::string end = absl::StrCat(call.end_cause().sip_status(), " by ", EndedByName(call.end_cause()));
    if (const uint32_t cause = call.end_cause().q850_cause(); cause != 0) absl::StrAppend(&end, ", Q.850 ", cause);
    if (!call.end_cause().text().empty()) absl::StrAppend(&end, ": ", call.end_cause().text());
    lines.emplace_back("ended", end);
  }
  std::ostream& out = invocation.out();
  PrintPairs(out, lines);
  out << "\n";
  Table legs = LegTable();
  for (const controller::v1::LegRecord& leg : response.legs()) AddLeg(absl::StrCat(legs.size() + 1), leg, legs);
  if (legs.size() > 0) {
    legs.Print(out);
    out << "\n";
  }
  PrintLadder(out, response);
  if (response.has_media()) {
    out << "\n";
    PrintMediaMap(out, response.media());
    out << "\n";
    PrintQuality(out, response.media());
  } else if (!call.relay().empty()) {
    out << "\nmedia: relay " << Printable(call.relay()) << " does not answer\n";
  }
  for (const controller::v1::LadderEntry& entry : response.ladder()) {
    if (entry.message().empty()) continue;
    out << "\n"
        << (entry.received() ? "received from " : "sent to ") << Printable(entry.transport()) << " "
        << Printable(entry.peer_endpoint()) << "\n";
    std::string line;
    for (const char c : entry.message()) {
      if (c != '\n') {
        line.push_back(c);
        continue;
      }
      if (!line.empty() && line.back() == '\r') line.pop_back();
      out << "  " << Printable(line) << "\n";
      line.clear();
    }
    if (!line.empty()) out << "  " << Printable(line) << "\n";
  }
  return absl::OkStatus();
}

absl::Status HangUp(Invocation& invocation) {
  controller::v1::HangUpCallRequest request;
  request.set_call_id(invocation.arguments[0]);
  controller::v1::HangUpCallResponse response;
  const absl::Status status = invocation.Call(Process::kController, invocation.Controller(),
                                              &ControllerService::Stub::HangUpCall, request, response);
  if (!status.ok()) return status;
  if (invocation.output == Output::kJson) return invocation.PrintJson(response);
  invocation.out() << "call " << Printable(request.call_id()) << " is being ended\n";
  return absl::OkStatus();
}

absl::Status DrainController(Invocation& invocation) {
  controller::v1::DrainControllerResponse response;
  const absl::Status status =
      invocation.Call(Process::kController, invocation.Controller(), &ControllerService::Stub::DrainController,
                      controller::v1::DrainControllerRequest(), response);
  if (!status.ok()) return status;
  if (invocation.output == Output::kJson) return invocation.PrintJson(response);
  invocation.out() << "the controller takes no new calls; those that exist go on\n";
  return absl::OkStatus();
}

absl::Status UndrainController(Invocation& invocation) {
  controller::v1::UndrainControllerResponse response;
  const absl::Status status =
      invocation.Call(Process::kController, invocation.Controller(), &ControllerService::Stub::UndrainController,
                      controller::v1::UndrainControllerRequest(), response);
  if (!status.ok()) return status;
  if (invocation.output == Output::kJson) return invocation.PrintJson(response);
  invocation.out() << "the controller takes new calls\n";
  return absl::OkStatus();
}

}  // namespace

std::vector<Command> CallCommands() {
  return {
      {.name = "calls",
       .summary = "Lists the calls that exist now, newest first.",
       .options = {{"--limit", "N", "At most so many; 1000 unless told."}},
       .run = ListCalls},
      {.name = "call",
       .arguments = "ID",
       .min_arguments = 1,
       .max_arguments = 1,
       .summary = "Shows one call: its SIP messages as arrows, where its media goes, and how good it is.",
       .options = {{"--messages", "", "Whole SIP messages too."}},
       .run = ShowCall},
      {.name = "hangup",
       .arguments = "ID",
       .min_arguments = 1,
       .max_arguments = 1,
       .summary = "Ends a call on both sides.",
       .run = HangUp},
      {.name = "drain controller",
       .summary = "Lets the controller take no new calls; those that exist go on.",
       .run = DrainController},
      {.name = "undrain controller", .summary = "Lets the controller take new calls again.", .run = UndrainController},
  };
}

}  // namespace sluice::cli
