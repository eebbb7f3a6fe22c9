// Drives a relay for the datapath benches.
//
//   flow_load pcap FILE…             writes the frames of the plan, for a device that replays a file a queue
//   flow_load networks               prints the `addresses` and ports of the plan as YAML for the relay's config
//   flow_load sessions RELAY         makes the plan's sessions over the batch stream; prints how many a second
//   flow_load pairs RELAY A B LOCAL_A LOCAL_B
//                                    makes --flows sessions between the endpoints A and B, on the ports from LOCAL_A
//                                    and LOCAL_B on, each 2 after the one before
//   flow_load rate RELAY SECONDS     prints packets a second and cycles a packet of the relay's workers
//   flow_load churn RELAY SECONDS    makes and deletes other sessions as fast as the stream takes them
//
// Every verb prints one JSON object (networks: YAML) on standard output, and one line on standard error when it fails.

#include <google/protobuf/arena.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "bench/flow_plan.h"
#include "sluice/relay/v1/relay_service.grpc.pb.h"
#include "sluice/relay/v1/session_service.grpc.pb.h"

ABSL_FLAG(uint32_t, flows, 16384, "flows of the plan; even");
ABSL_FLAG(uint32_t, addresses, 1, "local addresses that carry them");
ABSL_FLAG(uint64_t, seed, 1, "order of the frames; 0: in order of the flows");
ABSL_FLAG(std::string, ip, "4",
          "families of the legs: 4, 6, 4to6 or 4and6 (one each; packets arrive at the IPv4 legs or at both)");
ABSL_FLAG(bool, mux, false, "RTCP on the RTP port (two flows a stream instead of four)");
ABSL_FLAG(std::vector<std::string>, networks, {},
          "names of the relay's networks of legs A and B; for pairs, and for churn: the first for both");
ABSL_FLAG(uint32_t, batch, 256, "writes a batch");
ABSL_FLAG(uint32_t, window, 8, "batches on their way");

namespace sluice::bench {
namespace {

namespace relay = sluice::relay::v1;
using Clock = std::chrono::steady_clock;
using google::protobuf::Arena;

double Seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

FlowPlan Plan() {
  const std::string ip = absl::GetFlag(FLAGS_ip);
  const Families families = ip == "6"       ? Families::kIpv6
                            : ip == "4to6"  ? Families::kIpv4ToIpv6
                            : ip == "4and6" ? Families::kIpv4WithIpv6
                                            : Families::kIpv4;
  return FlowPlan(absl::GetFlag(FLAGS_flows), absl::GetFlag(FLAGS_addresses), families);
}

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

void AddLeg(const Address& remote, const Address& local, relay::Stream& stream) {
  relay::Leg* leg = stream.add_legs();
  leg->mutable_remote()->set_address(remote.text);
  leg->mutable_remote()->set_port(remote.port);
  leg->mutable_requested_local()->set_address(local.text);
  leg->mutable_requested_local()->set_port(local.port);
  leg->mutable_source_policy()->set_mode(relay::SOURCE_POLICY_MODE_EXACT);
  leg->set_rtcp_mode(absl::GetFlag(FLAGS_mux) ? relay::RTCP_MODE_MUX : relay::RTCP_MODE_NEXT_PORT);
  leg->set_direction(relay::DIRECTION_SENDRECV);
  relay::PayloadType* type = leg->add_payload_types();
  type->set_number(0);
  type->set_clock_rate(8000);
  type->set_encoding("PCMU");
}

relay::Session EmptySession(uint32_t index) {
  relay::Session session;
  session.set_session_id(absl::StrFormat("bench-%07u", index));
  session.add_streams()->set_kind(relay::MEDIA_KIND_RTP);
  return session;
}

relay::Session PlannedSession(const FlowPlan& plan, uint32_t index) {
  relay::Session session = EmptySession(index);
  for (uint32_t flow : {2 * index, 2 * index + 1}) {
    AddLeg(plan.Remote(flow), plan.Local(flow), *session.mutable_streams(0));
  }
  return session;
}

relay::Writer BenchWriter() {
  relay::Writer writer;
  writer.set_shard("bench/0");
  writer.set_epoch(static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()));
  return writer;
}

google::protobuf::ArenaOptions Block() {
  google::protobuf::ArenaOptions options;
  options.start_block_size = options.max_block_size = size_t{1} << 20;
  return options;
}

// Sends batches with a bounded number on their way and checks every result.
class BatchStream {
 public:
  explicit BatchStream(const std::string& address)
      : stub_(relay::SessionService::NewStub(Connect(address))), stream_(stub_->ApplySessions(&context_)) {}

