// What the pipeline would do with a frame, and why.
//
// How it works. The same parse, look-up and decision functions as in the pipeline (decision.h) run over a copy of what
// they would change, so nothing changes and nothing is sent. What they found is then told step by step.
//
// Threads: the control thread, or any other that is online in the table's QSBR.

#ifndef SLUICE_DATAPATH_WORKER_EXPLAIN_H_
#define SLUICE_DATAPATH_WORKER_EXPLAIN_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "datapath/flow/flow_entry.h"
#include "datapath/flow/flow_table.h"
#include "datapath/flow/next_hop_table.h"
#include "datapath/packet/drop_reason.h"
#include "datapath/packet/endpoint.h"

namespace sluice::worker {

struct Explanation {
  // One sentence each, in the order of the pipeline.
  std::vector<std::string> steps;
  // kNone: it would be forwarded.
  packet::DropReason verdict = packet::DropReason::kNone;
  // The flow that it belongs to; kNoState if none.
  flow::StateIndex state = flow::kNoState;
  // Where it would leave from and go to. Not set if it would not be forwarded.
  packet::Endpoint new_source;
  packet::Endpoint new_destination;
};

// `frame` is a whole Ethernet frame of any content. `ticks` is when it would arrive.
Explanation Explain(const flow::FlowTable& flows, const flow::NextHopTable& next_hops, std::span<const uint8_t> frame,
                    uint64_t ticks);

}  // namespace sluice::worker

#endif  // SLUICE_DATAPATH_WORKER_EXPLAIN_H_
