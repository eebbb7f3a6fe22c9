#include "cli/services_fake.h"

#include <grpcpp/server_builder.h>
#include <stdlib.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace sluice::cli {

using grpc::ServerContext;
using grpc::Status;

namespace {

constexpr int kPage = 2;

// The page of `all` that begins at `token`.
template <typename Items>
void Page(const Items& all, const std::string& token, Items* page, std::string* next) {
  int first = 0;
  if (!absl::SimpleAtoi(token, &first)) first = 0;
  for (int i = first; i < all.size() && i < first + kPage; ++i) *page->Add() = all.Get(i);
  if (first + kPage < all.size()) *next = absl::StrCat(first + kPage);
}

}  // namespace

class FakeServices::Controller final : public controller::v1::ControllerService::Service {
 public:
  explicit Controller(FakeServices* fake) : fake_(fake) {}

  Status ListCalls(ServerContext*, const controller::v1::ListCallsRequest* request,
                   controller::v1::ListCallsResponse* response) override {
    Page(fake_->calls.calls(), request->page_token(), response->mutable_calls(), response->mutable_next_page_token());
    return fake_->refusal;
  }
  Status GetCall(ServerContext*, const controller::v1::GetCallRequest* request,
                 controller::v1::GetCallResponse* response) override {
    fake_->asked = "GetCall " + request->ShortDebugString();
    *response = fake_->call;
    return fake_->refusal;
  }
  Status HangUpCall(ServerContext*, const controller::v1::HangUpCallRequest* request,
                    controller::v1::HangUpCallResponse*) override {
    fake_->asked = "HangUpCall " + request->ShortDebugString();
    return fake_->refusal;
  }
  Status ListBindings(ServerContext*, const controller::v1::ListBindingsRequest* request,
                      controller::v1::ListBindingsResponse* response) override {
    Page(fake_->bindings.bindings(), request->page_token(), response->mutable_bindings(),
         response->mutable_next_page_token());
    return fake_->refusal;
  }
  Status CreateAccount(ServerContext*, const controller::v1::CreateAccountRequest* request,
                       controller::v1::CreateAccountResponse* response) override {
    fake_->asked = "CreateAccount " + request->ShortDebugString();
    *response->mutable_account() = request->account();
    response->set_password(request->password().empty() ? "made-by-controller" : request->password());
    return fake_->refusal;
  }
  Status ListAccounts(ServerContext*, const controller::v1::ListAccountsRequest* request,
                      controller::v1::ListAccountsResponse* response) override {
    Page(fake_->accounts.accounts(), request->page_token(), response->mutable_accounts(),
         response->mutable_next_page_token());
    return fake_->refusal;
  }
  Status UpdateAccount(ServerContext*, const controller::v1::UpdateAccountRequest* request,
                       controller::v1::UpdateAccountResponse* response) override {
    fake_->asked = "UpdateAccount " + request->ShortDebugString();
    *response->mutable_account() = request->account();
    if (request->has_password()) {
      response->set_password(request->password().empty() ? "made-by-controller" : request->password());
    }
    return fake_->refusal;
  }
  Status DeleteAccount(ServerContext*, const controller::v1::DeleteAccountRequest* request,
                       controller::v1::DeleteAccountResponse*) override {
    fake_->asked = "DeleteAccount " + request->ShortDebugString();
    return fake_->refusal;
  }
  Status ListCallRecords(ServerContext*, const controller::v1::ListCallRecordsRequest* request,
                         controller::v1::ListCallRecordsResponse* response) override {
    fake_->asked = "ListCallRecords " + request->ShortDebugString();
    Page(fake_->records.records(), request->page_token(), response->mutable_records(),
         response->mutable_next_page_token());
    return fake_->refusal;
  }
  Status ListRelays(ServerContext*, const controller::v1::ListRelaysRequest*,
                    controller::v1::ListRelaysResponse* response) override {
    *response = fake_->relays;
    return fake_->refusal;
  }
  Status ListTrunks(ServerContext*, const controller::v1::ListTrunksRequest*,
                    controller::v1::ListTrunksResponse* response) override {
    *response = fake_->trunks;
    return fake_->refusal;
  }
  Status DrainController(ServerContext*, const controller::v1::DrainControllerRequest*,
                         controller::v1::DrainControllerResponse*) override {
    fake_->asked = "DrainController";
    return fake_->refusal;
  }
  Status UndrainController(ServerContext*, const controller::v1::UndrainControllerRequest*,
                           controller::v1::UndrainControllerResponse*) override {
    fake_->asked = "UndrainController";
    return fake_->refusal;
  }
  Status GetStatistics(ServerContext*, const controller::v1::GetStatisticsRequest*,
                       controller::v1::GetStatisticsResponse* response) override {
    *response = fake_->statistics;
    return fake_->refusal;
  }

