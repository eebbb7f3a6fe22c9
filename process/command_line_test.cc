#include "process/command_line.h"

#include "gtest/gtest.h"

namespace sluice::process {
namespace {

using Mode = CommandLine::Mode;

TEST(CommandLine, TakesTheFileInBothForms) {
  EXPECT_EQ(ParseCommandLine({"--config", "a.yaml"})->config, "a.yaml");
  EXPECT_EQ(ParseCommandLine({"--config=a.yaml"})->config, "a.yaml");
  EXPECT_EQ(ParseCommandLine({"--config=a.yaml"})->mode, Mode::kRun);
}

TEST(CommandLine, OnlyChecksWhenAsked) {
  EXPECT_EQ(ParseCommandLine({"--check", "--config", "a.yaml"})->mode, Mode::kCheck);
}

TEST(CommandLine, NeedsNoFileToSayWhatItIs) {
  EXPECT_EQ(ParseCommandLine({"--version"})->mode, Mode::kVersion);
  EXPECT_EQ(ParseCommandLine({"--help"})->mode, Mode::kHelp);
}

TEST(CommandLine, NamesWhatIsWrong) {
  EXPECT_EQ(ParseCommandLine({}).status().message(), "--config FILE is required");
  EXPECT_EQ(ParseCommandLine({"--check"}).status().message(), "--config FILE is required");
  EXPECT_EQ(ParseCommandLine({"--config"}).status().message(), "--config: the file is missing");
  EXPECT_EQ(ParseCommandLine({"--conf", "a.yaml"}).status().message(), "unknown argument '--conf'");
}

}  // namespace
}  // namespace sluice::process
