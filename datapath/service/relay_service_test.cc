// RelayService over a real gRPC connection: what the relay is, statistics, drain, explain, captures.

#include "datapath/service/relay_metrics.h"
#include "datapath/service/service_test_bed.h"
#include "sluice/relay/v1/relay_service.pb.h"

namespace sluice::service {
namespace {

using grpc::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RelayServiceTest : public ServiceTest {
 protected:
  relay::v1::Relay Get() {
    grpc::ClientContext context;
    relay::v1::GetRelayResponse response;
    EXPECT_TRUE(relays_->GetRelay(&context, {}, &response).ok());
    return response.relay();
  }
  grpc::Status StartCapture(const std::string& id, uint64_t bytes, relay::v1::StartCaptureResponse* response) {
    grpc::ClientContext context;
    relay::v1::StartCaptureRequest request;
    request.set_session_id(id);
    request.set_max_bytes(bytes);
    return relays_->StartCapture(&context, request, response);
  }
  grpc::Status StopCapture(const std::string& id, relay::v1::StopCaptureResponse* response) {
    grpc::ClientContext context;
    relay::v1::StopCaptureRequest request;
    request.set_capture_id(id);
    return relays_->StopCapture(&context, request, response);
  }
};

TEST_F(RelayServiceTest, TellsWhatItIsAndWhatIsUsed) {
  ASSERT_TRUE(Create(TestSession("call-1")).ok());
  const relay::v1::Relay relay = Get();
  EXPECT_EQ(relay.name(), "relay-1");
  EXPECT_EQ(relay.instance_id(), "run1");
  EXPECT_EQ(relay.flow_capacity(), 1024u);
  EXPECT_EQ(relay.session_capacity(), 512u);
  EXPECT_EQ(relay.workers(0).cpu(), 3u);
  ASSERT_EQ(relay.networks_size(), 2);
  EXPECT_EQ(relay.networks(0).name(), "access");
  EXPECT_EQ(relay.networks(0).ports(), 16384u);
  EXPECT_EQ(relay.networks(0).ports_used(), 2u);
}

TEST_F(RelayServiceTest, TellsStatisticsOnceWithoutAnInterval) {
  ASSERT_TRUE(Create(TestSession("call-1")).ok());
  grpc::ClientContext context;
  relay::v1::WatchStatsRequest request;
  request.set_include_sessions(true);
  auto stream = relays_->WatchStats(&context, request);
  relay::v1::WatchStatsResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.relay().sessions(), 1u);
  EXPECT_EQ(response.relay().flows(), 4u);
  EXPECT_EQ(response.relay().received_packets(), 10u);
  EXPECT_EQ(response.relay().drops().at("no_flow"), 3u);
  EXPECT_NEAR(response.relay().busy_share(), 0.25, 1e-9);
  EXPECT_EQ(response.interfaces(0).name(), "eth1");
  ASSERT_EQ(response.sessions_size(), 1);
  EXPECT_EQ(response.sessions(0).session_id(), "call-1");
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(RelayServiceTest, TellsStatisticsAgainAtEachInterval) {
  grpc::ClientContext context;
  relay::v1::WatchStatsRequest request;
  request.mutable_interval()->set_nanos(100'000'000);
  auto stream = relays_->WatchStats(&context, request);
  relay::v1::WatchStatsResponse response;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(stream->Read(&response));
  context.TryCancel();
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::CANCELLED);
}

TEST_F(RelayServiceTest, RefusesAnIntervalThatIsTooShort) {
  grpc::ClientContext context;
  relay::v1::WatchStatsRequest request;
  request.mutable_interval()->set_nanos(99'000'000);
  auto stream = relays_->WatchStats(&context, request);
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("allowed is 100ms to 1h"));
}

TEST_F(RelayServiceTest, DrainsAndTakesSessionsAgain) {
  ASSERT_TRUE(Create(TestSession("call-1")).ok());
  grpc::ClientContext events_context;
  auto events = sessions_->WatchEvents(&events_context, {});
  relay::v1::WatchEventsResponse event;
  ASSERT_TRUE(events->Read(&event));
  {
    grpc::ClientContext context;
    relay::v1::DrainRelayResponse response;
    ASSERT_TRUE(relays_->DrainRelay(&context, {}, &response).ok());
  }
  EXPECT_TRUE(Get().draining());
  EXPECT_EQ(Create(TestSession("call-2")).error_code(), StatusCode::RESOURCE_EXHAUSTED);
  relay::v1::DeleteSessionResponse deleted;
  ASSERT_TRUE(Delete("call-1", &deleted).ok());
  std::vector<relay::v1::EventKind> kinds;
  while (kinds.size() < 2) {
    ASSERT_TRUE(events->Read(&event));
    for (const relay::v1::Event& one : event.events()) kinds.push_back(one.kind());
  }
  EXPECT_THAT(kinds, ElementsAre(relay::v1::EVENT_KIND_SESSION_DELETED, relay::v1::EVENT_KIND_DRAINED));
  events_context.TryCancel();
  {
    grpc::ClientContext context;
    relay::v1::UndrainRelayResponse response;
    ASSERT_TRUE(relays_->UndrainRelay(&context, {}, &response).ok());
  }
  EXPECT_TRUE(Create(TestSession("call-2")).ok());
}

