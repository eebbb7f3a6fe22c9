// Turns a stream into flows: one for each port at which one of its legs receives.
//
// How it works. What arrives at a leg's port leaves by the other leg's port towards the other leg's peer.
// - RTP and RTCP are flows of their own where a leg has two ports, one flow where it has one (mux). Between a leg with
//   and a leg without mux, RTCP changes ports: the muxed flow has an `rtcp_target`.
// - A peer's address is that of its locked source, else the signalled one. Under SourceMode::kPrefix a signalled
//   address outside the prefixes is not used: nothing is sent where no SIP message came from. RTCP goes to where RTCP
//   came from; before that to the signalled port, but only while RTP comes from the signalled endpoint, since behind a
//   NAT the next port is a stranger's.
// - A source that was taken and to which media may not be sent (destination_policy.h) is no destination.
// - On hold RTP of the peer that may not send is dropped; RTCP goes on (RFC 3264 5.1).
//
// Publishing a stream again replaces its flows; states, and with them locks and counters, stay.
//
// Threads: the control thread.

#ifndef SLUICE_DATAPATH_SESSION_FLOW_COMPILER_H_
#define SLUICE_DATAPATH_SESSION_FLOW_COMPILER_H_

#include "absl/status/status.h"
#include "datapath/flow/flow_entry.h"
#include "datapath/flow/flow_table.h"
#include "datapath/flow/next_hop_resolver.h"
#include "datapath/session/destination_policy.h"
#include "datapath/session/media_networks.h"
#include "datapath/session/session.h"

namespace sluice::session {

class FlowCompiler {
 public:
  // All outlive the compiler.
  FlowCompiler(flow::FlowTable& table, flow::NextHopResolver& next_hops, const MediaNetworks& networks,
               const CodecSets& codecs, const PrefixLists& prefixes, const DestinationPolicy& destinations)
      : table_(table),
        next_hops_(next_hops),
        networks_(networks),
        codecs_(codecs),
        prefixes_(prefixes),
        destinations_(destinations) {}

  // Publishes all flows of `stream`, and resolves the next hops to its peers afresh. RESOURCE_EXHAUSTED if a pool is
  // empty; some flows may have been published then.
  absl::Status Publish(Stream& stream);

  // Removes the flows of `stream` but those at ports that `kept` receives at; null: keeps none.
  void Unpublish(const Stream& stream, const Stream* kept);

  // Gives the next hops of `stream` back.
  void ReleaseNextHops(Stream& stream);

  // The source that this leg's RTP is locked to; not set if none.
  packet::Endpoint LearnedSource(const Leg& leg) const;

 private:
  // Where this leg's peer gets RTP and RTCP; not set: not known.
  packet::Endpoint Destination(const Leg& leg) const;
  packet::Endpoint RtcpDestination(const Leg& leg) const;
  packet::Endpoint Local(const Leg& leg) const { return networks_.Local(leg.local); }
  packet::Endpoint LocalRtcp(const Leg& leg) const;

  absl::Status ResolveNextHops(Leg& leg);
  flow::FlowSpec CommonSpec(const Stream& stream, const Leg& from, const Leg& to) const;
  absl::Status PublishRtp(const Stream& stream, const Leg& from, const Leg& to);
  absl::Status PublishRtcp(const Stream& stream, const Leg& from, const Leg& to);

  flow::FlowTable& table_;
  flow::NextHopResolver& next_hops_;
  const MediaNetworks& networks_;
  const CodecSets& codecs_;
  const PrefixLists& prefixes_;
  const DestinationPolicy& destinations_;
};

}  // namespace sluice::session

#endif  // SLUICE_DATAPATH_SESSION_FLOW_COMPILER_H_
