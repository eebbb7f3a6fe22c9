// trunks: what an operator asks of the ways to carriers.
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/command.h"
#include "cli/table.h"
#include "cli/text.h"

namespace sluice::cli {
namespace {

using controller::v1::ControllerService;

absl::Status ListTrunks(Invocation& invocation) {
  controller::v1::ListTrunksResponse trunks;
  const absl::Status status =
      invocation.Call(Process::kController, invocation.Controller(), &ControllerService::Stub::ListTrunks,
                      controller::v1::ListTrunksRequest(), trunks);
  if (!status.ok()) return status;
  if (invocation.output == Output::kJson) return invocation.PrintJson(trunks);
  Table table({"TRUNK", "REGISTRATION", "UNTIL (UTC)", ">CALLS", ">REFUSED", "PEERS", "REASON"});
  for (const controller::v1::TrunkStatus& trunk : trunks.trunks()) {
    table.AddRow({trunk.name(),
                  EnumWord(controller::v1::TrunkRegistration_Name(trunk.registration()), "TRUNK_REGISTRATION_"),
                  trunk.has_expire_time() ? FormatUtc(trunk.expire_time()) : "-", absl::StrCat(trunk.calls()),
                  absl::StrCat(trunk.refused_calls()), absl::StrJoin(trunk.peers(), ", "), OrDash(trunk.text())});
  }
  table.Print(invocation.out(), "no trunks in the controller's config");
  return absl::OkStatus();
}

}  // namespace

std::vector<Command> TrunkCommands() {
  return {
      {.name = "trunks", .summary = "Lists the controller's trunks and how they do.", .run = ListTrunks},
  };
}

}  // namespace sluice::cli
