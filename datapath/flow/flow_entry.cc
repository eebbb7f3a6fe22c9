#include "datapath/flow/flow_entry.h"

namespace sluice::flow {
namespace {

rtp::SourceRule CommonRule(const FlowCommon& entry, const rtp::PrefixSet* prefixes) {
  rtp::SourceRule rule;
  rule.mode = entry.source_mode;
  rule.generation = entry.generation;
  rule.rtcp_only = entry.Has(kFlowRtcpOnly);
  rule.allow_loopback = entry.Has(kFlowAllowLoopback);
  rule.signalled.port = entry.signalled_port;
  rule.prefixes = prefixes;
  return rule;
}

}  // namespace

rtp::SourceRule SourceRuleOf(const FlowEntry4& entry, const rtp::PrefixSet* prefixes) {
  rtp::SourceRule rule = CommonRule(entry, prefixes);
  rule.signalled.address = packet::IpAddress::V4(entry.signalled_address);
  rule.rtp_source = packet::IpAddress::V4(entry.rtp_source);
  return rule;
}

rtp::SourceRule SourceRuleOf(const FlowEntryWide& entry, const rtp::PrefixSet* prefixes) {
  rtp::SourceRule rule = CommonRule(entry, prefixes);
  rule.signalled.address = entry.signalled_address;
  rule.rtp_source = entry.rtp_source;
  return rule;
}

}  // namespace sluice::flow
