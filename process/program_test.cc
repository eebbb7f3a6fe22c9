#include "process/program.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"

namespace sluice::process {
namespace {

constexpr int kRan = 7;

struct Outcome {
  int status;
  std::string said;
  std::string complained;
};

// A program for which the only right config is right.yaml.
Outcome Started(const std::vector<std::string>& arguments) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int status = RunProgram(
      "sluice-x", arguments,
      [](const std::string& file) -> absl::StatusOr<int> {
        if (file != "right.yaml") return absl::InvalidArgumentError(absl::StrCat(file, ":1: name: is required"));
        return kRan;
      },
      [](const std::string&, int settings) { return settings; });
  return {status, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

TEST(Program, RunsWithTheSettingsOfItsConfig) {
  const Outcome outcome = Started({"--config", "right.yaml"});
  EXPECT_EQ(outcome.status, kRan);
  EXPECT_EQ(outcome.said + outcome.complained, "");
}

TEST(Program, SaysWithoutRunningThatAConfigIsRight) {
  const Outcome outcome = Started({"--config", "right.yaml", "--check"});
  EXPECT_EQ(outcome.status, kDone);
  EXPECT_EQ(outcome.said, "sluice-x: right.yaml is right\n");
}

TEST(Program, RefusesAWrongConfigWhetherItShouldRunOrCheck) {
  for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"--check"}}) {
    std::vector<std::string> arguments = {"--config=wrong.yaml"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = Started(arguments);
    EXPECT_EQ(outcome.status, kWrongUse);
    EXPECT_EQ(outcome.said, "");
    EXPECT_EQ(outcome.complained, "sluice-x: wrong.yaml:1: name: is required\n");
  }
}

TEST(Program, SaysWhatItIsWithoutAConfig) {
  EXPECT_EQ(Started({"--version"}).said, "sluice-x 0.1.0\n");
  const Outcome help = Started({"--help"});
  EXPECT_EQ(help.status, kDone);
  EXPECT_EQ(help.said, "usage: sluice-x --config FILE [--check] | --version | --help\n");
}

TEST(Program, AnswersAWrongCommandLineWithItsUsage) {
  const Outcome outcome = Started({"--conf"});
  EXPECT_EQ(outcome.status, kWrongUse);
  EXPECT_EQ(outcome.complained,
            "sluice-x: unknown argument '--conf'; usage: sluice-x --config FILE [--check] | --version | --help\n");
}

}  // namespace
}  // namespace sluice::process
