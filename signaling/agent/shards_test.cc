// Shards with real sockets and threads, two phones on loopback.
#include "signaling/agent/shards.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "signaling/agent/phone_fake.h"
#include "signaling/cluster/cluster_fake.h"
#include "signaling/fleet/fleet_fake.h"
#include "signaling/store/sqlite_store.h"
#include "signaling/transport/sockaddr.h"

namespace sluice::agent {
namespace {

constexpr int kLimitMilliseconds = 10000;

// One UDP socket on loopback, connected to the server.
class UdpLine final : public PhoneLine {
 public:
  explicit UdpLine(const sip::Endpoint& server) : socket_(socket(AF_INET, SOCK_DGRAM, 0)) {
    sockaddr_storage address;
    const socklen_t length = transport::ToSockaddr(server, address);
    EXPECT_EQ(connect(socket_, reinterpret_cast<const sockaddr*>(&address), length), 0);
  }
  ~UdpLine() override { close(socket_); }

  sip::Hop hop() const {
    sockaddr_storage address;
    socklen_t length = sizeof(address);
    EXPECT_EQ(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length), 0);
    return {.remote = *transport::FromSockaddr(reinterpret_cast<const sockaddr*>(&address))};
  }

  void Deliver(const sip::Hop&, absl::string_view message) override {
    EXPECT_EQ(send(socket_, message.data(), message.size(), 0), static_cast<ssize_t>(message.size()));
  }

  std::optional<std::string> Take(const sip::Hop&) override {
    pollfd waiting{.fd = socket_, .events = POLLIN};
    if (poll(&waiting, 1, kLimitMilliseconds) != 1) return std::nullopt;
    std::string bytes(65536, '\0');
    const ssize_t size = recv(socket_, bytes.data(), bytes.size(), 0);
    bytes.resize(static_cast<size_t>(std::max<ssize_t>(size, 0)));
    return bytes;
  }

 private:
  const int socket_;
};

class ShardsTest : public testing::Test {
 protected:
  struct StandingCall {
    sip::Message invite;
    sip::Message answered;
  };

  explicit ShardsTest(bool keeps_calls = false, const std::string& store_file = ":memory:")
      : store_(*store::OpenSqliteStore({.file = store_file})) {
    EXPECT_TRUE(store_->CreateAccount(MakePhoneAccount("20002230001", "secret")).ok());
    EXPECT_TRUE(store_->CreateAccount(MakePhoneAccount("20002230000", "secret")).ok());
    options_.shards = 2;
    options_.agent.authentication.realm = std::string(kPhoneRealm);
    options_.agent.present.calls = std::make_shared<call::CallOptions>();
    options_.agent.domains = {"198.18.1.1"};
    options_.agent.keeps_calls = keeps_calls;
    options_.transport.listeners.push_back({sip::Protocol::kUdp, *sip::Endpoint::Parse("127.0.0.1:0"), ""});
    Start();
    const sip::Endpoint server = shards_->listeners()[0].address;
    a_line_ = std::make_unique<UdpLine>(server);
    b_line_ = std::make_unique<UdpLine>(server);
    a_ = std::make_unique<Phone>(*a_line_, "20002230001", a_line_->hop().remote.ToString(), a_line_->hop());
    b_ = std::make_unique<Phone>(*b_line_, "20002230000", b_line_->hop().remote.ToString(), b_line_->hop());
  }

  void Start() {
    auto started = Shards::Start(options_, fleet_, *store_, nullptr, &cluster_);
    ASSERT_TRUE(started.ok()) << started.status();
    shards_ = *std::move(started);
    // Where the phones find it again.
    options_.transport.listeners = shards_->listeners();
  }

  StandingCall Establish() {
    StandingCall call;
    call.invite = a_->SendAuthorized(a_->NewInvite("20002230000"));
    EXPECT_EQ(a_->Receive().status(), 100);
    b_->Send(b_->Answer(b_->Receive(), 200));
    EXPECT_EQ(b_->Receive().method(), sip::Method::kAck);
    call.answered = a_->Receive();
    EXPECT_EQ(call.answered.status(), 200);
    a_->Send(a_->AckOf(call.invite, call.answered));
    return call;
  }

