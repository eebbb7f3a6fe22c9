// Tells systemd how far this process is (sd_notify(3), for units of Type=notify): a start counts as done when the
// process serves, and `systemctl status` shows a line about it.
//
// Without NOTIFY_SOCKET in the environment nothing happens and all is OK, so a process calls these wherever it runs.
// An error is for the log: systemd then waits in vain, the process itself is fine.
//
// Threads: any. NOTIFY_SOCKET is read at each call.
#ifndef SLUICE_PROCESS_SYSTEMD_NOTIFY_H_
#define SLUICE_PROCESS_SYSTEMD_NOTIFY_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace sluice::process {

// Serves now; also the end of a reload. `status` is one line for people: "serves on unix:/run/sluice/relay.sock".
// INVALID_ARGUMENT for a NOTIFY_SOCKET that is no socket's name, UNAVAILABLE when nobody reads it.
absl::Status NotifyReady(absl::string_view status);
// Reads its config again; NotifyReady follows.
absl::Status NotifyReloading();
// Ends in an orderly way.
absl::Status NotifyStopping();

}  // namespace sluice::process

#endif  // SLUICE_PROCESS_SYSTEMD_NOTIFY_H_
