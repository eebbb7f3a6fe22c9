// sluice.controller.v1 through a real server and client, over calls and relays in memory and a store on disk.
#include "signaling/service/controller_service.h"

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "process/grpc_server.h"
#include "signaling/agent/call_control_fake.h"
#include "signaling/fleet/fleet_fake.h"
#include "signaling/sip/digest.h"
#include "signaling/store/sqlite_store.h"

namespace sluice::service {
namespace {

using controller::v1::CreateAccountRequest;
using controller::v1::CreateAccountResponse;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const absl::Time kStart = absl::FromUnixSeconds(1764037125);

std::string MakeFolder() {
  char name[] = "/tmp/sluice-service-test-XXXXXX";
  return mkdtemp(name);
}

class Service : public testing::Test {
 protected:
  Service() {
    store::SqliteStoreOptions options;
    options.file = folder_ + "/controller.db";
    store_ = *store::OpenSqliteStore(options);
    service_ = std::make_unique<ControllerService>(calls_, *store_, fleet_, "sip.example.org");
    const std::string address = absl::StrCat("unix:", folder_, "/controller.sock");
    server_ = *process::GrpcServer::Start({address}, {service_.get()});
    stub_ =
        controller::v1::ControllerService::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  }
  ~Service() override {
    server_.reset();
    service_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  template <typename Request, typename Response>
  grpc::Status Call(grpc::Status (controller::v1::ControllerService::Stub::*method)(grpc::ClientContext*,
                                                                                    const Request&, Response*),
                    const Request& request, Response* response) {
    grpc::ClientContext context;
    return (stub_.get()->*method)(&context, request, response);
  }

  grpc::Status CreateAccount(const std::string& name, CreateAccountResponse* response) {
    CreateAccountRequest request;
    request.mutable_account()->set_name(name);
    return Call(&controller::v1::ControllerService::Stub::CreateAccount, request, response);
  }

  const std::string folder_ = MakeFolder();
  agent::FakeCallControl calls_;
  fleet::FakeFleet fleet_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<ControllerService> service_;
  std::unique_ptr<process::GrpcServer> server_;
  std::unique_ptr<controller::v1::ControllerService::Stub> stub_;
};

using Stub = controller::v1::ControllerService::Stub;

agent::CallDetails TestCall(const std::string& id, agent::CallState state = agent::CallState::kAnswered) {
  agent::CallDetails details;
  details.call.call_id = id;
  details.call.state = state;
  details.call.caller.number = "1001";
  details.call.relay = "relay-1";
  details.call.start_time = kStart;
  return details;
}

TEST_F(Service, MakesAnAccountWithAPasswordThatIsToldOnceAndKeptAsHashesOnly) {
  CreateAccountResponse made;
  const grpc::Status status = CreateAccount("1001", &made);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(made.password().size(), 20u);
  EXPECT_TRUE(made.account().has_create_time());
  const auto account = store_->FindAccount("1001");
  ASSERT_NE(account, nullptr);
  for (const sip::DigestAlgorithm algorithm :
       {sip::DigestAlgorithm::kMd5, sip::DigestAlgorithm::kSha256, sip::DigestAlgorithm::kSha512_256}) {
    const store::DigestHash* digest =
        account->FindDigest("sip.example.org", std::string(sip::DigestAlgorithmName(algorithm)));
    ASSERT_NE(digest, nullptr);
    EXPECT_EQ(digest->hash, sip::HashA1("1001", "sip.example.org", made.password(), algorithm));
  }

  controller::v1::ListAccountsResponse listed;
  ASSERT_TRUE(Call(&Stub::ListAccounts, controller::v1::ListAccountsRequest(), &listed).ok());
  ASSERT_EQ(listed.accounts_size(), 1);
  EXPECT_EQ(listed.ShortDebugString().find(made.password()), std::string::npos);
}

TEST_F(Service, MakesNoTwoPasswordsAlike) {
  CreateAccountResponse first, second;
  ASSERT_TRUE(CreateAccount("1001", &first).ok());
  ASSERT_TRUE(CreateAccount("1002", &second).ok());
  EXPECT_NE(first.password(), second.password());
}

TEST_F(Service, TakesThePasswordThatIsGiven) {
  CreateAccountRequest request;
  request.mutable_account()->set_name("1001");
  request.set_password("correct horse");
  CreateAccountResponse response;
  ASSERT_TRUE(Call(&Stub::CreateAccount, request, &response).ok());
  EXPECT_EQ(response.password(), "correct horse");
  EXPECT_EQ(store_->FindAccount("1001")->FindDigest("sip.example.org", "MD5")->hash,
            sip::HashA1("1001", "sip.example.org", "correct horse", sip::DigestAlgorithm::kMd5));
}

struct WrongAccount {
  const char* description;
  std::string name;
  std::string display_name;
  std::string password;
  const char* error;
};

TEST_F(Service, SaysWhatIsWrongWithAnAccount) {
  for (const WrongAccount& wrong : {
           WrongAccount{"no name", "", "", "", "account.name: has 0 bytes, allowed are 1 to 64"},
           WrongAccount{"a long name", std::string(65, '1'), "", "", "account.name: has 65 bytes"},
           WrongAccount{"a name with a blank", "10 01", "", "", "account.name: '10 01' has a character"},
           WrongAccount{"a name with a line break", "1\n", "", "", "account.name: '1\\n' has a character"},
           WrongAccount{"a name that ends the user part", "1001@evil", "", "", "account.name: '1001@evil'"},
           WrongAccount{"a display name of two lines", "1", "a\r\nVia: x", "", "account.display_name: at most 128"},
           WrongAccount{"a password with a line break", "1", "", "a\nb", "password: at most 128 bytes"},
       }) {
    CreateAccountRequest request;
    request.mutable_account()->set_name(wrong.name);
    request.mutable_account()->set_display_name(wrong.display_name);
    request.set_password(wrong.password);
    CreateAccountResponse response;
    const grpc::Status status = Call(&Stub::CreateAccount, request, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << wrong.description;
    EXPECT_THAT(status.error_message(), HasSubstr(wrong.error)) << wrong.description;
  }
  controller::v1::ListAccountsResponse listed;
  ASSERT_TRUE(Call(&Stub::ListAccounts, controller::v1::ListAccountsRequest(), &listed).ok());
  EXPECT_THAT(listed.accounts(), IsEmpty());
}

TEST_F(Service, RefusesASecondAccountOfTheSameName) {
  CreateAccountResponse response;
  ASSERT_TRUE(CreateAccount("1001", &response).ok());
  EXPECT_EQ(CreateAccount("1001", &response).error_code(), grpc::StatusCode::ALREADY_EXISTS);
}

TEST_F(Service, PagesAccountsByName) {
  CreateAccountResponse made;
  for (const char* name : {"1003", "1001", "1002"}) ASSERT_TRUE(CreateAccount(name, &made).ok());
  std::vector<std::string> names;
  controller::v1::ListAccountsRequest request;
  request.set_page_size(2);
  for (int page = 0; page < 2; ++page) {
    controller::v1::ListAccountsResponse response;
    ASSERT_TRUE(Call(&Stub::ListAccounts, request, &response).ok());
    for (const auto& account : response.accounts()) names.push_back(account.name());
    EXPECT_EQ(response.next_page_token().empty(), page == 1);
    request.set_page_token(response.next_page_token());
  }
  EXPECT_THAT(names, ElementsAre("1001", "1002", "1003"));
}

TEST_F(Service, ChangesWhatTheMaskNamesOfAnAccount) {
  CreateAccountRequest request;
  request.mutable_account()->set_name("1001");
  request.mutable_account()->set_display_name("Alice");
  request.mutable_account()->set_follow_redirections(true);
  request.set_password("correct horse");
  CreateAccountResponse made;
  ASSERT_TRUE(Call(&Stub::CreateAccount, request, &made).ok());
  const std::string hash = store_->FindAccount("1001")->FindDigest("sip.example.org", "MD5")->hash;

  controller::v1::UpdateAccountRequest change;
  change.mutable_account()->set_name("1001");
  change.mutable_account()->set_display_name("Bob");
  change.mutable_account()->set_follow_redirections(false);
  change.mutable_update_mask()->add_paths("follow_redirections");
  controller::v1::UpdateAccountResponse changed;
  grpc::Status status = Call(&Stub::UpdateAccount, change, &changed);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(changed.password(), "");
  EXPECT_EQ(changed.account().display_name(), "Alice");
  EXPECT_EQ(store_->FindAccount("1001")->follow_redirections, false);
  EXPECT_EQ(store_->FindAccount("1001")->FindDigest("sip.example.org", "MD5")->hash, hash);
  EXPECT_EQ(changed.account().create_time().seconds(), made.account().create_time().seconds());

  change.mutable_account()->clear_follow_redirections();
  change.mutable_account()->set_allow_legacy_digest(true);
  for (const char* path : {"display_name", "allow_legacy_digest"}) change.mutable_update_mask()->add_paths(path);
  change.set_password("");
  status = Call(&Stub::UpdateAccount, change, &changed);
  ASSERT_TRUE(status.ok()) << status.error_message();
  const auto account = store_->FindAccount("1001");
  EXPECT_EQ(account->display_name, "Bob");
  EXPECT_TRUE(account->allow_legacy_digest);
  EXPECT_FALSE(account->follow_redirections.has_value());
  EXPECT_EQ(changed.password().size(), 20u);
  EXPECT_EQ(account->FindDigest("sip.example.org", "SHA-256")->hash,
            sip::HashA1("1001", "sip.example.org", changed.password(), sip::DigestAlgorithm::kSha256));
}

TEST_F(Service, SaysWhatIsWrongWithAChangeOfAnAccount) {
  CreateAccountResponse made;
  ASSERT_TRUE(CreateAccount("1001", &made).ok());
  const auto error_of = [&](const std::string& name, const std::string& path, const std::string& display_name = "") {
    controller::v1::UpdateAccountRequest change;
    change.mutable_account()->set_name(name);
    change.mutable_account()->set_display_name(display_name);
    if (!path.empty()) change.mutable_update_mask()->add_paths(path);
    controller::v1::UpdateAccountResponse changed;
    return Call(&Stub::UpdateAccount, change, &changed).error_message();
  };
  EXPECT_THAT(error_of("1002", "display_name"), HasSubstr("account.name: there is no account 1002"));
  EXPECT_THAT(error_of("", "display_name"), HasSubstr("account.name: has 0 bytes"));
  EXPECT_THAT(error_of("1001", ""), HasSubstr("update_mask: is empty; allowed are display_name, "));
  EXPECT_THAT(error_of("1001", "create_time"), HasSubstr("update_mask: 'create_time' cannot be changed"));
  EXPECT_THAT(error_of("1001", "display_name", "a\nb"), HasSubstr("account.display_name: at most 128"));
}

TEST_F(Service, RemovesAnAccountWithItsBindings) {
  CreateAccountResponse made;
  ASSERT_TRUE(CreateAccount("1001", &made).ok());
  store::Binding binding;
  binding.contact = "sip:1001@198.18.3.2:43518";
  binding.transport = "udp";
  binding.source = "198.18.2.9:43518";
  binding.expire_time = absl::Now() + absl::Hours(1);
  binding.behind_nat = true;
  ASSERT_TRUE(store_->ReplaceBindings("1001", store_->FindBindings("1001"), {binding}));

  controller::v1::ListBindingsResponse bindings;
  ASSERT_TRUE(Call(&Stub::ListBindings, controller::v1::ListBindingsRequest(), &bindings).ok());
  ASSERT_EQ(bindings.bindings_size(), 1);
  EXPECT_EQ(bindings.bindings(0).source(), "udp:198.18.2.9:43518");
  EXPECT_TRUE(bindings.bindings(0).behind_nat());

  controller::v1::DeleteAccountRequest request;
  request.set_name("1001");
  controller::v1::DeleteAccountResponse deleted;
  ASSERT_TRUE(Call(&Stub::DeleteAccount, request, &deleted).ok());
  bindings.Clear();
  ASSERT_TRUE(Call(&Stub::ListBindings, controller::v1::ListBindingsRequest(), &bindings).ok());
  EXPECT_EQ(bindings.bindings_size(), 0);
  EXPECT_EQ(Call(&Stub::DeleteAccount, request, &deleted).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(Service, SaysThatAnAccountWhoseBindingsAreAskedForIsUnknown) {
  controller::v1::ListBindingsRequest request;
  request.set_account("1001");
  controller::v1::ListBindingsResponse response;
  const grpc::Status status = Call(&Stub::ListBindings, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "account: there is no account 1001");
}

TEST_F(Service, PagesCallsNewestFirst) {
  for (const char* id : {"c-1", "c-2", "c-3"}) calls_.Add(TestCall(id));
  controller::v1::ListCallsRequest request;
  request.set_page_size(2);
  controller::v1::ListCallsResponse first;
  ASSERT_TRUE(Call(&Stub::ListCalls, request, &first).ok());
  ASSERT_EQ(first.calls_size(), 2);
  EXPECT_EQ(first.calls(0).call_id(), "c-3");
  EXPECT_EQ(first.calls(0).state(), controller::v1::CALL_STATE_ANSWERED);
  EXPECT_FALSE(first.calls(0).has_end_time());
  request.set_page_token(first.next_page_token());
  controller::v1::ListCallsResponse second;
  ASSERT_TRUE(Call(&Stub::ListCalls, request, &second).ok());
  ASSERT_EQ(second.calls_size(), 1);
  EXPECT_EQ(second.calls(0).call_id(), "c-1");
  EXPECT_EQ(second.next_page_token(), "");
}

TEST_F(Service, RefusesPagesThatCannotBe) {
  controller::v1::ListCallsRequest request;
  request.set_page_size(-1);
  controller::v1::ListCallsResponse response;
  grpc::Status status = Call(&Stub::ListCalls, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "page_size: -1 is negative; allowed are 1 to 1000, and 0 for 100");
  request.set_page_size(0);
  request.set_page_token("never given");
  status = Call(&Stub::ListCalls, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(Service, ShowsALiveCallWithTheMediaThatItsRelayTells) {
  agent::CallDetails details = TestCall("c-1");
  details.ladder.push_back({kStart, agent::LadderPeer::kCaller, true, false, "INVITE sip:1002@198.18.1.1 SIP/2.0",
                            "198.18.1.2:45426", "udp", "INVITE and so on"});
  calls_.Add(details);
  relay::v1::Session session;
  session.set_session_id("c-1");
  session.add_streams()->add_legs();
  fleet_.CreateSession(session, [](const auto& placed) { ASSERT_TRUE(placed.ok()); });

  controller::v1::GetCallRequest request;
  request.set_call_id("c-1");
  controller::v1::GetCallResponse response;
  ASSERT_TRUE(Call(&Stub::GetCall, request, &response).ok());
  EXPECT_EQ(response.call().relay(), "relay-1");
  EXPECT_EQ(response.media().session_id(), "c-1");
  ASSERT_EQ(response.ladder_size(), 1);
  EXPECT_EQ(response.ladder(0).peer(), controller::v1::LADDER_PEER_CALLER);
  EXPECT_EQ(response.ladder(0).message(), "");
  request.set_include_messages(true);
  ASSERT_TRUE(Call(&Stub::GetCall, request, &response).ok());
  EXPECT_EQ(response.ladder(0).message(), "INVITE and so on");
}

TEST_F(Service, ShowsACallWithoutMediaWhenTheRelayDoesNotAnswer) {
  calls_.Add(TestCall("c-1"));
  fleet_.SetReachable(false);
  controller::v1::GetCallRequest request;
  request.set_call_id("c-1");
  controller::v1::GetCallResponse response;
  ASSERT_TRUE(Call(&Stub::GetCall, request, &response).ok());
  EXPECT_FALSE(response.has_media());
}

TEST_F(Service, AnswersAlsoWhereAPhonesNameIsNoUtf8) {
  agent::CallDetails details = TestCall("c-1");
  details.call.caller.display_name = "J\xfcrgen";
  details.ladder.push_back({kStart, agent::LadderPeer::kCaller, true, false, "INVITE sip:\xff SIP/2.0", "", "udp", ""});
  calls_.Add(details);
  controller::v1::GetCallRequest request;
  request.set_call_id("c-1");
  controller::v1::GetCallResponse response;
  const grpc::Status status = Call(&Stub::GetCall, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.call().caller().display_name(), "J?rgen");
  EXPECT_EQ(response.ladder(0).first_line(), "INVITE sip:? SIP/2.0");
}

TEST_F(Service, SaysWhichCallThereIsNot) {
  controller::v1::GetCallRequest request;
  request.set_call_id("c-1");
  controller::v1::GetCallResponse response;
  EXPECT_EQ(Call(&Stub::GetCall, request, &response).error_code(), grpc::StatusCode::NOT_FOUND);
  request.set_call_id("");
  const grpc::Status status = Call(&Stub::GetCall, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "call_id: has 0 bytes, allowed are 1 to 128");
}

TEST_F(Service, HangsUpOnce) {
  calls_.Add(TestCall("c-1"));
  controller::v1::HangUpCallRequest request;
  request.set_call_id("c-1");
  controller::v1::HangUpCallResponse response;
  EXPECT_TRUE(Call(&Stub::HangUpCall, request, &response).ok());
  EXPECT_EQ(Call(&Stub::HangUpCall, request, &response).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(Service, DrainsAndUndrains) {
  controller::v1::DrainControllerResponse drained;
  EXPECT_TRUE(Call(&Stub::DrainController, controller::v1::DrainControllerRequest(), &drained).ok());
  controller::v1::GetStatisticsResponse statistics;
  EXPECT_TRUE(Call(&Stub::GetStatistics, controller::v1::GetStatisticsRequest(), &statistics).ok());
  EXPECT_TRUE(statistics.draining());
  controller::v1::UndrainControllerResponse undrained;
  EXPECT_TRUE(Call(&Stub::UndrainController, controller::v1::UndrainControllerRequest(), &undrained).ok());
  EXPECT_TRUE(Call(&Stub::GetStatistics, controller::v1::GetStatisticsRequest(), &statistics).ok());
  EXPECT_FALSE(statistics.draining());
}

TEST_F(Service, ListsCallRecordsOfAPeriod) {
  for (int hour = 0; hour < 3; ++hour) {
    store::CallRecord record;
    record.call_id = absl::StrCat("c-", hour);
    record.start_time = kStart + absl::Hours(hour);
    record.answer_time = record.start_time + absl::Seconds(2);
    record.end_time = record.start_time + absl::Seconds(67);
    record.ended_by = store::EndedBy::kCallee;
    store_->AppendCallRecord(record);
  }
  controller::v1::ListCallRecordsRequest request;
  request.mutable_start_time_from()->set_seconds(absl::ToUnixSeconds(kStart + absl::Minutes(30)));
  controller::v1::ListCallRecordsResponse response;
  ASSERT_TRUE(Call(&Stub::ListCallRecords, request, &response).ok());
  ASSERT_EQ(response.records_size(), 2);
  EXPECT_EQ(response.records(0).call().call_id(), "c-2");
  EXPECT_EQ(response.records(0).talk_duration().seconds(), 65);
  EXPECT_EQ(response.records(0).call().end_cause().ended_by(), controller::v1::ENDED_BY_CALLEE);

  request.mutable_start_time_to()->set_seconds(absl::ToUnixSeconds(kStart));
  const grpc::Status status = Call(&Stub::ListCallRecords, request, &response);
  EXPECT_EQ(status.error_message(), "start_time_to: is before start_time_from");
}

TEST_F(Service, TellsTheLegsOfARecordAndOfACall) {
  const store::LegRecord tried = {.leg = 2,
                                  .side = store::CallSide::kCallee,
                                  .number = "030123",
                                  .account = "carrier",
                                  .sip_call_id = "b\xff",
                                  .peer = "udp:198.18.3.1:5060",
                                  .user_agent = "Carrier",
                                  .start_time = kStart,
                                  .end_time = kStart + absl::Milliseconds(1500),
                                  .sip_status = 503,
                                  .q850_cause = 41,
                                  .ended_by = store::EndedBy::kCallee};
  const store::LegRecord talks = {.leg = 3,
                                  .side = store::CallSide::kCallee,
                                  .start_time = kStart,
                                  .ring_time = kStart,
                                  .answer_time = kStart + absl::Seconds(2),
                                  .sip_status = 200};
  store_->AppendCallRecord({.call_id = "c-1", .start_time = kStart, .legs = {tried}});
  controller::v1::ListCallRecordsResponse records;
  ASSERT_TRUE(Call(&Stub::ListCallRecords, controller::v1::ListCallRecordsRequest(), &records).ok());
  ASSERT_EQ(records.records_size(), 1);
  ASSERT_EQ(records.records(0).legs_size(), 1);
  const controller::v1::LegRecord& leg = records.records(0).legs(0);
  EXPECT_EQ(leg.leg_id(), "c-1-2");
  EXPECT_EQ(leg.side(), controller::v1::CALL_SIDE_CALLEE);
  EXPECT_EQ(leg.number(), "030123");
  EXPECT_EQ(leg.account(), "carrier");
  EXPECT_EQ(leg.sip_call_id(), "b?");
  EXPECT_EQ(leg.peer(), "udp:198.18.3.1:5060");
  EXPECT_EQ(leg.user_agent(), "Carrier");
  EXPECT_EQ(leg.start_time().seconds(), absl::ToUnixSeconds(kStart));
  EXPECT_FALSE(leg.has_ring_time());
  EXPECT_FALSE(leg.has_answer_time());
  EXPECT_EQ(leg.end_time().nanos(), 500'000'000);
  EXPECT_EQ(leg.end_cause().sip_status(), 503u);
  EXPECT_EQ(leg.end_cause().q850_cause(), 41u);
  EXPECT_EQ(leg.end_cause().ended_by(), controller::v1::ENDED_BY_CALLEE);

  agent::CallDetails details = TestCall("c-2");
  details.legs = {tried, talks};
  calls_.Add(details);
  controller::v1::GetCallRequest request;
  request.set_call_id("c-2");
  controller::v1::GetCallResponse response;
  ASSERT_TRUE(Call(&Stub::GetCall, request, &response).ok());
  ASSERT_EQ(response.legs_size(), 2);
  EXPECT_EQ(response.legs(1).leg_id(), "c-2-3");
  EXPECT_EQ(response.legs(1).answer_time().seconds(), absl::ToUnixSeconds(kStart) + 2);
  EXPECT_FALSE(response.legs(1).has_end_cause()) << "it goes on";
}

TEST_F(Service, TellsRelaysAndStatistics) {
  agent::SignalingStatistics statistics;
  statistics.calls_started = 10;
  statistics.received_messages = {{"INVITE", 10}};
  statistics.refused_calls = {{486, 2}};
  statistics.start_time = kStart;
  statistics.trunks = {{.name = "carrier",
                        .peers = {"udp:198.18.3.1:5060"},
                        .registration = {agent::TrunkBook::State::kRegistered, kStart + absl::Seconds(60), ""},
                        .usage = {.calls = 3, .refused = 1}},
                       {.name = "other"}};
  calls_.SetStatistics(statistics);
  controller::v1::GetStatisticsResponse response;
  ASSERT_TRUE(Call(&Stub::GetStatistics, controller::v1::GetStatisticsRequest(), &response).ok());
  EXPECT_EQ(response.calls_started(), 10u);
  EXPECT_EQ(response.received_messages().at("INVITE"), 10u);
  EXPECT_EQ(response.refused_calls().at(486), 2u);

  fleet_.SetReachable(false);
  controller::v1::ListRelaysResponse relays;
  ASSERT_TRUE(Call(&Stub::ListRelays, controller::v1::ListRelaysRequest(), &relays).ok());
  ASSERT_EQ(relays.relays_size(), 1);
  EXPECT_EQ(relays.relays(0).name(), "relay-1");
  EXPECT_EQ(relays.relays(0).health(), controller::v1::RELAY_HEALTH_DOWN);

  controller::v1::ListTrunksResponse trunks;
  ASSERT_TRUE(Call(&Stub::ListTrunks, controller::v1::ListTrunksRequest(), &trunks).ok());
  ASSERT_EQ(trunks.trunks_size(), 2);
  EXPECT_EQ(trunks.trunks(0).peers(0), "udp:198.18.3.1:5060");
  EXPECT_EQ(trunks.trunks(0).registration(), controller::v1::TRUNK_REGISTRATION_REGISTERED);
  EXPECT_EQ(trunks.trunks(0).expire_time().seconds(), absl::ToUnixSeconds(kStart) + 60);
  EXPECT_EQ(trunks.trunks(0).calls(), 3u);
  EXPECT_EQ(trunks.trunks(0).refused_calls(), 1u);
  EXPECT_EQ(trunks.trunks(1).registration(), controller::v1::TRUNK_REGISTRATION_NONE);
  EXPECT_FALSE(trunks.trunks(1).has_expire_time());
}

}  // namespace
}  // namespace sluice::service