  // Of the next write; counts as added when the one after it is asked for.
  relay::SessionWrite& Add() {
    if (request_ != nullptr && request_->writes_size() == static_cast<int>(batch_)) Flush();
    if (request_ == nullptr) {
      request_ = Arena::CreateMessage<relay::ApplySessionsRequest>(&requests_);
      *request_->mutable_writer() = writer_;
    }
    return *request_->add_writes();
  }

  // Waits for everything; returns the first error, or an empty text.
  std::string Finish() {
    Flush();
    stream_->WritesDone();
    while (pending_ > 0 && Receive()) {
    }
    const grpc::Status status = stream_->Finish();
    if (error_.empty() && !status.ok()) error_ = status.error_message();
    return error_;
  }

  bool failed() const { return !error_.empty(); }
  uint64_t done() const { return done_; }

 private:
  void Flush() {
    if (request_ == nullptr || failed()) return;
    if (!stream_->Write(*request_)) {
      error_ = "the relay closed the stream";
      return;
    }
    request_ = nullptr;
    requests_.Reset();
    ++pending_;
    while (pending_ >= absl::GetFlag(FLAGS_window) && Receive()) {
    }
  }

  bool Receive() {
    responses_.Reset();
    auto& response = *Arena::CreateMessage<relay::ApplySessionsResponse>(&responses_);
    if (!stream_->Read(&response)) {
      if (error_.empty()) error_ = "the relay closed the stream";
      pending_ = 0;
      return false;
    }
    --pending_;
    for (const relay::SessionWriteResult& result : response.results()) {
      ++done_;
      if (result.status().code() != 0 && error_.empty()) error_ = result.status().message();
    }
    return true;
  }

  std::unique_ptr<relay::SessionService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<relay::ApplySessionsRequest, relay::ApplySessionsResponse>> stream_;
  relay::Writer writer_ = BenchWriter();
  const uint32_t batch_ = absl::GetFlag(FLAGS_batch);
  // So that making a batch and reading its answer costs little beside what the relay does with it.
  Arena requests_{Block()};
  Arena responses_{Block()};
  relay::ApplySessionsRequest* request_ = nullptr;  // Of requests_.
  uint32_t pending_ = 0;
  uint64_t done_ = 0;
  std::string error_;
};

int Fail(const std::string& text) {
  std::cerr << "flow_load: " << text << "\n";
  return 1;
}

int MakeSessions(const std::string& address) {
  const FlowPlan plan = Plan();
  BatchStream stream(address);
  const auto begin = Clock::now();
  for (uint32_t i = 0; i < plan.sessions() && !stream.failed(); ++i) {
    *stream.Add().mutable_create() = PlannedSession(plan, i);
  }
  const std::string error = stream.Finish();
  if (!error.empty()) return Fail(error);
  const double seconds = Seconds(Clock::now() - begin);
  std::cout << absl::StrFormat("{\"sessions\": %u, \"seconds\": %.3f, \"per_second\": %.0f}\n", plan.sessions(),
                               seconds, plan.sessions() / seconds);
  return 0;
}

// "198.18.1.1:30000"; port 0 if it is not that.
Address ParseAddress(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  uint32_t port = 0;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[1], &port) || port > 0xffff) return {};
  return {parts[0], static_cast<uint16_t>(port)};
}

int MakePairs(const std::string& address, const std::vector<char*>& endpoints) {
  const std::vector<std::string> networks = absl::GetFlag(FLAGS_networks);
  if (networks.size() != 2) return Fail("--networks wants two names");
  std::vector<Address> ends;
  for (const char* text : endpoints) {
    ends.push_back(ParseAddress(text));
    if (ends.back().port == 0) return Fail(absl::StrCat("'", text, "' is not ADDRESS:PORT"));
  }
  const uint32_t pairs = absl::GetFlag(FLAGS_flows);
  BatchStream stream(address);
  for (uint32_t i = 0; i < pairs && !stream.failed(); ++i) {
    relay::Session& session = *stream.Add().mutable_create();
    session = EmptySession(i);
    for (int leg : {0, 1}) {
      Address local = ends[2 + leg];
      local.port = static_cast<uint16_t>(local.port + 2 * i);
      relay::Stream& media = *session.mutable_streams(0);
      AddLeg(ends[leg], local, media);
      media.mutable_legs(leg)->set_network(networks[leg]);
    }
  }
  const std::string error = stream.Finish();
  if (!error.empty()) return Fail(error);
  std::cout << absl::StrFormat("{\"sessions\": %u}\n", pairs);
  return 0;
}