TEST_F(RelayServiceTest, ExplainsAFrameAndAPacketOfGivenAddresses) {
  relay::v1::ExplainPacketRequest request;
  request.set_frame("0123456789");
  {
    grpc::ClientContext context;
    relay::v1::ExplainPacketResponse response;
    ASSERT_TRUE(relays_->ExplainPacket(&context, request, &response).ok());
    EXPECT_THAT(response.steps(), ElementsAre("a frame of 10 bytes"));
    EXPECT_EQ(response.drop_reason(), "no_flow");
  }
  request.mutable_addresses()->mutable_source()->set_address("198.18.1.2");
  request.mutable_addresses()->mutable_source()->set_port(1);
  request.mutable_addresses()->mutable_destination()->set_address("198.18.1.1");
  request.mutable_addresses()->mutable_destination()->set_port(2);
  {
    grpc::ClientContext context;
    relay::v1::ExplainPacketResponse response;
    ASSERT_TRUE(relays_->ExplainPacket(&context, request, &response).ok());
    EXPECT_THAT(response.steps(), ElementsAre("a frame of 214 bytes"));
  }
  request.mutable_addresses()->mutable_destination()->set_address("::1");
  grpc::ClientContext context;
  relay::v1::ExplainPacketResponse response;
  EXPECT_EQ(relays_->ExplainPacket(&context, request, &response).error_code(), StatusCode::INVALID_ARGUMENT);
}

TEST_F(RelayServiceTest, CapturesTheFramesOfOneSession) {
  ASSERT_TRUE(Create(TestSession("call-1")).ok());
  relay::v1::StartCaptureResponse started;
  const grpc::Status status = StartCapture("call-1", 0, &started);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/" + started.file_name()));
  relay::v1::StartCaptureResponse again;
  EXPECT_EQ(StartCapture("call-1", 0, &again).error_code(), StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(StartCapture("call-2", 0, &again).error_code(), StatusCode::NOT_FOUND);

  const flow::StateIndex state = table_->Find({*packet::IpAddress::Parse("198.18.1.1"), 16384}).state;
  const std::vector<uint8_t> frame(60, 0xab);
  ASSERT_TRUE(datapath_.captures().Push(state, 0, false, datapath_.Now().ticks, frame));
  ASSERT_TRUE(datapath_.captures().Push(state, 0, true, datapath_.Now().ticks, frame));
  ASSERT_TRUE(datapath_.captures().Push(state + 1000, 0, true, datapath_.Now().ticks, frame));
  // The writer takes them in order: when a later frame finds the ring empty again they are written.
  const absl::Time limit = absl::Now() + absl::Seconds(20);
  while (std::filesystem::file_size(folder_ + "/" + started.file_name()) < 800 && absl::Now() < limit) {
    absl::SleepFor(absl::Milliseconds(2));
  }
  relay::v1::StopCaptureResponse stopped;
  ASSERT_TRUE(StopCapture(started.capture_id(), &stopped).ok());
  EXPECT_EQ(stopped.packets(), 2u);
  EXPECT_EQ(stopped.bytes(), std::filesystem::file_size(folder_ + "/" + started.file_name()));
  EXPECT_EQ(stopped.dropped(), 0u);
  EXPECT_EQ(StopCapture(started.capture_id(), &stopped).error_code(), StatusCode::NOT_FOUND);
}

TEST_F(RelayServiceTest, TellsPrometheusTheSame) {
  relay::v1::Relay relay = Get();
  relay::v1::WatchStatsResponse statistics;
  statistics.mutable_relay()->set_sessions(5);
  (*statistics.mutable_relay()->mutable_drops())["no_flow"] = 3;
  std::map<std::string, double> samples;
  for (const prometheus::MetricFamily& family : RelayMetrics(relay, statistics)) {
    for (const prometheus::ClientMetric& metric : family.metric) {
      std::string name = family.name;
      for (const auto& label : metric.label) name += "," + label.value;
      samples[name] = family.type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value;
    }
  }
  EXPECT_EQ(samples["sluice_relay_sessions"], 5);
  EXPECT_EQ(samples["sluice_relay_dropped_packets_total,no_flow"], 3);
  EXPECT_EQ(samples["sluice_relay_ports,access,free"], 16384);
}

}  // namespace
}  // namespace sluice::service