  static void AnswerBye(Phone& phone) {
    const sip::Message bye = phone.Receive();
    EXPECT_EQ(bye.method(), sip::Method::kBye);
    phone.Send(phone.Answer(bye, 200));
  }

  CallPage List(size_t page_size, const std::string& token) {
    std::promise<absl::StatusOr<CallPage>> answer;
    shards_->ListCalls(page_size, token, [&](absl::StatusOr<CallPage> page) { answer.set_value(std::move(page)); });
    absl::StatusOr<CallPage> page = answer.get_future().get();
    EXPECT_TRUE(page.ok()) << page.status();
    return *std::move(page);
  }

  absl::Status HangUp(const std::string& call_id) {
    std::promise<absl::Status> answer;
    shards_->HangUpCall(call_id, [&](absl::Status status) { answer.set_value(std::move(status)); });
    return answer.get_future().get();
  }

  cluster::FakeCluster cluster_{5};
  fleet::FakeFleet fleet_;
  std::unique_ptr<store::Store> store_;
  ShardsOptions options_;
  std::unique_ptr<Shards> shards_;
  std::unique_ptr<UdpLine> a_line_;
  std::unique_ptr<UdpLine> b_line_;
  std::unique_ptr<Phone> a_;
  std::unique_ptr<Phone> b_;
};

TEST_F(ShardsTest, ListsTheCallsOfAllShardsNewestFirst) {
  EXPECT_EQ(b_->Register().status(), 200);
  std::vector<std::string> started;
  for (int i = 0; i < 5; ++i) started.insert(started.begin(), std::string(Establish().invite.CallId()));
  std::vector<std::string> listed;
  std::string token;
  do {
    const CallPage page = List(2, token);
    EXPECT_LE(page.calls.size(), 2u);
    for (const CallSummary& call : page.calls) listed.push_back(call.caller.sip_call_id);
    token = page.next_token;
  } while (!token.empty());
  EXPECT_EQ(listed, started);
  EXPECT_EQ(shards_->Statistics().calls, 5u);
  EXPECT_EQ(shards_->Statistics().calls_answered, 5u);
}

TEST_F(ShardsTest, EndsACallByItsNameWhereverItLives) {
  EXPECT_EQ(b_->Register().status(), 200);
  for (int i = 0; i < 3; ++i) {
    Establish();
    const std::string call_id = List(1, "").calls.at(0).call_id;
    EXPECT_TRUE(HangUp(call_id).ok());
    AnswerBye(*a_);
    AnswerBye(*b_);
  }
  EXPECT_TRUE(absl::IsNotFound(HangUp("0123456789abcdef0123456789abcdef")));
}

TEST_F(ShardsTest, GivesADetailedViewOfACall) {
  EXPECT_EQ(b_->Register().status(), 200);
  Establish();
  const std::string call_id = List(1, "").calls.at(0).call_id;
  std::promise<absl::StatusOr<CallDetails>> answer;
  shards_->GetCall(call_id, true, [&](absl::StatusOr<CallDetails> details) { answer.set_value(std::move(details)); });
  const absl::StatusOr<CallDetails> details = answer.get_future().get();
  ASSERT_TRUE(details.ok()) << details.status();
  EXPECT_EQ(details->call.state, CallState::kAnswered);
  EXPECT_EQ(details->ladder.front().first_line, "INVITE sip:20002230000@198.18.1.1 SIP/2.0");
  EXPECT_FALSE(details->ladder.front().message.empty());
}

TEST_F(ShardsTest, FindsACallThatIsToBeReplacedWhereverItLives) {
  EXPECT_EQ(b_->Register().status(), 200);
  // Eight calls, which are on both shards, and as many REFERs to what they replace.
  const StandingCall first = Establish();
  for (int i = 0; i < 8; ++i) {
    const StandingCall other = Establish();
    sip::Message refer = a_->InDialog("REFER", first.invite, first.answered);
    refer.Set(sip::Header::kCSeq, absl::StrCat(100 + i, " REFER"));
    refer.Add(sip::Header::kReferTo,
              absl::StrCat("<sip:20002230000@198.18.1.1?Replaces=", other.invite.CallId(), "%3Bto-tag%3D",
                           other.answered.ToTag(), "%3Bfrom-tag%3D", other.invite.FromTag(), ">"));
    refer.Add("Refer-Sub", "false");
    a_->Send(refer);
    EXPECT_EQ(a_->Receive().status(), 202);
    const sip::Message invite = b_->Receive();
    EXPECT_TRUE(invite.Has(sip::Header::kReplaces)) << invite.Serialize();
    b_->Send(b_->Answer(invite, 486));
    EXPECT_EQ(b_->Receive().method(), sip::Method::kAck);
  }
}

TEST_F(ShardsTest, EndsAllCallsAndWritesTheirRecordsBeforeItStops) {
  EXPECT_EQ(b_->Register().status(), 200);
  Establish();
  std::future<bool> stopped = std::async(std::launch::async, [&] { return shards_->Stop(absl::Seconds(10)); });
  AnswerBye(*a_);
  AnswerBye(*b_);
  EXPECT_TRUE(stopped.get());
  const auto records = store_->ListCallRecords({});
  ASSERT_TRUE(records.ok());
  ASSERT_EQ(records->items.size(), 1u);
  EXPECT_EQ(records->items[0].ended_by, store::EndedBy::kController);
  EXPECT_TRUE(fleet_.Sessions().empty());
}

TEST_F(ShardsTest, RefuseNewCallsWhileTheyDrainAndGoOnWithTheOthers) {
  EXPECT_EQ(b_->Register().status(), 200);
  const StandingCall call = Establish();
  shards_->SetDraining(true);
  EXPECT_TRUE(shards_->Statistics().draining);
  const sip::Message invite = a_->NewInvite("20002230000");
  a_->Send(invite);
  const sip::Message refusal = a_->Receive();
  EXPECT_EQ(refusal.status(), 503);
  EXPECT_TRUE(refusal.Has(sip::Header::kRetryAfter));
  a_->Send(a_->AckOf(invite, refusal));
  a_->Send(a_->NewRequest("OPTIONS", "20002230000"));
  EXPECT_EQ(a_->Receive().status(), 503);
  EXPECT_EQ(b_->Register().status(), 200);
  a_->Send(a_->InDialog("BYE", call.invite, call.answered));
  EXPECT_EQ(a_->Receive().status(), 200);
  AnswerBye(*b_);
  shards_->SetDraining(false);
  Establish();
}

TEST_F(ShardsTest, DoesNotWaitForPhonesThatAreGone) {
  EXPECT_EQ(b_->Register().status(), 200);
  Establish();
  EXPECT_FALSE(shards_->Stop(absl::ZeroDuration()));
}

class KeepingShardsTest : public ShardsTest {
 protected:
  KeepingShardsTest() : ShardsTest(true, FreshFile()) {}

