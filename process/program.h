// The way of both programs from their arguments to their exit status: what --version, --help and --check print, and how
// they say that something is wrong.
#ifndef SLUICE_PROCESS_PROGRAM_H_
#define SLUICE_PROCESS_PROGRAM_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "process/command_line.h"

namespace sluice::process {

inline constexpr absl::string_view kVersion = "0.1.0";

// Exit statuses of both programs: stopped in an orderly way, something on this machine is in the way, wrong command
// line or config.
inline constexpr int kDone = 0;
inline constexpr int kMachine = 1;
inline constexpr int kWrongUse = 2;

// Writes "PROGRAM: text" to stderr; `status`.
int Fail(absl::string_view program, int status, absl::string_view text);
// Writes the line to stdout; kDone.
int Say(absl::string_view line);

// `read(file)` answers an absl::StatusOr of settings, whose error names file, line and key; `run(file, settings)`
// answers an exit status. --check is `read` without `run`.
template <typename Read, typename Run>
int RunProgram(absl::string_view program, const std::vector<std::string>& arguments, Read read, Run run) {
  const absl::StatusOr<CommandLine> line = ParseCommandLine(arguments);
  if (!line.ok()) return Fail(program, kWrongUse, absl::StrCat(line.status().message(), "; ", Usage(program)));
  if (line->mode == CommandLine::Mode::kVersion) return Say(absl::StrCat(program, " ", kVersion));
  if (line->mode == CommandLine::Mode::kHelp) return Say(Usage(program));
  const auto settings = read(line->config);
  if (!settings.ok()) return Fail(program, kWrongUse, settings.status().message());
  if (line->mode == CommandLine::Mode::kCheck) return Say(absl::StrCat(program, ": ", line->config, " is right"));
  return run(line->config, *settings);
}

}  // namespace sluice::process

#endif  // SLUICE_PROCESS_PROGRAM_H_
