// SessionService over a real gRPC connection: writes, arbitration, batches, events.

#include "absl/strings/str_cat.h"
#include "datapath/service/service_test_bed.h"

namespace sluice::service {
namespace {

using grpc::StatusCode;
using ::testing::HasSubstr;

class SessionServiceTest : public ServiceTest {};

TEST_F(SessionServiceTest, ASessionIsMadeReadAndEnded) {
  relay::v1::CreateSessionResponse created;
  const grpc::Status status = Create(TestSession("call-1"), &created);
  ASSERT_TRUE(status.ok()) << status.error_message();
  const relay::v1::LegState& leg = created.session().streams(0).legs(0);
  EXPECT_EQ(leg.local().address(), "198.18.1.1");
  EXPECT_EQ(leg.local().port(), 16384u);
  EXPECT_EQ(leg.local_rtcp().port(), 16385u);
  EXPECT_EQ(leg.source_lock(), relay::v1::SOURCE_LOCK_OPEN);

  grpc::ClientContext context;
  relay::v1::GetSessionRequest get;
  get.set_session_id("call-1");
  relay::v1::GetSessionResponse got;
  ASSERT_TRUE(sessions_->GetSession(&context, get, &got).ok());
  EXPECT_EQ(got.session().label(), "call-id-of-call-1");
  EXPECT_EQ(got.session().shard(), "controller-1/0");

  relay::v1::DeleteSessionResponse deleted;
  ASSERT_TRUE(Delete("call-1", &deleted).ok());
  EXPECT_EQ(deleted.session().session_id(), "call-1");
  ASSERT_TRUE(Delete("call-1", &deleted).ok());
  EXPECT_FALSE(deleted.has_session()) << "unknown is OK, without statistics";
}

TEST_F(SessionServiceTest, ErrorsHaveTheCodesOfTheApiAndNameTheField) {
  relay::v1::Session session = TestSession("call-1");
  session.mutable_streams(0)->mutable_legs(1)->mutable_remote()->set_address("somewhere");
  grpc::Status status = Create(session);
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("streams[0].legs[1].remote.address 'somewhere'"));
  session = TestSession("call-1");
  session.mutable_streams(0)->mutable_legs(0)->clear_source_policy();
  EXPECT_THAT(Create(session).error_message(), HasSubstr("streams[0].legs[0].source_policy.mode is required"));
  session = TestSession("call-1");
  session.mutable_streams(0)->clear_kind();
  EXPECT_THAT(Create(session).error_message(), HasSubstr("streams[0].kind is required"));
  session = TestSession("call-1");
  session.mutable_streams(0)->mutable_legs()->RemoveLast();
  EXPECT_THAT(Create(session).error_message(), HasSubstr("streams[0].legs has 1"));

