#include "cli/sluicectl.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cli/command.h"
#include "cli/invocation.h"
#include "cli/text.h"

namespace sluice::cli {
namespace {

constexpr char kDefaultController[] = "unix:/run/sluice/controller.sock";
constexpr char kDefaultRelay[] = "unix:/run/sluice/relay.sock";

std::vector<Command> AllCommands() {
  std::vector<Command> all;
  for (std::vector<Command> (*group)() :
       {CallCommands, RecordCommands, AccountCommands, TrunkCommands, RelayCommands, SessionCommands, WatchCommands}) {
    for (Command& command : group()) all.push_back(std::move(command));
  }
  return all;
}

std::string Usage(const Command& command) {
  return absl::StrCat(command.name, command.arguments.empty() ? "" : " ", command.arguments);
}

void PrintOverview(std::ostream& out, const std::vector<Command>& commands) {
  out << "sluicectl [--controller ADDRESS] [--relay ADDRESS] [-o table|json|csv] COMMAND [ARGUMENT ...]\n\n";
  size_t width = 0;
  for (const Command& command : commands) width = std::max(width, Usage(command).size());
  for (const Command& command : commands)
    out << "  " << PadRight(Usage(command), width) << "  " << command.summary << "\n";
  out << "\n  --controller ADDRESS  " << kDefaultController << " unless SLUICE_CONTROLLER names another\n"
      << "  --relay ADDRESS       " << kDefaultRelay << " unless SLUICE_RELAY names another\n"
      << "  -o table|json|csv     json is protobuf's JSON; csv is known to cdrs\n\n"
      << "An address is unix:/path/to/socket or HOST:PORT. sluicectl help COMMAND says more of one.\n";
}

void PrintHelp(std::ostream& out, const Command& command) {
  out << "sluicectl " << Usage(command) << (command.options.empty() ? "" : " [OPTION ...]") << "\n\n"
      << command.summary << "\n";
  size_t width = 0;
  const auto name = [](const Option& option) {
    return option.value.empty() ? option.name : absl::StrCat(option.name, " ", option.value);
  };
  for (const Option& option : command.options) width = std::max(width, name(option).size());
  if (!command.options.empty()) out << "\n";
  for (const Option& option : command.options)
    out << "  " << PadRight(name(option), width) << "  " << option.text << "\n";
}

// What stands on the command line, before anybody has looked at what it means.
struct Line {
  std::vector<std::string> words;
  std::map<std::string, std::string> options;
  bool help = false;
};

// Whether any command, or sluicectl itself, has this option, and whether it takes a value.
bool TakesValue(const std::vector<Command>& commands, const std::string& name, bool& known) {
  known = true;
  if (name == "--controller" || name == "--relay" || name == "-o" || name == "--output") return true;
  for (const Command& command : commands) {
    for (const Option& option : command.options) {
      if (option.name == name) return !option.value.empty();
    }
  }
  known = false;
  return false;
}

absl::StatusOr<Line> Split(const std::vector<std::string>& arguments, const std::vector<Command>& commands) {
  Line line;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") {
      line.words.insert(line.words.end(), arguments.begin() + static_cast<ptrdiff_t>(i) + 1, arguments.end());
      break;
    }
    if (argument == "-h" || argument == "--help") {
      line.help = true;
      continue;
    }
    if (argument.size() < 2 || argument[0] != '-') {
      line.words.push_back(argument);
      continue;
    }
    std::pair<std::string, std::string> option = absl::StrSplit(argument, absl::MaxSplits('=', 1));
    const bool attached = absl::StrContains(argument, "=");
    bool known = false;
    const bool takes_value = TakesValue(commands, option.first, known);
    if (!known) return WrongUse(absl::StrCat("there is no option ", option.first));
    if (!takes_value && attached) return WrongUse(absl::StrCat(option.first, " takes no value"));
    if (takes_value && !attached) {
      if (i + 1 == arguments.size()) return WrongUse(absl::StrCat(option.first, " wants a value"));
      option.second = arguments[++i];
    }
    if (option.first == "-o") option.first = "--output";
    if (!line.options.insert(option).second) return WrongUse(absl::StrCat(option.first, " stands twice"));
  }
  return line;
}

