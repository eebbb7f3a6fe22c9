// Makes the stream that a spec asks for, from nothing or from the stream that is there, and takes streams apart.
//
// How it works. A new state of a stream is built beside the old one: what stays (ports and flow states of legs that
// keep their network) is in both, all else is acquired for the new one. Then exactly one of the two is given back with
// what only it has: the old one after the change, the new one if the change failed. So a write is done as a whole or
// not at all.
//
// Source locks. A leg's generation rises when its signalled address, port or policy changes, which opens the lock;
// otherwise lock and counters survive.
//
// Threads: the control thread.

#ifndef SLUICE_DATAPATH_SESSION_STREAM_BUILDER_H_
#define SLUICE_DATAPATH_SESSION_STREAM_BUILDER_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "datapath/flow/flow_table.h"
#include "datapath/session/destination_policy.h"
#include "datapath/session/media_networks.h"
#include "datapath/session/session.h"
#include "datapath/session/session_spec.h"

namespace sluice::session {

class StreamBuilder {
 public:
  // All outlive the builder.
  StreamBuilder(flow::FlowTable& table, MediaNetworks& networks, CodecSets& codecs, PrefixLists& prefixes,
                const DestinationPolicy& destinations)
      : table_(table), networks_(networks), codecs_(codecs), prefixes_(prefixes), destinations_(destinations) {}

  // `old` is null for a new stream. `field` names the stream in errors. INVALID_ARGUMENT for what this relay cannot do,
  // RESOURCE_EXHAUSTED for want of ports or flow states; nothing is taken then.
  absl::StatusOr<Stream> Build(absl::string_view field, const StreamSpec& spec, const Stream* old, absl::Time now);

  // Gives back what `stream` has and `other` (null: nothing) does not. Its flows have been unpublished and its next
  // hops given back.
  void Release(const Stream& stream, const Stream* other, absl::Time now);

  // Whether a stream is what `spec` asks for, so that writing it again changes nothing.
  bool Matches(const StreamSpec& spec, const Stream& stream) const;

 private:
  absl::StatusOr<Leg> BuildLeg(absl::string_view field, const LegSpec& spec, MediaKind kind, const Leg* old,
                               absl::Time now);
  // Ports and states: those of `old` where they stay.
  absl::Status Place(const LegSpec& spec, MediaKind kind, const Leg* old, Leg& leg, absl::Time now);
  void ReleaseLeg(const Leg& leg, const Leg* other, absl::Time now);
  bool Matches(const LegSpec& spec, MediaKind kind, const Leg& leg) const;

  flow::FlowTable& table_;
  MediaNetworks& networks_;
  CodecSets& codecs_;
  PrefixLists& prefixes_;
  const DestinationPolicy& destinations_;
};

}  // namespace sluice::session

#endif  // SLUICE_DATAPATH_SESSION_STREAM_BUILDER_H_