  ASSERT_TRUE(Create(TestSession("call-1")).ok());
  session = TestSession("call-1");
  session.set_label("another");
  EXPECT_EQ(Create(session).error_code(), StatusCode::ALREADY_EXISTS);
}

TEST_F(SessionServiceTest, AControllerThatLostItsLeaseIsRefused) {
  relay::v1::DeleteSessionResponse response;
  ASSERT_TRUE(Create(TestSession("call-1")).ok());
  EXPECT_EQ(Delete("call-1", &response, 6).error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_TRUE(Delete("call-1", &response, 8).ok());
}

TEST_F(SessionServiceTest, ABadItemOfABatchFailsAloneAndAnswersComeInOrder) {
  grpc::ClientContext context;
  auto stream = sessions_->ApplySessions(&context);
  // Three batches at once, so that they wait for each other at the relay.
  for (int batch = 0; batch < 3; ++batch) {
    relay::v1::ApplySessionsRequest request;
    SetWriter(*request.mutable_writer());
    *request.add_writes()->mutable_create() = TestSession(absl::StrCat("call-", batch));
    request.add_writes();
    *request.add_writes()->mutable_update() = TestSession("unknown");
    request.add_writes()->set_delete_("unknown");
    ASSERT_TRUE(stream->Write(request));
  }
  stream->WritesDone();
  for (int batch = 0; batch < 3; ++batch) {
    relay::v1::ApplySessionsResponse response;
    ASSERT_TRUE(stream->Read(&response));
    ASSERT_EQ(response.results_size(), 4);
    EXPECT_EQ(response.results(0).session().session_id(), absl::StrCat("call-", batch));
    EXPECT_EQ(response.results(1).status().code(), StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(response.results(2).status().code(), StatusCode::NOT_FOUND);
    EXPECT_EQ(response.results(3).status().code(), 0);
    EXPECT_FALSE(response.results(3).has_session());
  }
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(SessionServiceTest, ABatchThatIsTooLargeEndsTheStream) {
  grpc::ClientContext context;
  auto stream = sessions_->ApplySessions(&context);
  relay::v1::ApplySessionsRequest request;
  SetWriter(*request.mutable_writer());
  for (int i = 0; i < 257; ++i) request.add_writes()->set_delete_("call-1");
  ASSERT_TRUE(stream->Write(request));
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::INVALID_ARGUMENT);
}

TEST_F(SessionServiceTest, ListsInPages) {
  for (const char* id : {"c", "a", "b"}) ASSERT_TRUE(Create(TestSession(id)).ok());
  relay::v1::ListSessionsRequest request;
  request.set_page_size(2);
  request.set_identity_only(true);
  std::string ids;
  do {
    grpc::ClientContext context;
    relay::v1::ListSessionsResponse response;
    ASSERT_TRUE(sessions_->ListSessions(&context, request, &response).ok());
    for (const relay::v1::SessionState& session : response.sessions()) ids += session.session_id();
    ids += "|";
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(ids, "ab|c|");
  request.set_page_size(1001);
  grpc::ClientContext context;
  relay::v1::ListSessionsResponse response;
  EXPECT_EQ(sessions_->ListSessions(&context, request, &response).error_code(), StatusCode::INVALID_ARGUMENT);
}

TEST_F(SessionServiceTest, EventsResumeWhereAReaderLeft) {
  std::string token;
  {
    grpc::ClientContext context;
    auto stream = sessions_->WatchEvents(&context, {});
    relay::v1::WatchEventsResponse response;
    ASSERT_TRUE(stream->Read(&response));
    EXPECT_EQ(response.events_size(), 0);
    ASSERT_TRUE(Create(TestSession("call-1")).ok());
    ASSERT_TRUE(stream->Read(&response));
    ASSERT_EQ(response.events_size(), 1);
    EXPECT_EQ(response.events(0).kind(), relay::v1::EVENT_KIND_SESSION_CREATED);
    EXPECT_EQ(response.events(0).session_id(), "call-1");
    token = response.resume_token();
    context.TryCancel();
    EXPECT_EQ(stream->Finish().error_code(), StatusCode::CANCELLED);
  }
  ASSERT_TRUE(Create(TestSession("call-2")).ok());
  grpc::ClientContext context;
  relay::v1::WatchEventsRequest request;
  request.set_resume_token(token);
  auto stream = sessions_->WatchEvents(&context, request);
  relay::v1::WatchEventsResponse response;
  ASSERT_TRUE(stream->Read(&response));
  ASSERT_EQ(response.events_size(), 1);
  EXPECT_EQ(response.events(0).session_id(), "call-2");
  EXPECT_EQ(response.missed(), 0u);
  context.TryCancel();
}

TEST_F(SessionServiceTest, ASourceThatAWorkerTookIsAnEvent) {
  grpc::ClientContext context;
  auto stream = sessions_->WatchEvents(&context, {});
  relay::v1::WatchEventsResponse response;
  ASSERT_TRUE(stream->Read(&response));
  relay::v1::CreateSessionResponse created;
  ASSERT_TRUE(Create(TestSession("call-1"), &created).ok());
  ASSERT_TRUE(stream->Read(&response));
  flow::FlowEvent event;
  event.kind = flow::FlowEventKind::kSourceRefused;
  event.state = table_->Find({*packet::IpAddress::Parse("198.18.2.1"), 16384}).state;
  event.source = {*packet::IpAddress::Parse("198.18.2.66"), 6666};
  datapath_.Push(event);
  ASSERT_TRUE(stream->Read(&response));
  ASSERT_EQ(response.events_size(), 1);
  EXPECT_EQ(response.events(0).kind(), relay::v1::EVENT_KIND_SOURCE_REFUSED);
  EXPECT_EQ(response.events(0).leg(), 1u);
  EXPECT_EQ(response.events(0).source().port(), 6666u);
  context.TryCancel();
}

TEST_F(SessionServiceTest, ATokenThatIsNoneIsRefused) {
  grpc::ClientContext context;
  relay::v1::WatchEventsRequest request;
  request.set_resume_token("nonsense");
  auto stream = sessions_->WatchEvents(&context, request);
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::INVALID_ARGUMENT);
}

class SlowReader : public ServiceTest {
 protected:
  SlowReader() { kept_events_ = 4; }
};

TEST_F(SlowReader, IsToldHowManyEventsItMissed) {
  ASSERT_TRUE(Create(TestSession("call-0")).ok());
  std::string token;
  {
    grpc::ClientContext context;
    auto stream = sessions_->WatchEvents(&context, {});
    relay::v1::WatchEventsResponse response;
    ASSERT_TRUE(stream->Read(&response));
    token = response.resume_token();
    context.TryCancel();
  }
  for (int i = 1; i <= 10; ++i) ASSERT_TRUE(Create(TestSession(absl::StrCat("call-", i))).ok());
  grpc::ClientContext context;
  relay::v1::WatchEventsRequest request;
  request.set_resume_token(token);
  auto stream = sessions_->WatchEvents(&context, request);
  relay::v1::WatchEventsResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.missed(), 6u);
  EXPECT_EQ(response.events_size(), 4);
  context.TryCancel();
}

class SmallRelay : public ServiceTest {
 protected:
  SmallRelay() { max_flows_ = 8; }
};

TEST_F(SmallRelay, SaysThatItIsFull) {
  ASSERT_TRUE(Create(TestSession("call-1")).ok());
  ASSERT_TRUE(Create(TestSession("call-2")).ok());
  const grpc::Status status = Create(TestSession("call-3"));
  EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("datapath.max_flows"));
}

}  // namespace
}  // namespace sluice::service
