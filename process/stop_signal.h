// SIGINT, SIGTERM and SIGHUP as a call that waits, instead of handlers in which hardly anything is allowed.
//
// Block() comes first in main, before any thread is made, so that all threads inherit the mask. SIGPIPE is ignored.
#ifndef SLUICE_PROCESS_STOP_SIGNAL_H_
#define SLUICE_PROCESS_STOP_SIGNAL_H_

#include "absl/time/time.h"

namespace sluice::process {

enum class Signal { kNone, kStop, kReload };

class StopSignal {
 public:
  // Blocks the signals for this thread and those that it makes later.
  static void Block();
  // Waits at most `timeout` for SIGINT or SIGTERM (kStop) or SIGHUP (kReload).
  static Signal Wait(absl::Duration timeout);
  // Makes Wait answer kStop. From any thread.
  static void Raise();
};

}  // namespace sluice::process

#endif  // SLUICE_PROCESS_STOP_SIGNAL_H_