int MeasureRate(const std::string& address, double seconds) {
  auto stub = relay::RelayService::NewStub(Connect(address));
  const auto read = [&stub](relay::WatchStatsResponse* response) {
    grpc::ClientContext context;
    auto reader = stub->WatchStats(&context, relay::WatchStatsRequest());
    const bool got = reader->Read(response);
    context.TryCancel();
    reader->Finish();
    return got;
  };
  relay::WatchStatsResponse before, after;
  if (!read(&before)) return Fail(absl::StrCat("no statistics from ", address));
  const auto begin = Clock::now();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  if (!read(&after)) return Fail(absl::StrCat("no statistics from ", address));
  const double elapsed = Seconds(Clock::now() - begin);
  const auto received = after.relay().received_packets() - before.relay().received_packets();
  const auto forwarded = after.relay().forwarded_packets() - before.relay().forwarded_packets();
  uint64_t cycles = 0;
  for (int i = 0; i < after.workers_size(); ++i) cycles += after.workers(i).cycles() - before.workers(i).cycles();
  std::string drops;
  for (const auto& [reason, count] : after.relay().drops()) {
    const auto old = before.relay().drops().find(reason);
    const uint64_t grown = count - (old == before.relay().drops().end() ? 0 : old->second);
    if (grown > 0) absl::StrAppend(&drops, drops.empty() ? "" : ", ", "\"", reason, "\": ", grown);
  }
  std::cout << absl::StrFormat(
      "{\"seconds\": %.3f, \"received_pps\": %.0f, \"forwarded_pps\": %.0f, \"cycles_per_packet\": %.1f, \"drops\": "
      "{%s}, \"residence_p50_ns\": %d, \"residence_p99_ns\": %d}\n",
      elapsed, received / elapsed, forwarded / elapsed, received ? static_cast<double>(cycles) / received : 0.0, drops,
      after.relay().residence().p50().nanos(), after.relay().residence().p99().nanos());
  return 0;
}

int Churn(const std::string& address, double seconds) {
  const FlowPlan plan = Plan();
  const std::vector<std::string> networks = absl::GetFlag(FLAGS_networks);
  BatchStream stream(address);
  const auto begin = Clock::now();
  const auto end = begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  uint64_t made = 0;
  // Each session lives for 1 000 others, so that the relay always holds some of ours.
  constexpr uint64_t kLife = 1000;
  // Sessions of the plan, again and again, under new names and on ports of the relay's choice.
  std::vector<relay::Session> sessions;
  for (uint32_t i = 0; i < plan.sessions(); ++i) {
    sessions.push_back(PlannedSession(plan, i));
    for (relay::Leg& leg : *sessions.back().mutable_streams(0)->mutable_legs()) {
      leg.clear_requested_local();
      if (!networks.empty()) leg.set_network(networks[0]);
    }
  }
  const auto name = [](uint64_t number) { return absl::StrCat("churn-", number); };
  while (Clock::now() < end && !stream.failed()) {
    for (int i = 0; i < 128; ++i, ++made) {
      relay::Session& session = sessions[made % sessions.size()];
      session.set_session_id(name(made));
      *stream.Add().mutable_create() = session;
      if (made >= kLife) stream.Add().set_delete_(name(made - kLife));
    }
  }
  const double elapsed = Seconds(Clock::now() - begin);
  for (uint64_t id = made > kLife ? made - kLife : 0; id < made; ++id) stream.Add().set_delete_(name(id));
  const std::string error = stream.Finish();
  if (!error.empty()) return Fail(error);
  std::cout << absl::StrFormat("{\"created\": %u, \"seconds\": %.3f, \"per_second\": %.0f}\n", made, elapsed,
                               made / elapsed);
  return 0;
}

int PrintNetworks() {
  const FlowPlan plan = Plan();
  std::cout << "    addresses: [";
  for (uint32_t i = 0; i < plan.addresses(); ++i) {
    std::cout << (i ? ", " : "") << '"' << plan.LocalAddress(i) << '"';
  }
  std::cout << "]\n    first_port: 1024\n    last_port: 65535\n";
  return 0;
}

int Run(const std::vector<char*>& words) {
  const std::string verb = words.size() > 1 ? words[1] : "";
  if (verb == "pcap" && words.size() > 2) {
    if (Plan().WritePcaps({words.begin() + 2, words.end()}, absl::GetFlag(FLAGS_seed))) return 0;
    return Fail(absl::StrCat("cannot write ", words[2]));
  }
  if (verb == "networks" && words.size() == 2) return PrintNetworks();
  if (verb == "sessions" && words.size() == 3) return MakeSessions(words[2]);
  if (verb == "pairs" && words.size() == 7) return MakePairs(words[2], {words.begin() + 3, words.end()});
  if (verb == "rate" && words.size() == 4) return MeasureRate(words[2], std::atof(words[3]));
  if (verb == "churn" && words.size() == 4) return Churn(words[2], std::atof(words[3]));
  std::cerr << "flow_load: say pcap FILE…, networks, sessions RELAY, pairs RELAY A B LOCAL_A LOCAL_B, rate RELAY "
               "SECONDS or churn RELAY SECONDS\n";
  return 2;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) { return sluice::bench::Run(absl::ParseCommandLine(argc, argv)); }
