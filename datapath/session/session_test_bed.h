// A model over a real flow table with a clock that tests move, and specs to write: what the session tests share.

#ifndef SLUICE_DATAPATH_SESSION_SESSION_TEST_BED_H_
#define SLUICE_DATAPATH_SESSION_SESSION_TEST_BED_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "datapath/flow/flow_table.h"
#include "datapath/flow/memory.h"
#include "datapath/flow/next_hop_resolver_fake.h"
#include "datapath/rtp/rtp_header.h"
#include "datapath/session/session_model.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::session {

inline packet::IpAddress Address(std::string_view text) { return *packet::IpAddress::Parse(text); }
inline packet::Endpoint At(std::string_view text) { return *packet::Endpoint::Parse(text); }

inline const Writer kWriter = {"controller-1/0", 7};

// One stream of PCMU between A at 198.18.1.2 and B at 198.18.2.2, both signalled.
inline SessionSpec TestSpec(std::string id = "call-1") {
  SessionSpec spec;
  spec.session_id = std::move(id);
  StreamSpec& stream = spec.streams.emplace_back();
  stream.legs[0].network = "access";
  stream.legs[0].remote = At("198.18.1.2:21000");
  stream.legs[1].network = "core";
  stream.legs[1].remote = At("198.18.2.2:22000");
  for (LegSpec& leg : stream.legs) leg.payload_types = {{0, 8000, "PCMU"}, {101, 8000, "telephone-event"}};
  return spec;
}

class SessionTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kTicksPerSecond = 1'000'000'000;

  SessionTest() {
    options_.networks = {{"access", "eth1", {Address("198.18.1.1"), Address("2001:db8:1::1")}},
                         {"core", "eth2", {Address("198.18.2.1")}}};
    options_.instance_id = "run1";
    flow_options_.max_flows = 1024;
    flow_options_.ticks_per_second = kTicksPerSecond;
  }

  void Start() {
    table_ = *flow::FlowTable::Create(flow_options_, flow::PageMemory(false));
    absl::StatusOr<std::unique_ptr<SessionModel>> model = SessionModel::Create(options_, *table_, next_hops_, now_);
    ASSERT_TRUE(model.ok()) << model.status();
    model_ = *std::move(model);
  }
  void SetUp() override { Start(); }

  void Pass(absl::Duration time) {
    now_.time += time;
    now_.ticks += static_cast<uint64_t>(absl::ToInt64Nanoseconds(time));
    model_->Advance(now_);
  }

  absl::StatusOr<SessionState> Create(const SessionSpec& spec) { return model_->CreateSession(kWriter, spec, now_); }
  absl::StatusOr<SessionState> Update(const SessionSpec& spec, bool allow_missing = false) {
    return model_->UpdateSession(kWriter, spec, allow_missing, now_);
  }
  absl::StatusOr<SessionState> Delete(const std::string& id) { return model_->DeleteSession(kWriter, id, now_); }
  SessionState Get(const std::string& id = "call-1") { return *model_->GetSession(id, now_); }

  // What is published at a local endpoint of IPv4; null if nothing.
  const flow::FlowEntry4* EntryAt(const packet::Endpoint& local) {
    const flow::FlowReference reference = table_->Find(local);
    return reference.is_set() ? &table_->entry4(reference.entry) : nullptr;
  }
  flow::FlowState& StateAt(const packet::Endpoint& local) { return table_->state(table_->Find(local).state); }
  flow::FlowDetail& DetailAt(const packet::Endpoint& local) { return table_->detail(table_->Find(local).state); }

  static packet::Endpoint DestinationOf(const flow::FlowEntry4& entry) {
    return {packet::IpAddress::V4(entry.rewrite.destination), entry.rewrite.destination_port.ToHost()};
  }

  // As a worker that takes `source` at `local` would do.
  void Lock(const packet::Endpoint& local, const packet::Endpoint& source) {
    const flow::FlowReference reference = table_->Find(local);
    const uint8_t generation = table_->common(reference.entry).generation;
    rtp::StreamIdentity& identity = table_->state(reference.state).identity;
    identity.address_high.Store(source.address.raw_high());
    identity.address_low.Store(source.address.raw_low());
    identity.lock.store(rtp::StreamIdentity::LockWord(source.port, generation, rtp::LockState::kLocked));
    Report(flow::FlowEventKind::kSourceLocked, local, source);
  }
  void Report(flow::FlowEventKind kind, const packet::Endpoint& local, const packet::Endpoint& source = {}) {
    const flow::FlowReference reference = table_->Find(local);
    flow::FlowEvent event;
    event.kind = kind;
    event.state = reference.state;
    event.generation = table_->common(reference.entry).generation;
    event.ticks = now_.ticks;
    event.source = source;
    model_->OnFlowEvent(event, now_);
  }
  // `count` packets of type 0 arrive at `local` now.
  void Receive(const packet::Endpoint& local, int count = 1, uint32_t bytes = 172) {
    const flow::FlowReference reference = table_->Find(local);
    flow::FlowState& state = table_->state(reference.state);
    flow::FlowDetail& detail = table_->detail(reference.state);
    const rtp::PayloadMap& map = table_->payload_map(table_->common(reference.entry).payload_map);
    for (int i = 0; i < count; ++i) {
      rtp::RtpHeader header;
      header.payload_type = 0;
      header.sequence = sequence_++;
      header.ssrc = 1;
      rtp::ReceiveStatistics::OnPacket(state.identity, state.receive, detail.receive, map, header, bytes, now_.ticks);
    }
  }

  // "kind session/stream/leg", since the last call.
  std::vector<std::string> TakeEvents();

  SessionModelOptions options_;
  flow::FlowTableOptions flow_options_;
  Moment now_ = {absl::FromUnixSeconds(1'800'000'000), 1'000'000 * kTicksPerSecond};
  flow::NextHopResolverFake next_hops_;
  std::unique_ptr<flow::FlowTable> table_;
  std::unique_ptr<SessionModel> model_;
  uint64_t seen_ = 0;
  uint16_t sequence_ = 100;
};

inline std::vector<std::string> SessionTest::TakeEvents() {
  static constexpr const char* kNames[] = {"",        "first packet", "locked", "refused", "no first packet",
                                           "one way", "silence",      "dtmf",   "drained", "created",
                                           "deleted"};
  EventLog::Page page = model_->events().Read(seen_, 1000);
  seen_ = page.last;
  std::vector<std::string> names;
  for (const Event& event : page.events) {
    std::string name = kNames[static_cast<size_t>(event.kind)];
    if (!event.session_id.empty()) name += " " + event.session_id;
    if (event.kind < EventKind::kDrained) {
      name += "/" + std::to_string(event.stream_id) + "/" + std::to_string(event.leg);
    }
    names.push_back(name);
  }
  return names;
}

}  // namespace sluice::session

#endif  // SLUICE_DATAPATH_SESSION_SESSION_TEST_BED_H_
