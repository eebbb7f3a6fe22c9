#include "process/command_line.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace sluice::process {

absl::StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& arguments) {
  CommandLine line;
  for (size_t i = 0; i < arguments.size(); ++i) {
    absl::string_view argument = arguments[i];
    if (argument == "--version") {
      return CommandLine{CommandLine::Mode::kVersion, ""};
    } else if (argument == "--help") {
      return CommandLine{CommandLine::Mode::kHelp, ""};
    } else if (argument == "--check") {
      line.mode = CommandLine::Mode::kCheck;
    } else if (absl::ConsumePrefix(&argument, "--config=")) {
      line.config = std::string(argument);
    } else if (argument == "--config" && i + 1 < arguments.size()) {
      line.config = arguments[++i];
    } else if (argument == "--config") {
      return absl::InvalidArgumentError("--config: the file is missing");
    } else {
      return absl::InvalidArgumentError(absl::StrCat("unknown argument '", argument, "'"));
    }
  }
  if (line.config.empty()) return absl::InvalidArgumentError("--config FILE is required");
  return line;
}

std::string Usage(absl::string_view program) {
  return absl::StrCat("usage: ", program, " --config FILE [--check] | --version | --help");
}

}  // namespace sluice::process