 private:
  FakeServices* const fake_;
};

class FakeServices::Relay final : public relay::v1::RelayService::Service {
 public:
  explicit Relay(FakeServices* fake) : fake_(fake) {}

  Status WatchStats(ServerContext*, const relay::v1::WatchStatsRequest*,
                    grpc::ServerWriter<relay::v1::WatchStatsResponse>* writer) override {
    if (fake_->refusal.ok()) writer->Write(fake_->relay_statistics);
    return fake_->refusal;
  }
  Status DrainRelay(ServerContext*, const relay::v1::DrainRelayRequest*, relay::v1::DrainRelayResponse*) override {
    fake_->asked = "DrainRelay";
    return fake_->refusal;
  }
  Status UndrainRelay(ServerContext*, const relay::v1::UndrainRelayRequest*,
                      relay::v1::UndrainRelayResponse*) override {
    fake_->asked = "UndrainRelay";
    return fake_->refusal;
  }
  Status ExplainPacket(ServerContext*, const relay::v1::ExplainPacketRequest* request,
                       relay::v1::ExplainPacketResponse* response) override {
    fake_->asked = "ExplainPacket " + request->ShortDebugString();
    *response = fake_->explanation;
    return fake_->refusal;
  }
  Status StartCapture(ServerContext*, const relay::v1::StartCaptureRequest* request,
                      relay::v1::StartCaptureResponse* response) override {
    fake_->asked = "StartCapture " + request->ShortDebugString();
    response->set_capture_id("7");
    response->set_file_name(request->session_id() + ".pcapng");
    return fake_->refusal;
  }
  Status StopCapture(ServerContext*, const relay::v1::StopCaptureRequest* request,
                     relay::v1::StopCaptureResponse* response) override {
    fake_->asked = "StopCapture " + request->ShortDebugString();
    response->set_packets(100);
    response->set_bytes(21400);
    return fake_->refusal;
  }

 private:
  FakeServices* const fake_;
};

class FakeServices::Sessions final : public relay::v1::SessionService::Service {
 public:
  explicit Sessions(FakeServices* fake) : fake_(fake) {}

  Status GetSession(ServerContext*, const relay::v1::GetSessionRequest*,
                    relay::v1::GetSessionResponse* response) override {
    if (fake_->sessions.sessions().empty()) return Status(grpc::StatusCode::NOT_FOUND, "session_id: is not known");
    *response->mutable_session() = fake_->sessions.sessions(0);
    return fake_->refusal;
  }
  Status ListSessions(ServerContext*, const relay::v1::ListSessionsRequest* request,
                      relay::v1::ListSessionsResponse* response) override {
    Page(fake_->sessions.sessions(), request->page_token(), response->mutable_sessions(),
         response->mutable_next_page_token());
    return fake_->refusal;
  }
  Status WatchEvents(ServerContext*, const relay::v1::WatchEventsRequest*,
                     grpc::ServerWriter<relay::v1::WatchEventsResponse>* writer) override {
    if (fake_->refusal.ok()) writer->Write(fake_->events);
    return fake_->refusal;
  }

 private:
  FakeServices* const fake_;
};

FakeServices::FakeServices()
    : controller_(std::make_unique<Controller>(this)),
      relay_(std::make_unique<Relay>(this)),
      session_service_(std::make_unique<Sessions>(this)) {
  char name[] = "/tmp/sluice-cli-fake-XXXXXX";
  folder_ = mkdtemp(name);
  address_ = absl::StrCat("unix:", folder_, "/services.sock");
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address_, grpc::InsecureServerCredentials());
  builder.RegisterService(controller_.get());
  builder.RegisterService(relay_.get());
  builder.RegisterService(session_service_.get());
  server_ = builder.BuildAndStart();
}

FakeServices::~FakeServices() {
  server_->Shutdown();
  server_->Wait();
  server_.reset();
  unlink((folder_ + "/services.sock").c_str());
  rmdir(folder_.c_str());
}

}  // namespace sluice::cli
