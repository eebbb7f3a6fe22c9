#include "process/stop_signal.h"

#include <unistd.h>

#include <csignal>

namespace sluice::process {
namespace {

sigset_t Signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  return set;
}

}  // namespace

void StopSignal::Block() {
  const sigset_t set = Signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

Signal StopSignal::Wait(absl::Duration timeout) {
  const sigset_t set = Signals();
  const timespec limit = absl::ToTimespec(timeout);
  switch (sigtimedwait(&set, nullptr, &limit)) {
    case SIGINT:
    case SIGTERM:
      return Signal::kStop;
    case SIGHUP:
      return Signal::kReload;
    default:
      return Signal::kNone;
  }
}

void StopSignal::Raise() { kill(getpid(), SIGTERM); }

}  // namespace sluice::process
