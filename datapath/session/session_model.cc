#include "datapath/session/session_model.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "datapath/session/leg_statistics.h"
#include "spdlog/spdlog.h"

namespace sluice::session {
namespace {

std::vector<packet::IpAddress> OwnAddresses(const SessionModelOptions& options) {
  std::vector<packet::IpAddress> own = options.control_addresses;
  for (const NetworkOptions& network : options.networks) {
    own.insert(own.end(), network.addresses.begin(), network.addresses.end());
  }
  return own;
}

uint32_t ToMilliseconds(const std::optional<absl::Duration>& timeout) {
  return timeout ? static_cast<uint32_t>(absl::ToInt64Milliseconds(*timeout)) : kDefaultTimeout;
}

// Who may be anybody is worth a line: it is the one policy under which strangers' packets get through.
void LogOpenLegs(const Session& session) {
  for (const Stream& stream : session.streams) {
    for (size_t leg = 0; leg < stream.legs.size(); ++leg) {
      if (stream.legs[leg].source_mode != rtp::SourceMode::kAny) continue;
      spdlog::info("session {}: stream {} takes the media of {} from anybody (SOURCE_POLICY_MODE_ANY)",
                   session.session_id, stream.stream_id, leg == 0 ? "A" : "B");
    }
  }
}

Timeouts ToTimeouts(const TimeoutSpec& spec) {
  return {ToMilliseconds(spec.first_packet), ToMilliseconds(spec.one_way), ToMilliseconds(spec.silence)};
}

}  // namespace

absl::StatusOr<std::unique_ptr<SessionModel>> SessionModel::Create(const SessionModelOptions& options,
                                                                   flow::FlowTable& table,
                                                                   flow::NextHopResolver& next_hops,
                                                                   const Moment& now) {
  absl::StatusOr<std::unique_ptr<MediaNetworks>> networks =
      MediaNetworks::Create(options.networks, options.port_quarantine, table);
  if (!networks.ok()) return networks.status();
  return std::unique_ptr<SessionModel>(new SessionModel(options, table, next_hops, *std::move(networks), now));
}

SessionModel::SessionModel(const SessionModelOptions& options, flow::FlowTable& table, flow::NextHopResolver& next_hops,
                           std::unique_ptr<MediaNetworks> networks, const Moment& now)
    : table_(table),
      networks_(std::move(networks)),
      destinations_(OwnAddresses(options), options.allow_loopback),
      builder_(table, *networks_, codecs_, prefixes_, destinations_),
      compiler_(table, next_hops, *networks_, codecs_, prefixes_, destinations_),
      // A stream has two flows at least.
      capacity_(std::max<uint64_t>(table.options().max_flows / 2, 1)),
      timers_(now.time),
      events_(options.instance_id, options.kept_events) {
  Configure(options.settings);
}

SessionModel::~SessionModel() {
  for (auto& [id, session] : sessions_) {
    timers_.Disarm(*session);
    for (Stream& stream : session->streams) {
      compiler_.Unpublish(stream, nullptr);
      compiler_.ReleaseNextHops(stream);
    }
  }
}

Session* SessionModel::FindSession(const std::string& session_id) const {
  const auto found = sessions_.find(session_id);
  return found == sessions_.end() ? nullptr : found->second.get();
}

absl::StatusOr<SessionState> SessionModel::CreateSession(const Writer& writer, const SessionSpec& spec,
                                                         const Moment& now) {
  const absl::StatusOr<WriterEpochs::ShardIndex> shard = writers_.Admit(writer);
  if (!shard.ok()) return shard.status();
  if (absl::Status status = Check(spec); !status.ok()) return status;
  if (const Session* session = FindSession(spec.session_id); session != nullptr) {
    if (Matches(spec, *session)) return StateOf(*session, false, now);
    return absl::AlreadyExistsError(
        absl::StrCat("session_id: ", spec.session_id, " exists with another content; update it"));
  }
  absl::StatusOr<Session*> session = MakeSession(*shard, spec, now);
  if (!session.ok()) return session.status();
  return StateOf(**session, false, now);
}

absl::StatusOr<SessionState> SessionModel::UpdateSession(const Writer& writer, const SessionSpec& spec,
                                                         bool allow_missing, const Moment& now) {
  const absl::StatusOr<WriterEpochs::ShardIndex> shard = writers_.Admit(writer);
  if (!shard.ok()) return shard.status();
  if (absl::Status status = Check(spec); !status.ok()) return status;
  Session* session = FindSession(spec.session_id);
  if (session == nullptr) {
    if (!allow_missing) return absl::NotFoundError(absl::StrCat("session_id: there is no session ", spec.session_id));
    absl::StatusOr<Session*> made = MakeSession(*shard, spec, now);
    if (!made.ok()) return made.status();
    return StateOf(**made, false, now);
  }
  if (absl::Status status = Change(*session, *shard, spec, now); !status.ok()) return status;
  return StateOf(*session, false, now);
}

absl::StatusOr<SessionState> SessionModel::DeleteSession(const Writer& writer, const std::string& session_id,
                                                         const Moment& now) {
  const absl::StatusOr<WriterEpochs::ShardIndex> shard = writers_.Admit(writer);
  if (!shard.ok()) return shard.status();
  if (absl::Status status = CheckSessionId(session_id); !status.ok()) return status;
  Session* session = FindSession(session_id);
  if (session == nullptr) {
    tombstones_.Add(session_id, now.time);
    return SessionState();
  }
  return End(*session, absl::StrCat("deleted by ", writer.shard), now);
}

absl::StatusOr<Session*> SessionModel::MakeSession(WriterEpochs::ShardIndex shard, const SessionSpec& spec,
                                                   const Moment& now) {
  if (draining_) return absl::ResourceExhaustedError("the relay drains and takes no new sessions");
  if (tombstones_.Contains(spec.session_id, now.time)) {
    return absl::FailedPreconditionError(absl::StrCat("session_id: ", spec.session_id, " ended less than ",
                                                      absl::FormatDuration(Tombstones::kAge),
                                                      " ago and cannot begin again"));
  }
  if (sessions_.size() >= capacity_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the relay holds all ", capacity_, " sessions that it can (datapath.max_flows / 2)"));
  }
  auto session = std::make_unique<Session>();
  session->session_id = spec.session_id;
  session->label = spec.label;
  session->timeouts = ToTimeouts(spec.timeouts);
  session->create_time = session->update_time = absl::ToUnixNanos(now.time);
  session->shard = shard;
  if (absl::Status status = ReplaceStreams(*session, spec, now); !status.ok()) return status;
  Session* made = session.get();
  sessions_.emplace(made->session_id, std::move(session));
  ++created_;
  Tell(EventKind::kSessionCreated, made, now, "");
  return made;
}

absl::Status SessionModel::Change(Session& session, WriterEpochs::ShardIndex shard, const SessionSpec& spec,
                                  const Moment& now) {
  if (!Matches(spec, session)) {
    if (absl::Status status = ReplaceStreams(session, spec, now); !status.ok()) return status;
    session.label = spec.label;
    session.update_time = absl::ToUnixNanos(now.time);
  }
  session.shard = shard;
  return absl::OkStatus();
}

bool SessionModel::Matches(const SessionSpec& spec, const Session& session) const {
  if (spec.label != session.label || ToTimeouts(spec.timeouts) != session.timeouts) return false;
  return std::equal(spec.streams.begin(), spec.streams.end(), session.streams.begin(), session.streams.end(),
                    [&](const StreamSpec& a, const Stream& b) { return builder_.Matches(a, b); });
}

absl::Status SessionModel::ReplaceStreams(Session& session, const SessionSpec& spec, const Moment& now) {
  std::vector<Stream> next;
  next.reserve(spec.streams.size());
  std::vector<Stream*> before;  // Of each next stream: what it replaces, or null.
  before.reserve(spec.streams.size());
  absl::Status status;
  for (size_t i = 0; i < spec.streams.size() && status.ok(); ++i) {
    const auto old = std::find_if(session.streams.begin(), session.streams.end(),
                                  [&](const Stream& stream) { return stream.stream_id == spec.streams[i].stream_id; });
    Stream* replaced = old == session.streams.end() ? nullptr : &*old;
    absl::StatusOr<Stream> stream =
        builder_.Build(absl::StrCat("streams[", i, "]"), spec.streams[i], replaced, now.time);
    if (!stream.ok()) {
      status = stream.status();
      break;
    }
    next.push_back(*stream);
    before.push_back(replaced);
  }
  size_t published = 0;
  for (; published < next.size() && status.ok(); ++published) status = compiler_.Publish(next[published]);

  if (!status.ok()) {
    for (size_t i = 0; i < next.size(); ++i) {
      if (i < published) {
        compiler_.Unpublish(next[i], before[i]);
        // The old flows take the places of the new ones again.
        if (before[i] != nullptr) compiler_.Publish(*before[i]).IgnoreError();
      }
      compiler_.ReleaseNextHops(next[i]);
      builder_.Release(next[i], before[i], now.time);
    }
    return status;
  }
  for (Stream& old : session.streams) {
    Disown(old);
    const auto place = std::find(before.begin(), before.end(), &old);
    const Stream* kept = place == before.end() ? nullptr : &next[static_cast<size_t>(place - before.begin())];
    compiler_.Unpublish(old, kept);
    compiler_.ReleaseNextHops(old);
    builder_.Release(old, kept, now.time);
  }
  session.streams = std::move(next);
  LogOpenLegs(session);
  session.timeouts = ToTimeouts(spec.timeouts);
  Own(session);
  const absl::Time first = FirstWatch(session, TimeoutsOf(session), now.time);
  if (first == absl::InfiniteFuture()) {
    timers_.Disarm(session);
  } else {
    timers_.Arm(session, first);
  }
  return absl::OkStatus();
}

SessionState SessionModel::End(Session& session, const std::string& why, const Moment& now) {
  SessionState final_state = StateOf(session, false, now);
  timers_.Disarm(session);
  for (Stream& stream : session.streams) {
    Disown(stream);
    compiler_.Unpublish(stream, nullptr);
    compiler_.ReleaseNextHops(stream);
    builder_.Release(stream, nullptr, now.time);
  }
  tombstones_.Add(session.session_id, now.time);
  Tell(EventKind::kSessionDeleted, &session, now, why);
  ++deleted_;
  // Not by the key: it is a part of what is erased.
  sessions_.erase(sessions_.find(session.session_id));
  if (draining_ && sessions_.empty() && !drained_told_) {
    drained_told_ = true;
    Tell(EventKind::kDrained, nullptr, now, "the last session has ended");
  }
  return final_state;
}

absl::StatusOr<SessionState> SessionModel::GetSession(const std::string& session_id, const Moment& now) const {
  if (absl::Status status = CheckSessionId(session_id); !status.ok()) return status;
  const Session* session = FindSession(session_id);
  if (session == nullptr) return absl::NotFoundError(absl::StrCat("session_id: there is no session ", session_id));
  return StateOf(*session, false, now);
}

SessionModel::Page SessionModel::ListSessions(const std::string& after, size_t limit, bool identity_only,
                                              const Moment& now) const {
  Page page;
  auto place = sessions_.upper_bound(after);
  for (; place != sessions_.end() && page.sessions.size() < limit; ++place) {
    page.sessions.push_back(StateOf(*place->second, identity_only, now));
  }
  if (place != sessions_.end() && !page.sessions.empty()) page.next = page.sessions.back().session_id;
  return page;
}

std::vector<SessionModel::FlowState> SessionModel::FlowsOf(const std::string& session_id) const {
  std::vector<FlowState> flows;
  const Session* session = FindSession(session_id);
  if (session == nullptr) return flows;
  for (const Stream& stream : session->streams) {
    for (uint8_t leg = 0; leg < 2; ++leg) {
      for (const flow::StateIndex state : {stream.legs[leg].state, stream.legs[leg].rtcp_state}) {
        if (state != flow::kNoState) flows.push_back({state, leg});
      }
    }
  }
  return flows;
}

absl::Status SessionModel::SetCapture(const std::string& session_id, bool capture) {
  Session* session = FindSession(session_id);
  if (session == nullptr) return absl::NotFoundError(absl::StrCat("session_id: there is no session ", session_id));
  for (Stream& stream : session->streams) {
    stream.capture = capture;
    if (absl::Status status = compiler_.Publish(stream); !status.ok()) return status;
  }
  return absl::OkStatus();
}

void SessionModel::Configure(const SessionSettings& settings) {
  settings_ = settings;
  destinations_.SetForbidden(settings.forbidden_destinations);
}

void SessionModel::SetDraining(bool draining, const Moment& now) {
  if (draining_ == draining) return;
  draining_ = draining;
  drained_told_ = draining && sessions_.empty();
  if (drained_told_) Tell(EventKind::kDrained, nullptr, now, "no session was there");
}

void SessionModel::Own(Session& session) {
  const auto own = [&](flow::StateIndex state, const FlowOwner& owner) {
    if (state == flow::kNoState) return;
    if (owners_.size() <= state) owners_.resize(state + 1);
    owners_[state] = owner;
  };
  for (size_t i = 0; i < session.streams.size(); ++i) {
    for (uint8_t leg = 0; leg < 2; ++leg) {
      own(session.streams[i].legs[leg].state, {&session, static_cast<uint8_t>(i), leg, false});
      own(session.streams[i].legs[leg].rtcp_state, {&session, static_cast<uint8_t>(i), leg, true});
    }
  }
}

void SessionModel::Disown(const Stream& stream) {
  for (const Leg& leg : stream.legs) {
    for (const flow::StateIndex state : {leg.state, leg.rtcp_state}) {
      if (state != flow::kNoState && state < owners_.size()) owners_[state] = {};
    }
  }
}

SessionModel::FlowName SessionModel::NameOf(flow::StateIndex state) const {
  if (state >= owners_.size() || owners_[state].session == nullptr) return {};
  const FlowOwner& owner = owners_[state];
  return {owner.session->session_id, owner.session->streams[owner.stream].stream_id, owner.leg};
}

MediaTimeouts SessionModel::TimeoutsOf(const Session& session) const {
  const auto choose = [](uint32_t milliseconds, absl::Duration fallback) {
    return milliseconds == kDefaultTimeout ? fallback : absl::Milliseconds(milliseconds);
  };
  return {choose(session.timeouts.first_packet, settings_.timeouts.first_packet),
          choose(session.timeouts.one_way, settings_.timeouts.one_way),
          choose(session.timeouts.silence, settings_.timeouts.silence)};
}

SessionModel::Statistics SessionModel::statistics() const {
  return {sessions_.size(), capacity_, created_, deleted_, writers_.stale()};
}

SessionState SessionModel::StateOf(const Session& session, bool identity_only, const Moment& now) const {
  SessionState state;
  state.session_id = session.session_id;
  state.label = session.label;
  state.shard = writers_.Name(session.shard);
  state.create_time = absl::FromUnixNanos(session.create_time);
  state.update_time = absl::FromUnixNanos(session.update_time);
  if (identity_only) return state;
  state.streams.reserve(session.streams.size());
  for (const Stream& stream : session.streams) {
    StreamState& stream_state = state.streams.emplace_back();
    stream_state.stream_id = stream.stream_id;
    for (size_t leg = 0; leg < 2; ++leg) stream_state.legs[leg] = LegStateOf(stream, leg, now);
    for (size_t leg = 0; leg < 2; ++leg) {
      const LegStatistics& opposite = stream_state.legs[1 - leg].received;
      stream_state.legs[leg].sent_packets = opposite.forwarded_packets;
      stream_state.legs[leg].sent_bytes = opposite.forwarded_bytes;
    }
  }
  return state;
}

LegState SessionModel::LegStateOf(const Stream& stream, size_t index, const Moment& now) const {
  const Leg& leg = stream.legs[index];
  LegState state;
  state.local = networks_->Local(leg.local);
  state.advertised = networks_->Advertised(leg.local);
  if (stream.kind == MediaKind::kRtp) {
    const uint16_t step = leg.has_rtcp_flow() ? 1 : 0;
    state.local_rtcp = {state.local.address, static_cast<uint16_t>(state.local.port + step)};
    state.advertised_rtcp = {state.advertised.address, static_cast<uint16_t>(state.advertised.port + step)};
  }
  state.learned = compiler_.LearnedSource(leg);
  state.source_lock = ReadSourceLock(table_, leg);
  state.received = ReadStatistics(table_, leg, stream.kind, codecs_[leg.codecs], now);
  return state;
}

}  // namespace sluice::session
