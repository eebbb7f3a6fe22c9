// DPDK's own messages, brought into the log of the process.
//
// How it works. EAL and the drivers write to one stream of the whole process. Ours makes lines of what is written and
// hands them to the log; the last line is kept, so that an error can quote it. While something is being opened, whose
// error will quote it, lines go to the log at debug level only: one fault makes one line.
//
// Threads: any.

#ifndef SLUICE_DATAPATH_IO_EAL_LOG_H_
#define SLUICE_DATAPATH_IO_EAL_LOG_H_

#include <string>

namespace sluice::io {

// Has DPDK write to our log from now on. Before rte_eal_init; more calls do nothing.
void CaptureEalLog();

// While one of these lives, an error is going to quote what DPDK complains about.
class QuotesEalLog {
 public:
  QuotesEalLog();
  ~QuotesEalLog();
  QuotesEalLog(const QuotesEalLog&) = delete;
  QuotesEalLog& operator=(const QuotesEalLog&) = delete;
};

// The last line that DPDK wrote since the last call, in brackets behind a blank, for the end of an error text; empty if
// there was none.
std::string TakeEalComplaint();

}  // namespace sluice::io

#endif  // SLUICE_DATAPATH_IO_EAL_LOG_H_
