// accounts, bindings: who may register and call, and where they are.
#include <fstream>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/command.h"
#include "cli/pages.h"
#include "cli/table.h"
#include "cli/text.h"

namespace sluice::cli {
namespace {

using controller::v1::ControllerService;

std::string Redirections(const controller::v1::Account& account) {
  if (!account.has_follow_redirections()) return "-";
  return account.follow_redirections() ? "follow" : "pass";
}

absl::Status ListAccounts(Invocation& invocation) {
  controller::v1::ListAccountsResponse accounts;
  const absl::Status status = ReadPages(
      controller::v1::ListAccountsRequest(), kMaxLimit, accounts,
      [&](const auto& request, auto& page) {
        return invocation.Call(Process::kController, invocation.Controller(), &ControllerService::Stub::ListAccounts,
                               request, page);
      },
      [](auto& page) { return page.mutable_accounts(); });
  if (!status.ok()) return status;
  if (invocation.output == Output::kJson) return invocation.PrintJson(accounts);
  Table table({"ACCOUNT", "DISPLAY NAME", "LEGACY DIGEST", "REDIRECTIONS", "CREATED (UTC)"});
  for (const controller::v1::Account& account : accounts.accounts()) {
    table.AddRow({account.name(), OrDash(account.display_name()), account.allow_legacy_digest() ? "allowed" : "no",
                  Redirections(account), FormatUtc(account.create_time())});
  }
  table.Print(invocation.out(), "no accounts; sluicectl accounts add NAME makes one");
  return absl::OkStatus();
}

// The first line of the file, or of the standard input for "-". A password on the command line would be seen by all.
absl::StatusOr<std::string> ReadPassword(const std::string& file) {
  std::string password;
  std::ifstream stream;
  if (file != "-") {
    stream.open(file);
    if (!stream) return WrongUse(absl::StrCat("--password-file: cannot read ", file));
  }
  if (!std::getline(file == "-" ? std::cin : stream, password) || password.empty()) {
    return WrongUse(absl::StrCat("--password-file: the first line of ", file, " is empty; it must be the password"));
  }
  return password;
}

// Of an account that exists, its own default may be asked for too.
absl::Status ReadRedirections(Invocation& invocation, bool may_be_default, controller::v1::Account& account) {
  const std::string& wanted = invocation.options["--redirections"];
  if (wanted == "follow" || wanted == "pass") {
    account.set_follow_redirections(wanted == "follow");
  } else if (!may_be_default) {
    return WrongUse(absl::StrCat("--redirections: '", wanted, "' is neither follow nor pass"));
  } else if (wanted != "default") {
    return WrongUse(absl::StrCat("--redirections: '", wanted, "' is none of follow, pass, default"));
  }
  return absl::OkStatus();
}

void PrintAccount(Invocation& invocation, const std::string& name, const std::string& password) {
  PrintPairs(invocation.out(), {{"account", name}, {"password", password}});
  if (!invocation.Has("--password-file")) {
    invocation.out() << "The password is shown only now: the controller keeps hashes of it.\n";
  }
}

absl::Status AddAccount(Invocation& invocation) {
  controller::v1::CreateAccountRequest request;
  request.mutable_account()->set_name(invocation.arguments[0]);
  if (invocation.Has("--display-name")) {
    request.mutable_account()->set_display_name(invocation.options["--display-name"]);
  }
  request.mutable_account()->set_allow_legacy_digest(invocation.Has("--legacy-digest"));
  if (invocation.Has("--redirections")) {
    const absl::Status status = ReadRedirections(invocation, /*may_be_default=*/false, *request.mutable_account());
    if (!status.ok()) return status;
  }
  if (invocation.Has("--password-file")) {
    const absl::StatusOr<std::string> password = ReadPassword(invocation.options["--password-file"]);
    if (!password.ok()) return password.status();
    request.set_password(*password);
  }
  controller::v1::CreateAccountResponse response;
  const absl::Status status = invocation.Call(Process::kController, invocation.Controller(),
                                              &ControllerService::Stub::CreateAccount, request, response);
  if (!status.ok()) return status;
  if (invocation.output == Output::kJson) return invocation.PrintJson(response);
  PrintAccount(invocation, response.account().name(), response.password());
  return absl::OkStatus();
}

absl::Status ChangeAccount(Invocation& invocation) {
  controller::v1::UpdateAccountRequest request;
  controller::v1::Account& account = *request.mutable_account();
  account.set_name(invocation.arguments[0]);
  for (const auto& [one, other] :
       {std::pair("--legacy-digest", "--no-legacy-digest"), {"--password-file", "--new-password"}}) {
    if (invocation.Has(one) && invocation.Has(other)) {
      return WrongUse(absl::StrCat(one, " and ", other, " exclude each other"));
    }
  }
  if (invocation.Has("--display-name")) {
    account.set_display_name(invocation.options["--display-name"]);
    request.mutable_update_mask()->add_paths("display_name");
  }
  if (invocation.Has("--redirections")) {
    const absl::Status status = ReadRedirections(invocation, /*may_be_default=*/true, account);
    if (!status.ok()) return status;
    request.mutable_update_mask()->add_paths("follow_redirections");
  }
  if (invocation.Has("--legacy-digest") || invocation.Has("--no-legacy-digest")) {
    account.set_allow_legacy_digest(invocation.Has("--legacy-digest"));
    request.mutable_update_mask()->add_paths("allow_legacy_digest");
  }
  if (invocation.Has("--password-file")) {
    const absl::StatusOr<std::string> password = ReadPassword(invocation.options["--password-file"]);
    if (!password.ok()) return password.status();
    request.set_password(*password);
  } else if (invocation.Has("--new-password")) {
    request.set_password("");
  }
  if (request.update_mask().paths().empty() && !request.has_password()) {
    return WrongUse("accounts change wants an option that says what");
  }
  controller::v1::UpdateAccountResponse response;
  const absl::Status status = invocation.Call(Process::kController, invocation.Controller(),
                                              &ControllerService::Stub::UpdateAccount, request, response);
  if (!status.ok()) return status;
  if (invocation.output == Output::kJson) return invocation.PrintJson(response);
  if (request.has_password()) {
    PrintAccount(invocation, response.account().name(), response.password());
  } else {
    invocation.out() << "account " << Printable(response.account().name()) << " is changed\n";
  }
  return absl::OkStatus();
}

absl::Status RemoveAccount(Invocation& invocation) {
  controller::v1::DeleteAccountRequest request;
  request.set_name(invocation.arguments[0]);
  controller::v1::DeleteAccountResponse response;
  const absl::Status status = invocation.Call(Process::kController, invocation.Controller(),
                                              &ControllerService::Stub::DeleteAccount, request, response);
  if (!status.ok()) return status;
  if (invocation.output == Output::kJson) return invocation.PrintJson(response);
  invocation.out() << "account " << Printable(request.name()) << " is removed, with its bindings\n";
  return absl::OkStatus();
}

absl::Status ListBindings(Invocation& invocation) {
  controller::v1::ListBindingsRequest request;
  if (!invocation.arguments.empty()) request.set_account(invocation.arguments[0]);
  controller::v1::ListBindingsResponse bindings;
  const absl::Status status = ReadPages(
      request, kMaxLimit, bindings,
      [&](const auto& page_request, auto& page) {
        return invocation.Call(Process::kController, invocation.Controller(), &ControllerService::Stub::ListBindings,
                               page_request, page);
      },
      [](auto& page) { return page.mutable_bindings(); });
  if (!status.ok()) return status;
  if (invocation.output == Output::kJson) return invocation.PrintJson(bindings);
  Table table({"ACCOUNT", "CONTACT", "SOURCE", "NAT", ">EXPIRES IN", "USER AGENT"});
  for (const controller::v1::Binding& binding : bindings.bindings()) {
    table.AddRow({binding.account(), binding.contact(), binding.source(), binding.behind_nat() ? "yes" : "no",
                  FormatClock(TimeOf(binding.expire_time()) - absl::Now()), OrDash(binding.user_agent())});
  }
  table.Print(invocation.out(), "no bindings");
  return absl::OkStatus();
}

}  // namespace

std::vector<Command> AccountCommands() {
  const Command list = {.name = "accounts list", .summary = "Lists the accounts by name.", .run = ListAccounts};
  Command accounts = list;
  accounts.name = "accounts";
  accounts.summary = "The same as accounts list.";
  return {
      accounts,
      list,
      {.name = "accounts add",
       .arguments = "NAME",
       .min_arguments = 1,
       .max_arguments = 1,
       .summary = "Makes an account and shows its password, once.",
       .options =
           {{"--display-name", "TEXT", "What the other side sees."},
            {"--password-file", "FILE",
             "Its first line is the password; - reads it from the standard input. Otherwise one is made."},
            {"--redirections", "follow|pass",
             "A 3xx of its phones is followed or goes to the caller; unless told, as the controller's config says."},
            {"--legacy-digest", "", "Takes digest answers without qop (RFC 2069), for old phones."}},
       .run = AddAccount},
      {.name = "accounts change",
       .arguments = "NAME",
       .min_arguments = 1,
       .max_arguments = 1,
       .summary = "Changes what is named of an account; its phones stay registered.",
       .options = {{"--display-name", "TEXT", "What the other side sees."},
                   {"--password-file", "FILE",
                    "Its first line is the new password; - reads it from the standard input."},
                   {"--new-password", "", "Makes a new password and shows it, once."},
                   {"--redirections", "follow|pass|default",
                    "A 3xx of its phones is followed or goes to the caller; default: as the controller's config says."},
                   {"--legacy-digest", "", "Takes digest answers without qop (RFC 2069), for old phones."},
                   {"--no-legacy-digest", "", "Takes them no more."}},
       .run = ChangeAccount},
      {.name = "accounts remove",
       .arguments = "NAME",
       .min_arguments = 1,
       .max_arguments = 1,
       .summary = "Removes an account and its bindings.",
       .run = RemoveAccount},
      {.name = "bindings",
       .arguments = "[ACCOUNT]",
       .max_arguments = 1,
       .summary = "Lists where phones have registered.",
       .run = ListBindings},
  };
}

}  // namespace sluice::cli
