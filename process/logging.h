// Logs go to standard error, one line each: time in UTC, level, process name, text. systemd and containers take it from
// there.
//
// Levels: error: somebody must act. warning: something is wrong and was dealt with. info: the process' own life (start,
// stop, reload, relay up or down). debug: lines for the steps of a call or session. trace: one line a message. Never
// per packet, never a secret.
#ifndef SLUICE_PROCESS_LOGGING_H_
#define SLUICE_PROCESS_LOGGING_H_

#include <string>

namespace sluice::process {

// `level` as checked by CheckLogLevel; empty: info.
void StartLogging(const std::string& process_name, const std::string& level);
// Changes the level while running.
void SetLogLevel(const std::string& level);

}  // namespace sluice::process

#endif  // SLUICE_PROCESS_LOGGING_H_
