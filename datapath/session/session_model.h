// All sessions of a relay: what its writers want, compiled into flows, watched, and told about.
//
// How it works. A write is desired state under a name of the writer's choosing, so it can be repeated: it is compared
// with what is there, a difference is built beside it (stream_builder.h), published (flow_compiler.h), and only then
// takes the old one's place. What workers learn comes in as flow events; the model publishes the opposite flows with
// the learned destination and tells the readers of the event log. Timeouts are looked at by a timer wheel, each session
// about as often as its shortest timeout (media_watch.h). Nothing here ends a session but a delete, and silence where
// the operator wants that: never a controller that went away.
//
// Errors of writes: INVALID_ARGUMENT (names the field and what is allowed), NOT_FOUND, ALREADY_EXISTS (a create with
// another content than the session has), RESOURCE_EXHAUSTED (ports, flows, sessions, draining), FAILED_PRECONDITION
// (stale epoch, tombstone). A write that fails changes nothing. One exception: if the flow table is so full that after
// a failed update even the old flows cannot be put back, those that are missing stay as the update wanted them.
//
// Threads: one control thread owns the model and everything it is made of; others post to it (service/control_loop.h).
// The event log is the exception: any thread reads it. Time and ticks are passed in.

#ifndef SLUICE_DATAPATH_SESSION_SESSION_MODEL_H_
#define SLUICE_DATAPATH_SESSION_SESSION_MODEL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "datapath/flow/event_ring.h"
#include "datapath/flow/flow_table.h"
#include "datapath/flow/next_hop_resolver.h"
#include "datapath/session/destination_policy.h"
#include "datapath/session/event_log.h"
#include "datapath/session/flow_compiler.h"
#include "datapath/session/media_networks.h"
#include "datapath/session/media_watch.h"
#include "datapath/session/moment.h"
#include "datapath/session/session.h"
#include "datapath/session/session_spec.h"
#include "datapath/session/session_state.h"
#include "datapath/session/stream_builder.h"
#include "datapath/session/timer_wheel.h"
#include "datapath/session/tombstones.h"
#include "datapath/session/writer_epochs.h"

namespace sluice::session {

// What may change while the relay runs.
struct SessionSettings {
  MediaTimeouts timeouts = {absl::Seconds(60), absl::Seconds(60), absl::Seconds(60)};
  // Ends a session on silence of all its media instead of only telling.
  bool end_on_silence = false;
  std::vector<packet::IpPrefix> forbidden_destinations;
};

struct SessionModelOptions {
  std::vector<NetworkOptions> networks;
  absl::Duration port_quarantine = absl::Seconds(2);
  // Addresses of the relay beside the networks': of its control services.
  std::vector<packet::IpAddress> control_addresses;
  bool allow_loopback = false;
  SessionSettings settings;
  // Names this run of the relay in resume tokens; without a dot.
  std::string instance_id;
  size_t kept_events = 16384;
};

class SessionModel {
 public:
  // `table` and `next_hops` outlive the model. Errors are those of MediaNetworks.
  static absl::StatusOr<std::unique_ptr<SessionModel>> Create(const SessionModelOptions& options,
                                                              flow::FlowTable& table, flow::NextHopResolver& next_hops,
                                                              const Moment& now);
  // Unpublishes all flows.
  ~SessionModel();

  // Writes. The answers are what the session is afterwards.

  absl::StatusOr<SessionState> CreateSession(const Writer& writer, const SessionSpec& spec, const Moment& now);
  // `allow_missing`: makes the session when it is unknown.
  absl::StatusOr<SessionState> UpdateSession(const Writer& writer, const SessionSpec& spec, bool allow_missing,
                                             const Moment& now);
  // The final statistics; NOT_FOUND never: an unknown session answers a state without id.
  absl::StatusOr<SessionState> DeleteSession(const Writer& writer, const std::string& session_id, const Moment& now);

  // Reads.

