// The command line of both programs:
//   PROGRAM --config FILE           runs
//   PROGRAM --config FILE --check   says whether the config is right, and ends
//   PROGRAM --version, --help
#ifndef SLUICE_PROCESS_COMMAND_LINE_H_
#define SLUICE_PROCESS_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sluice::process {

struct CommandLine {
  enum class Mode { kRun, kCheck, kVersion, kHelp };
  Mode mode = Mode::kRun;
  // Set for kRun and kCheck.
  std::string config;
};

// `arguments` without the program's name. "--config FILE" and "--config=FILE" are the same. INVALID_ARGUMENT names the
// argument and what is allowed.
absl::StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& arguments);

// One line for --help and behind errors.
std::string Usage(absl::string_view program);

}  // namespace sluice::process

#endif  // SLUICE_PROCESS_COMMAND_LINE_H_
