// The session API as a sequence of requests: any sequence keeps the relay's books right.
//
// Each step takes a few bytes: what to write (create, update, delete, drain, a worker's event, time), to which of a few
// sessions, and how its streams are. After it every session that is there can be read, and at the end, when all are
// deleted, nothing is left: no flow, no state, no next hop, no port.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "datapath/flow/flow_table.h"
#include "datapath/flow/memory.h"
#include "datapath/flow/next_hop_resolver_fake.h"
#include "datapath/session/session_model.h"

namespace sluice::session {
namespace {

constexpr uint32_t kFlows = 64;
constexpr uint32_t kSets = 8;
constexpr int kSessions = 4;

void Require(bool condition) {
  if (!condition) std::abort();
}

class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  bool empty() const { return at_ == size_; }
  uint8_t Byte() { return at_ < size_ ? data_[at_++] : 0; }

 private:
  const uint8_t* data_;
  size_t size_;
  size_t at_ = 0;
};

packet::Endpoint EndpointOf(uint8_t byte) {
  static const char* const kEndpoints[] = {"198.18.1.2:21000", "198.18.2.2:65535",    "127.0.0.1:4000",
                                           "198.18.1.1:4000",  "[2001:db8::2]:21000", "198.18.9.9:1",
                                           "224.0.0.1:5004"};
  const size_t index = byte % 8;
  return index == 7 ? packet::Endpoint() : *packet::Endpoint::Parse(kEndpoints[index]);
}

void ReadLeg(Input& input, LegSpec& leg) {
  static const char* const kNetworks[] = {"access", "core", "", "moon"};
  const uint8_t kinds = input.Byte();
  leg.network = kNetworks[kinds % 4];
  leg.source_mode = static_cast<rtp::SourceMode>(kinds / 4 % 4);
  leg.rtcp_mode = static_cast<RtcpMode>(kinds / 16 % 3);
  const uint8_t more = input.Byte();
  leg.direction = static_cast<Direction>(more % 4);
  leg.remote = EndpointOf(static_cast<uint8_t>(more / 4));
  if (more & 0x80) leg.prefixes = {*packet::IpPrefix::Parse("198.18.0.0/16")};
  if (more & 0x40) leg.payload_types = {{0, 8000, "PCMU"}, {input.Byte(), 90000, "telephone-event"}};
  if (leg.rtcp_mode == RtcpMode::kExplicit) leg.remote_rtcp = EndpointOf(input.Byte());
  const uint8_t port = input.Byte();
  if (port % 4 == 0) leg.requested_local = {*packet::IpAddress::Parse("198.18.1.1"), uint16_t(20000 + port / 4)};
  leg.dscp = port % 65;
}

SessionSpec ReadSpec(Input& input, const std::string& id) {
  SessionSpec spec;
  spec.session_id = id;
  const int streams = input.Byte() % 4;
  for (int i = 0; i < streams; ++i) {
    StreamSpec& stream = spec.streams.emplace_back();
    const uint8_t kind = input.Byte();
    stream.stream_id = kind % 4;
    stream.kind = static_cast<MediaKind>(kind / 4 % 2);
    for (LegSpec& leg : stream.legs) ReadLeg(input, leg);
  }
  if (streams != 0) spec.timeouts.silence = absl::Seconds(input.Byte() - 1);
  return spec;
}

void Step(Input& input, SessionModel& model, flow::FlowTable& table, Moment& now) {
  const uint8_t what = input.Byte();
  const std::string id = absl::StrCat("call-", what / 8 % kSessions);
  const Writer writer = {"fuzz", uint64_t{1} + (what >> 6)};
  switch (what % 8) {
    case 0:
      model.CreateSession(writer, ReadSpec(input, id), now).IgnoreError();
      break;
    case 1:
    case 2:
      model.UpdateSession(writer, ReadSpec(input, id), what % 8 == 2, now).IgnoreError();
      break;
    case 3:
      model.DeleteSession(writer, id, now).IgnoreError();
      break;
    case 4: {
      const uint8_t byte = input.Byte();
      now.time += absl::Seconds(byte);
      now.ticks += uint64_t{byte} * 1'000'000'000;
      model.Advance(now);
      break;
    }
    case 5: {
      flow::FlowEvent event;
      event.kind = static_cast<flow::FlowEventKind>(input.Byte() % 4);
      event.state = input.Byte();
      event.generation = input.Byte();
      event.source = EndpointOf(input.Byte());
      model.OnFlowEvent(event, now);
      break;
    }
    case 6:
      model.SetDraining(what & 0x40, now);
      break;
    default:
      model.SetCapture(id, what & 0x40).IgnoreError();
      break;
  }
  table.Collect();
  const SessionModel::Page page = model.ListSessions("", kSessions + 1, false, now);
  Require(page.sessions.size() == model.statistics().sessions);
  Require(model.events().Read(0, 10).last <= model.events().newest());
}

}  // namespace

void Run(const uint8_t* data, size_t size) {
  flow::FlowTableOptions table_options;
  table_options.max_flows = kFlows;
  // So few that they run out too, and that making them is not most of an input's time.
  table_options.max_payload_maps = kSets;
  table_options.max_prefix_sets = kSets;
  table_options.ticks_per_second = 1'000'000'000;
  std::unique_ptr<flow::FlowTable> table = *flow::FlowTable::Create(table_options, flow::PageMemory(false));
  flow::NextHopResolverFake next_hops;
  Moment now = {absl::FromUnixSeconds(1'800'000'000), 1'000'000'000};
  SessionModelOptions options;
  options.networks = {
      {"access", "eth1", {*packet::IpAddress::Parse("198.18.1.1"), *packet::IpAddress::Parse("2001:db8::1")}},
      {"core", "eth2", {*packet::IpAddress::Parse("198.18.2.1")}}};
  for (NetworkOptions& network : options.networks) {
    network.first_port = 20000;
    network.last_port = 20031;
  }
  options.instance_id = "fuzz";
  options.kept_events = 16;
  std::unique_ptr<SessionModel> model = *SessionModel::Create(options, *table, next_hops, now);
  for (Input input(data, size); !input.empty();) Step(input, *model, *table, now);
  for (int i = 0; i < kSessions; ++i) {
    model->DeleteSession({"fuzz", 9}, absl::StrCat("call-", i), now).IgnoreError();
  }
  table->Collect();
  Require(table->flows() == 0);
  Require(table->states_available() == kFlows);
  Require(next_hops.references() == 0);
  Require(model->networks().usage(0, now.time).used == 0);
  Require(model->networks().usage(1, now.time).used == 0);
}

}  // namespace sluice::session

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // A sequence of some ten requests shows all that a longer one does.
  sluice::session::Run(data, size < 512 ? size : 512);
  return 0;
}
