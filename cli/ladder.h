// The SIP messages of a call as arrows between its two sides and the controller.
//
//            A 198.18.1.2:45426                         controller                         B 198.18.2.9:43518
//     0.000  INVITE 20002230000 ───────────────────────►
//     0.001  ◄─────── 407 Proxy Authentication Required
//     0.004                                                INVITE 20002230000 ───────────────────────►
//
// Times are seconds since the first message. What was sent again says so.
#ifndef SLUICE_CLI_LADDER_H_
#define SLUICE_CLI_LADDER_H_

#include <ostream>

#include "sluice/controller/v1/controller_service.pb.h"

namespace sluice::cli {

// Nothing for a call without messages.
void PrintLadder(std::ostream& out, const controller::v1::GetCallResponse& call);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_LADDER_H_
