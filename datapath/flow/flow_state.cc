#include "datapath/flow/flow_state.h"

namespace sluice::flow {

void Reset(FlowState& state, FlowDetail& detail) {
  state.identity.Reset();
  rtp::ReceiveStatistics::Reset(state.receive, detail.receive);
  rtp::RtcpRoundTrip::Reset(detail.rtcp);
  rtp::SourcePolicy::Reset(detail.probation);
  detail.policer.Reset();
  detail.dtmf.Reset();
  for (auto& counter : detail.drops) counter.Reset();
}

}  // namespace sluice::flow