  static std::string File() { return absl::StrCat(testing::TempDir(), "/standing.db"); }
  static std::string FreshFile() {
    std::remove(File().c_str());
    return File();
  }

  // Calls that stand while the shards stop.
  void LeaveCalls() {
    EXPECT_EQ(b_->Register().status(), 200);
    for (int i = 0; i < 4; ++i) {
      calls_.push_back(Establish());
      // Once it is answered, the ACK has come too.
      a_->Send(a_->InDialog("INFO", calls_.back().invite, calls_.back().answered));
      b_->Send(b_->Answer(b_->Receive(), 200));
      EXPECT_EQ(a_->Receive().status(), 200);
    }
    EXPECT_TRUE(shards_->Stop(absl::Seconds(10)));
    shards_ = nullptr;
    EXPECT_TRUE(store_->Flush(absl::Seconds(10)).ok());
    EXPECT_EQ(fleet_.Sessions().size(), calls_.size());
  }
  void HangUpAll() {
    for (const StandingCall& call : calls_) {
      sip::Message bye = a_->InDialog("BYE", call.invite, call.answered);
      bye.Set(sip::Header::kCSeq, "9 BYE");
      a_->Send(bye);
      EXPECT_EQ(a_->Receive().status(), 200);
      AnswerBye(*b_);
    }
    EXPECT_TRUE(shards_->Stop(absl::Seconds(10)));
  }

