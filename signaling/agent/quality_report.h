// The quality of a call's media as collectors of HEPv3 take it: one report a stream and direction, in the JSON that
// Homer knows for RTCP.
//
// Each is a sender report (type 200) about what one party sent, as it came to the relay: one report block, and `mos`
// where the direction was rated. `ia_jitter` is in units of 8 kHz, whatever clock the codec has.
//
// Threads: any; a function of its argument.
#ifndef SLUICE_SIGNALING_AGENT_QUALITY_REPORT_H_
#define SLUICE_SIGNALING_AGENT_QUALITY_REPORT_H_

#include <string>
#include <vector>

#include "signaling/agent/call_book.h"
#include "signaling/sip/hop.h"

namespace sluice::agent {

struct QualityReport {
  // Where the party sent from, and where the relay received it.
  sip::Endpoint source;
  sip::Endpoint destination;
  std::string json;
};

// Of a call whose relay has answered; without its answer, and of directions in which nothing came, there are none.
std::vector<QualityReport> MakeQualityReports(const BookedCall& call);

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_QUALITY_REPORT_H_
