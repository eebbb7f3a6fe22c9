#include "process/stop_signal.h"

#include <gtest/gtest.h>

#include <csignal>

namespace sluice::process {
namespace {

// The signals are blocked, so they wait until they are asked for.
TEST(StopSignal, TellsStopFromReloadAndIsQuietOtherwise) {
  StopSignal::Block();
  EXPECT_EQ(StopSignal::Wait(absl::ZeroDuration()), Signal::kNone);
  raise(SIGHUP);
  EXPECT_EQ(StopSignal::Wait(absl::Seconds(60)), Signal::kReload);
  raise(SIGTERM);
  EXPECT_EQ(StopSignal::Wait(absl::Seconds(60)), Signal::kStop);
  raise(SIGINT);
  EXPECT_EQ(StopSignal::Wait(absl::Seconds(60)), Signal::kStop);
  EXPECT_EQ(StopSignal::Wait(absl::ZeroDuration()), Signal::kNone);
}

TEST(StopSignal, LetsAWriteToAClosedPipeFailInsteadOfEndingTheProcess) {
  StopSignal::Block();
  raise(SIGPIPE);
  SUCCEED() << "still here";
}

}  // namespace
}  // namespace sluice::process