  absl::StatusOr<SessionState> GetSession(const std::string& session_id, const Moment& now) const;
  struct Page {
    std::vector<SessionState> sessions;
    std::string next;  // Session id to go on after; empty: the last page.
  };
  // Sessions with ids greater than `after`, in their order.
  Page ListSessions(const std::string& after, size_t limit, bool identity_only, const Moment& now) const;

  // Whose flow a state index is, for people who ask about a packet.
  struct FlowName {
    std::string session_id;  // Empty: nobody's.
    uint8_t stream_id = 0;
    uint8_t leg = 0;
  };
  FlowName NameOf(flow::StateIndex state) const;

  // The flows of a session; none if there is no such session.
  struct FlowState {
    flow::StateIndex state = flow::kNoState;
    uint8_t leg = 0;
  };
  std::vector<FlowState> FlowsOf(const std::string& session_id) const;

  // Copies of the session's packets go to the capture writer or do not any more. NOT_FOUND.
  absl::Status SetCapture(const std::string& session_id, bool capture);

  // What goes on by itself.

  // Takes what a worker told. To be called for all events of all rings before FlowTable::Collect.
  void OnFlowEvent(const flow::FlowEvent& event, const Moment& now);
  // Looks at the timeouts that are due, and wakes the readers of the event log. A few times a second at least.
  void Advance(const Moment& now);

  // Takes no new sessions; kDrained is told when the last one has ended.
  void SetDraining(bool draining, const Moment& now);
  bool draining() const { return draining_; }
  void Configure(const SessionSettings& settings);

  struct Statistics {
    uint64_t sessions = 0;
    uint64_t capacity = 0;
    uint64_t created = 0;
    uint64_t deleted = 0;
    uint64_t stale_writes = 0;
  };
  Statistics statistics() const;
  MediaNetworks& networks() { return *networks_; }
  EventLog& events() { return events_; }

 private:
  SessionModel(const SessionModelOptions& options, flow::FlowTable& table, flow::NextHopResolver& next_hops,
               std::unique_ptr<MediaNetworks> networks, const Moment& now);

  Session* FindSession(const std::string& session_id) const;
  absl::StatusOr<Session*> MakeSession(WriterEpochs::ShardIndex shard, const SessionSpec& spec, const Moment& now);
  absl::Status Change(Session& session, WriterEpochs::ShardIndex shard, const SessionSpec& spec, const Moment& now);
  // Whether writing `spec` would change nothing.
  bool Matches(const SessionSpec& spec, const Session& session) const;
  // Puts the streams of `spec` in the place of the session's.
  absl::Status ReplaceStreams(Session& session, const SessionSpec& spec, const Moment& now);
  // Ends a session: flows, ports, timer. Answers its final statistics.
  SessionState End(Session& session, const std::string& why, const Moment& now);

  void Own(Session& session);
  void Disown(const Stream& stream);
  SessionState StateOf(const Session& session, bool identity_only, const Moment& now) const;
  LegState LegStateOf(const Stream& stream, size_t leg, const Moment& now) const;
  MediaTimeouts TimeoutsOf(const Session& session) const;
  void Watch(Session& session, const Moment& now);
  void Tell(EventKind kind, const Session* session, const Moment& now, std::string text);

  flow::FlowTable& table_;
  std::unique_ptr<MediaNetworks> networks_;
  CodecSets codecs_;
  PrefixLists prefixes_;
  DestinationPolicy destinations_;
  StreamBuilder builder_;
  FlowCompiler compiler_;
  SessionSettings settings_;
  const uint64_t capacity_;

  // By Session::session_id.
  absl::btree_map<absl::string_view, std::unique_ptr<Session>> sessions_;
  // By state index.
  std::vector<FlowOwner> owners_;
  WriterEpochs writers_;
  Tombstones tombstones_;
  TimerWheel timers_;
  EventLog events_;
  bool draining_ = false;
  bool drained_told_ = false;
  uint64_t created_ = 0;
  uint64_t deleted_ = 0;
};

}  // namespace sluice::session

#endif  // SLUICE_DATAPATH_SESSION_SESSION_MODEL_H_
