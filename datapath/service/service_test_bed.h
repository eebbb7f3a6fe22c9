// A relay without packets behind a real gRPC server on a UNIX socket, and a client: what the component tests share.

#ifndef SLUICE_DATAPATH_SERVICE_SERVICE_TEST_BED_H_
#define SLUICE_DATAPATH_SERVICE_SERVICE_TEST_BED_H_

#include <grpcpp/grpcpp.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "datapath/flow/memory.h"
#include "datapath/flow/next_hop_resolver_fake.h"
#include "datapath/packet/ip_address.h"
#include "datapath/service/capture_service.h"
#include "datapath/service/control_loop.h"
#include "datapath/service/datapath_fake.h"
#include "datapath/service/relay_report.h"
#include "datapath/service/relay_service.h"
#include "datapath/service/session_service.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "process/grpc_server.h"
#include "sluice/relay/v1/relay_service.grpc.pb.h"
#include "sluice/relay/v1/session_service.grpc.pb.h"

namespace sluice::service {

class ServiceTest : public ::testing::Test {
 protected:
  ServiceTest() {
    char name[] = "/tmp/sluice-service-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~ServiceTest() override { std::filesystem::remove_all(folder_); }

  void SetUp() override {
    flow::FlowTableOptions table_options;
    table_options.max_flows = max_flows_;
    table_options.ticks_per_second = DatapathFake::kTicksPerSecond;
    table_ = *flow::FlowTable::Create(table_options, flow::PageMemory(false));
    session::SessionModelOptions options;
    options.networks = {{"access", "eth1", {*packet::IpAddress::Parse("198.18.1.1")}},
                        {"core", "eth2", {*packet::IpAddress::Parse("198.18.2.1")}}};
    options.instance_id = instance_;
    options.kept_events = kept_events_;
    model_ = *session::SessionModel::Create(options, *table_, next_hops_, datapath_.Now());
    loop_ = std::make_unique<ControlLoop>(datapath_, *table_, *model_);
    report_ = std::make_unique<RelayReport>(RelayIdentity{"relay-1", "1.0", instance_, absl::Now()}, datapath_, *table_,
                                            *model_);
    captures_ = std::make_unique<CaptureService>(folder_, datapath_, *model_, *loop_);
    session_service_ = std::make_unique<SessionService>(*loop_, *model_);
    relay_service_ =
        std::make_unique<RelayService>(*loop_, *model_, datapath_, *report_, *captures_,
                                       [this](bool admit) { server_->SetServing("sluice.relay.v1.Admission", admit); });
    const std::string address = "unix:" + folder_ + "/relay.sock";
    auto server = process::GrpcServer::Start({address}, {session_service_.get(), relay_service_.get()});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    server_->SetServing("sluice.relay.v1.Admission", true);
    channel_ = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
    sessions_ = relay::v1::SessionService::NewStub(channel_);
    relays_ = relay::v1::RelayService::NewStub(channel_);
  }
  // Whoever is used goes last.
  void TearDown() override {
    server_.reset();
    captures_.reset();
    loop_.reset();
    model_.reset();
  }

  // A session of one stream between two signalled peers.
  static relay::v1::Session TestSession(const std::string& id) {
    relay::v1::Session session;
    session.set_session_id(id);
    session.set_label("call-id-of-" + id);
    relay::v1::Stream& stream = *session.add_streams();
    stream.set_kind(relay::v1::MEDIA_KIND_RTP);
    for (const char* network : {"access", "core"}) {
      relay::v1::Leg& leg = *stream.add_legs();
      leg.set_network(network);
      leg.mutable_remote()->set_address(std::string(network) == "access" ? "198.18.1.2" : "198.18.2.2");
      leg.mutable_remote()->set_port(21000);
      leg.mutable_source_policy()->set_mode(relay::v1::SOURCE_POLICY_MODE_EXACT);
    }
    return session;
  }
  static void SetWriter(relay::v1::Writer& writer, uint64_t epoch = 7) {
    writer.set_shard("controller-1/0");
    writer.set_epoch(epoch);
  }

  grpc::Status Create(const relay::v1::Session& session, relay::v1::CreateSessionResponse* response = nullptr) {
    grpc::ClientContext context;
    relay::v1::CreateSessionRequest request;
    SetWriter(*request.mutable_writer());
    *request.mutable_session() = session;
    relay::v1::CreateSessionResponse ignored;
    return sessions_->CreateSession(&context, request, response != nullptr ? response : &ignored);
  }
  grpc::Status Delete(const std::string& id, relay::v1::DeleteSessionResponse* response, uint64_t epoch = 7) {
    grpc::ClientContext context;
    relay::v1::DeleteSessionRequest request;
    SetWriter(*request.mutable_writer(), epoch);
    request.set_session_id(id);
    return sessions_->DeleteSession(&context, request, response);
  }

  std::string instance_ = "run1";
  uint32_t max_flows_ = 1024;
  size_t kept_events_ = 1000;
  std::string folder_;
  DatapathFake datapath_;
  flow::NextHopResolverFake next_hops_;
  std::unique_ptr<flow::FlowTable> table_;
  std::unique_ptr<session::SessionModel> model_;
  std::unique_ptr<ControlLoop> loop_;
  std::unique_ptr<RelayReport> report_;
  std::unique_ptr<CaptureService> captures_;
  std::unique_ptr<SessionService> session_service_;
  std::unique_ptr<RelayService> relay_service_;
  std::unique_ptr<process::GrpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<relay::v1::SessionService::Stub> sessions_;
  std::unique_ptr<relay::v1::RelayService::Stub> relays_;
};

}  // namespace sluice::service

#endif  // SLUICE_DATAPATH_SERVICE_SERVICE_TEST_BED_H_