// The command whose words `words` begin with; those words are taken away. Null if there is none.
const Command* Find(const std::vector<Command>& commands, std::vector<std::string>& words) {
  for (const size_t count : {size_t{2}, size_t{1}}) {
    if (words.size() < count) continue;
    const std::string name = absl::StrJoin(words.begin(), words.begin() + static_cast<ptrdiff_t>(count), " ");
    for (const Command& command : commands) {
      if (command.name != name) continue;
      words.erase(words.begin(), words.begin() + static_cast<ptrdiff_t>(count));
      return &command;
    }
  }
  return nullptr;
}

// Takes a common option out of the line; the environment's value, or the default, where it is not there.
std::string Take(Line& line, const std::string& option, const char* variable, const std::string& otherwise) {
  if (const auto node = line.options.extract(option); !node.empty()) return node.mapped();
  const char* value = variable == nullptr ? nullptr : std::getenv(variable);
  return value == nullptr || *value == '\0' ? otherwise : value;
}

absl::Status NoCommand(const std::vector<Command>& commands, const std::string& word) {
  std::vector<std::string> alike;
  for (const Command& command : commands) {
    if (absl::StartsWith(command.name, word + " ")) alike.push_back(command.name);
  }
  if (!alike.empty()) return WrongUse(absl::StrCat(word, " is not whole; allowed: ", absl::StrJoin(alike, ", ")));
  return WrongUse(absl::StrCat("there is no command ", word));
}

absl::Status Run(const Command& command, Line line, std::ostream& out) {
  Invocation invocation(Take(line, "--controller", "SLUICE_CONTROLLER", kDefaultController),
                        Take(line, "--relay", "SLUICE_RELAY", kDefaultRelay), out);
  const std::string output = Take(line, "--output", nullptr, "table");
  if (output == "json") {
    invocation.output = Output::kJson;
  } else if (output == "csv" && command.csv) {
    invocation.output = Output::kCsv;
  } else if (output != "table") {
    return WrongUse(absl::StrCat("-o: '", output, "' is not allowed for ", command.name, "; allowed: table, json",
                                 command.csv ? ", csv" : ""));
  }
  for (const auto& [name, value] : line.options) {
    if (std::none_of(command.options.begin(), command.options.end(),
                     [&name = name](const Option& option) { return option.name == name; })) {
      return WrongUse(absl::StrCat(command.name, " has no option ", name));
    }
  }
  if (line.words.size() < command.min_arguments || line.words.size() > command.max_arguments) {
    return WrongUse(absl::StrCat(command.name, " wants ", command.arguments.empty() ? "no argument" : command.arguments,
                                 ", not ", line.words.size(), line.words.size() == 1 ? " argument" : " arguments"));
  }
  invocation.arguments = std::move(line.words);
  invocation.options = std::move(line.options);
  return command.run(invocation);
}

absl::Status Dispatch(const std::vector<std::string>& arguments, std::ostream& out) {
  const std::vector<Command> commands = AllCommands();
  absl::StatusOr<Line> line = Split(arguments, commands);
  if (!line.ok()) return line.status();
  const bool help = line->help || (!line->words.empty() && line->words[0] == "help");
  if (help && !line->words.empty() && line->words[0] == "help") line->words.erase(line->words.begin());
  if (line->words.empty()) {
    if (!help) return WrongUse("which command?");
    PrintOverview(out, commands);
    return absl::OkStatus();
  }
  const std::string word = line->words[0];
  const Command* command = Find(commands, line->words);
  if (command == nullptr) return NoCommand(commands, word);
  if (!help) return Run(*command, *std::move(line), out);
  PrintHelp(out, *command);
  return absl::OkStatus();
}

}  // namespace

int RunSluicectl(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  const absl::Status status = Dispatch(arguments, out);
  if (status.ok()) return 0;
  const bool wrong_use = IsWrongUse(status);
  err << "sluicectl: " << Printable(status.message()) << (wrong_use ? " (sluicectl help says what there is)" : "")
      << "\n";
  return wrong_use ? 2 : 1;
}

}  // namespace sluice::cli
