// One command of sluicectl, and what it runs with.
//
// Each file *_commands.cc has one group of them; sluicectl.cc looks a command up by its words, checks what stands on
// the command line against what is said here, and runs it. Adding a command is adding an element to a group.
#ifndef SLUICE_CLI_COMMAND_H_
#define SLUICE_CLI_COMMAND_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/invocation.h"

namespace sluice::cli {

struct Option {
  // "--display-name".
  std::string name;
  // What the help calls its value: "TEXT". Empty: a switch without value.
  std::string value;
  std::string text;
};

struct Command {
  // One word or two: "calls", "accounts add".
  std::string name;
  // As in the help: "ID", "[SHARD]".
  std::string arguments;
  size_t min_arguments = 0;
  size_t max_arguments = 0;
  // One line.
  std::string summary;
  std::vector<Option> options;
  // Knows -o csv.
  bool csv = false;
  absl::Status (*run)(Invocation& invocation) = nullptr;
};

// calls, call, hangup.
std::vector<Command> CallCommands();
// cdrs.
std::vector<Command> RecordCommands();
// accounts, bindings.
std::vector<Command> AccountCommands();
// trunks.
std::vector<Command> TrunkCommands();
// relays, drain, undrain, explain, capture.
std::vector<Command> RelayCommands();
// sessions, session.
std::vector<Command> SessionCommands();
// stats, events.
std::vector<Command> WatchCommands();

}  // namespace sluice::cli

#endif  // SLUICE_CLI_COMMAND_H_