  std::vector<StandingCall> calls_;
};

TEST_F(KeepingShardsTest, LeaveCallsToTheNextRunWhenTheyStop) {
  LeaveCalls();
  store_ = nullptr;
  store_ = *store::OpenSqliteStore({.file = File()});
  Start();
  EXPECT_EQ(shards_->restoration().restored, calls_.size());
  EXPECT_EQ(shards_->restoration().lost, 0u) << shards_->restoration().reason;
  HangUpAll();
  const auto records = store_->ListCallRecords({});
  ASSERT_TRUE(records.ok());
  EXPECT_EQ(records->items.size(), calls_.size());
  EXPECT_TRUE(fleet_.Sessions().empty());
}

TEST_F(KeepingShardsTest, GoOnWithTheCallsOfAControllerThatIsGone) {
  LeaveCalls();
  std::vector<store::StandingCall> kept = (*store::OpenSqliteStore({.file = File()}))->TakeStandingCalls();
  kept.push_back({"0123456789abcdef0123456789abcdef", "damaged"});
  std::promise<std::pair<std::string, Restoration>> told;
  options_.on_takeover = [&](const std::string& name, const Restoration& restoration) {
    told.set_value({name, restoration});
  };
  Start();
  cluster_.TakeOver({.number = 4, .name = "controller-2", .epoch = 41}, kept);
  const auto [name, restoration] = told.get_future().get();
  EXPECT_EQ(name, "controller-2");
  EXPECT_EQ(restoration.restored, calls_.size());
  EXPECT_EQ(restoration.lost, 1u);
  EXPECT_NE(restoration.reason.find("damaged"), std::string::npos) << restoration.reason;
  EXPECT_EQ(fleet_.Fences(), (std::vector<std::pair<std::string, uint64_t>>{{"controller-2", 42}}));
  HangUpAll();
}

TEST_F(KeepingShardsTest, StandStillOnceAnotherHasTheirCalls) {
  EXPECT_EQ(b_->Register().status(), 200);
  Establish();
  std::string successor;
  options_.on_ousted = [&](const std::string& name) { successor = name; };
  shards_ = nullptr;
  Start();
  const StandingCall call = Establish();
  cluster_.Oust("controller-2");
  EXPECT_EQ(successor, "controller-2");
  a_->Send(a_->InDialog("BYE", call.invite, call.answered));
  shards_ = nullptr;
  EXPECT_EQ(fleet_.Sessions().size(), 2u);
  EXPECT_TRUE(store_->ListCallRecords({})->items.empty());
}

TEST_F(ShardsTest, TakesOnlyTokensThatAPageHasGiven) {
  for (const std::string token : {"x", "-", "12", "later-call"}) {
    std::promise<absl::StatusOr<CallPage>> answer;
    shards_->ListCalls(10, token, [&](absl::StatusOr<CallPage> page) { answer.set_value(std::move(page)); });
    EXPECT_TRUE(absl::IsInvalidArgument(answer.get_future().get().status())) << token;
  }
}

TEST(Shards, SaysWhichListenerCannotBeOpened) {
  fleet::FakeFleet fleet;
  const std::unique_ptr<store::Store> store = *store::OpenSqliteStore({.file = ":memory:"});
  ShardsOptions options;
  options.agent.present.calls = std::make_shared<call::CallOptions>();
  options.transport.listeners.push_back({sip::Protocol::kUdp, *sip::Endpoint::Parse("198.18.255.254:5060"), ""});
  const auto started = Shards::Start(options, fleet, *store);
  ASSERT_FALSE(started.ok());
  EXPECT_NE(started.status().message().find("198.18.255.254:5060"), absl::string_view::npos);
}

}  // namespace
}  // namespace sluice::agent
