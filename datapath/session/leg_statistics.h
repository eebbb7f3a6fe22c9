// Reads what the workers counted of a leg, and rates it.
//
// Loss and jitter are those of the way from the peer to the relay (RFC 3550 at its ingress); the relay sees no further.
// Speech is rated by the E-model (ITU-T G.107, listening quality) with the constants of the codec that most packets
// had. What is not speech (a clock of 90 kHz, datagrams), and less than a second of it, is not rated.
//
// Threads: the control thread, while workers go on counting: each number is whole, the set may be a packet apart.

#ifndef SLUICE_DATAPATH_SESSION_LEG_STATISTICS_H_
#define SLUICE_DATAPATH_SESSION_LEG_STATISTICS_H_

#include "datapath/flow/flow_table.h"
#include "datapath/session/moment.h"
#include "datapath/session/session.h"
#include "datapath/session/session_state.h"

namespace sluice::session {

// `codecs` is the leg's.
LegStatistics ReadStatistics(const flow::FlowTable& table, const Leg& leg, MediaKind kind, const CodecSet& codecs,
                             const Moment& now);

// Whether the leg's peer has been taken as a source.
SourceLock ReadSourceLock(const flow::FlowTable& table, const Leg& leg);

}  // namespace sluice::session

#endif  // SLUICE_DATAPATH_SESSION_LEG_STATISTICS_H_
