// One of several controllers: requests in dialogs that others have, and calls of others that go on here.
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "signaling/agent/agent_test_bed.h"
#include "signaling/agent/id_source.h"
#include "signaling/cluster/cluster_fake.h"
#include "signaling/sip/hop.h"
#include "signaling/store/sqlite_store.h"

namespace sluice::agent {
namespace {

constexpr cluster::RunNumber kOurRun = 0x00ab;
constexpr cluster::RunNumber kTheirRun = 0x12cd;
// Of ours; the phones know another one.
constexpr absl::string_view kUs = "198.18.1.4:7080";
constexpr absl::string_view kThem = "198.18.1.5:7080";
constexpr absl::string_view kThird = "198.18.1.6:7080";
constexpr absl::string_view kTheirTag = "12cd456789abcdef";
// Longer than a request waits for somebody who has its dialog.
constexpr absl::Duration kPatience = absl::Seconds(4);

cluster::Whereabouts At(absl::string_view address) { return {sip::Protocol::kUdp, *sip::Endpoint::Parse(address)}; }

std::string FreshFile(absl::string_view whose) {
  const std::string file = absl::StrCat(testing::TempDir(), "/",
                                        testing::UnitTest::GetInstance()->current_test_info()->name(), whose, ".db");
  std::remove(file.c_str());
  return file;
}

class AgentClusterTest : public testing::Test {
 protected:
  AgentClusterTest() {
    bed_.AddAccount("20002230001", "secret");
    bed_.AddAccount("20002230000", "secret");
    EXPECT_EQ(b_.Register().status(), 200);
  }
  ~AgentClusterTest() override { EXPECT_EQ(bed_.RemainsAfterAll(), Agent::Remains()); }

  void Establish() {
    invite_ = a_.SendAuthorized(a_.NewInvite("20002230000"));
    EXPECT_EQ(a_.Receive().status(), 100);
    offered_ = b_.Receive();
    answer_ = b_.Answer(offered_, 200);
    b_.Send(answer_);
    EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
    answered_ = a_.Receive();
    a_.Send(a_.AckOf(invite_, answered_));
  }
  static void AnswerBye(Phone& phone) {
    const sip::Message bye = phone.Receive();
    EXPECT_EQ(bye.method(), sip::Method::kBye);
    phone.Send(phone.Answer(bye, 200));
  }
  void HangUp() {
    a_.Send(a_.InDialog("BYE", invite_, answered_));
    EXPECT_EQ(a_.Receive().status(), 200);
    AnswerBye(b_);
  }

  // A request of A in a dialog whose other end is another controller.
  sip::Message InTheirDialog(absl::string_view method) {
    sip::Message request = a_.NewRequest(method, "20002230000");
    request.Set(sip::Header::kTo, absl::StrCat(request.Get(sip::Header::kTo), ";tag=", kTheirTag));
    return request;
  }
  bool Has(const Phone& phone) { return bed_.network().Has(phone.hop().remote); }

  cluster::FakeCluster cluster_{kOurRun, At(kUs)};
  const std::string file_ = FreshFile("");
  AgentTestBed bed_{[](AgentOptions&) {}, file_, &cluster_};
  Phone a_ = bed_.NewPhone("20002230001", "198.18.1.2:45426", "198.18.1.2:45426");
  Phone b_ = bed_.NewPhone("20002230000", "192.168.2.63:43518", "198.18.2.9:50518");
  // The other controllers.
  Phone them_ = bed_.NewPhone("them", kThem, kThem);
  Phone third_ = bed_.NewPhone("third", kThird, kThird);
  sip::Message invite_;
  sip::Message offered_;
  sip::Message answer_;
  sip::Message answered_;
};

TEST_F(AgentClusterTest, ItsTagsSayWhoseTheyAre) {
  Establish();
  EXPECT_EQ(IdSource::RunOf(answered_.ToTag()), kOurRun);
  EXPECT_EQ(IdSource::RunOf(offered_.FromTag()), kOurRun);
  EXPECT_NE(answered_.ToTag(), offered_.FromTag());
  HangUp();
}

// B, as another controller has registered it.
TEST_F(AgentClusterTest, CallsAPhoneThatHasRegisteredElsewhereFromItsOwnAddress) {
  const auto seen = bed_.store().FindBindings("20002230000");
  store::BindingSet elsewhere = *seen;
  ASSERT_EQ(elsewhere.size(), 1u);
  elsewhere[0].local = std::string(kThem);
  ASSERT_TRUE(bed_.store().AdoptBindings("20002230000", seen, elsewhere));
  Establish();
  EXPECT_EQ(bed_.network().latest_hop().local.ToString(), AgentTestBed::kServer);
  EXPECT_TRUE(absl::StrContains(offered_.Get(sip::Header::kContact), AgentTestBed::kServer));
  HangUp();
}

TEST_F(AgentClusterTest, KeepsNatsOpenOnlyForWhoHasRegisteredHere) {
  AgentTestBed bed([](AgentOptions& options) { options.keepalive_interval = absl::Seconds(10); }, FreshFile("-nat"),
                   &cluster_);
  bed.AddAccount("20002230000", "secret");
  Phone b = bed.NewPhone("20002230000", "192.168.2.63:43518", "198.18.2.9:50518");
  ASSERT_EQ(b.Register().status(), 200);
  bed.Pass(absl::Seconds(11));
  EXPECT_EQ(b.Receive().method(), sip::Method::kOptions);
  bed.Pass(absl::Seconds(40));
  while (bed.network().Has(b.hop().remote)) b.Receive();
  const auto seen = bed.store().FindBindings("20002230000");
  store::BindingSet elsewhere = *seen;
  elsewhere[0].local = std::string(kThem);
  ASSERT_TRUE(bed.store().AdoptBindings("20002230000", seen, elsewhere));
  // Those that were sent before are sent no more.
  bed.Pass(absl::Seconds(40));
  while (bed.network().Has(b.hop().remote)) b.Receive();
  bed.Pass(absl::Seconds(40));
  EXPECT_FALSE(bed.network().Has(b.hop().remote));
}

TEST_F(AgentClusterTest, PassesARequestToWhoHasItsDialogAndTheAnswerBack) {
  cluster_.SetOwner(kTheirRun, At(kThem));
  sip::Message bye = InTheirDialog("BYE");
  bye.AddFirst(sip::Header::kVia, "SIP/2.0/UDP 198.18.1.2:45426;branch=z9hG4bKouter;rport");
  bye.Add("X-Unknown", "stays");
  a_.Send(bye);
  const sip::Message passed = them_.Receive();
  EXPECT_EQ(passed.method(), sip::Method::kBye);
  EXPECT_EQ(passed.CallId(), bye.CallId());
  EXPECT_EQ(passed.ToTag(), kTheirTag);
  EXPECT_EQ(passed.MaxForwards(), 69u);
  EXPECT_EQ(passed.Get("X-Unknown"), "stays");
  EXPECT_EQ(passed.Elements(sip::Header::kVia).size(), 1u);
  EXPECT_TRUE(absl::StrContains(passed.Get(sip::Header::kVia), kUs));
  EXPECT_EQ(bed_.network().latest_hop().local.ToString(), kUs);
  them_.Send(them_.Answer(passed, 200));
  const sip::Message answer = a_.Receive();
  EXPECT_EQ(answer.status(), 200);
  ASSERT_EQ(answer.Elements(sip::Header::kVia).size(), 2u);
  EXPECT_EQ(answer.TopBranch(), "z9hG4bKouter");
  EXPECT_EQ(answer.Get("User-Agent"), "Zed-3-PDA");
}

TEST_F(AgentClusterTest, PassesAReInviteWithItsAckAndRepeatsBoth) {
  cluster_.SetOwner(kTheirRun, At(kThem));
  const sip::Message invite = InTheirDialog("INVITE");
  a_.Send(invite);
  const sip::Message passed = them_.Receive();
  EXPECT_EQ(passed.method(), sip::Method::kInvite);
  them_.Send(them_.Answer(passed, 180));
  EXPECT_EQ(a_.Receive().status(), 180);
  const sip::Message success = them_.Answer(passed, 200);
  them_.Send(success);
  const sip::Message answer = a_.Receive();
  EXPECT_EQ(answer.status(), 200);
  // The first copy is lost on its way, and repeated by who has made it, not in between.
  bed_.Pass(absl::Seconds(2));
  EXPECT_FALSE(Has(a_));
  them_.Send(success);
  EXPECT_EQ(a_.Receive().status(), 200);
  a_.Send(a_.AckOf(invite, answer));
  const sip::Message ack = them_.Receive();
  EXPECT_EQ(ack.method(), sip::Method::kAck);
  EXPECT_EQ(ack.Elements(sip::Header::kVia).size(), 1u);
  them_.Send(success);
  EXPECT_EQ(them_.Receive().method(), sip::Method::kAck);
}

TEST_F(AgentClusterTest, HearsNoMoreOfAReInviteWhoseAckTakesAnotherWay) {
  cluster_.SetOwner(kTheirRun, At(kThem));
  a_.Send(InTheirDialog("INVITE"));
  them_.Send(them_.Answer(them_.Receive(), 200));
  EXPECT_EQ(a_.Receive().status(), 200);
  bed_.Pass(absl::Seconds(33));
  EXPECT_FALSE(Has(a_));
}

TEST_F(AgentClusterTest, PassesACancelAndTheEndOfWhatItCancels) {
  cluster_.SetOwner(kTheirRun, At(kThem));
  const sip::Message invite = InTheirDialog("INVITE");
  a_.Send(invite);
  const sip::Message passed = them_.Receive();
  them_.Send(them_.Answer(passed, 180));
  EXPECT_EQ(a_.Receive().status(), 180);
  sip::Message cancel = invite;
  cancel = a_.AckOf(invite, them_.Answer(invite, 487));
  cancel = sip::Message::Parse(absl::StrCat("CANCEL", cancel.Serialize().substr(3))).message;
  cancel.Set(sip::Header::kCSeq, absl::StrCat(invite.CSeqNumber(), " CANCEL"));
  a_.Send(cancel);
  EXPECT_EQ(a_.Receive().status(), 200);
  const sip::Message cancelled = them_.Receive();
  EXPECT_EQ(cancelled.method(), sip::Method::kCancel);
  EXPECT_EQ(cancelled.TopBranch(), passed.TopBranch());
  them_.Send(them_.Answer(cancelled, 200));
  them_.Send(them_.Answer(passed, 487));
  EXPECT_EQ(them_.Receive().method(), sip::Method::kAck);
  const sip::Message end = a_.Receive();
  EXPECT_EQ(end.status(), 487);
  a_.Send(a_.AckOf(invite, end));
}

TEST_F(AgentClusterTest, PassesTheAckOfAnInviteThatCameToTheOther) {
  cluster_.SetOwner(kTheirRun, At(kThem));
  a_.Send(InTheirDialog("ACK"));
  const sip::Message ack = them_.Receive();
  EXPECT_EQ(ack.method(), sip::Method::kAck);
  EXPECT_EQ(ack.ToTag(), kTheirTag);
}

TEST_F(AgentClusterTest, PassesNothingOnThatAControllerHasSent) {
  cluster_.SetOwner(kTheirRun, At(kThem));
  cluster_.SetOwner(0x0333, At(kThird));
  sip::Message bye = InTheirDialog("BYE");
  third_.Send(bye);
  third_.Send(InTheirDialog("ACK"));
  EXPECT_FALSE(Has(them_));
  bed_.Pass(kPatience + absl::Seconds(1));
  EXPECT_FALSE(Has(them_));
  EXPECT_EQ(third_.Receive().status(), 481);
}

TEST_F(AgentClusterTest, AnswersAtOnceWhatNobodyCanHave) {
  // Its own, and no tag of a controller at all.
  for (const absl::string_view tag : {"00ab456789abcdef", "as83kd9bs", "12CD456789abcdef"}) {
    sip::Message bye = a_.NewRequest("BYE", "20002230000");
    bye.Set(sip::Header::kTo, absl::StrCat(bye.Get(sip::Header::kTo), ";tag=", tag));
    a_.Send(bye);
    EXPECT_EQ(a_.Receive().status(), 481) << tag;
  }
}

TEST_F(AgentClusterTest, LetsFewRequestsWaitThatNameARunNobodyKnows) {
  constexpr int kMostUnknown = 256;
  cluster_.Deny(0x0666);
  const auto send = [&](absl::string_view tag) {
    sip::Message bye = a_.NewRequest("BYE", "20002230000");
    bye.Set(sip::Header::kTo, absl::StrCat(bye.Get(sip::Header::kTo), ";tag=", tag));
    a_.Send(bye);
  };
  for (int i = 0; i < kMostUnknown; ++i) send("0666456789abcdef");
  EXPECT_FALSE(Has(a_));
  send("0666456789abcdef");
  EXPECT_EQ(a_.Receive().status(), 481);
  // Those of runs that there are do not suffer from it.
  send(kTheirTag);
  EXPECT_FALSE(Has(a_));
  cluster_.SetOwner(kTheirRun, At(kThem));
  bed_.Pass(absl::Seconds(1));
  const sip::Message passed = them_.Receive();
  EXPECT_EQ(passed.method(), sip::Method::kBye);
  them_.Send(them_.Answer(passed, 200));
  EXPECT_EQ(a_.Receive().status(), 200);
}

TEST_F(AgentClusterTest, PassesNothingThatHasComeTooFar) {
  cluster_.SetOwner(kTheirRun, At(kThem));
  sip::Message bye = InTheirDialog("BYE");
  bye.Set(sip::Header::kMaxForwards, "0");
  a_.Send(bye);
  EXPECT_EQ(a_.Receive().status(), 483);
  EXPECT_FALSE(Has(them_));
}

TEST_F(AgentClusterTest, LetsARequestWaitForWhoTakesItsDialogOver) {
  a_.Send(InTheirDialog("BYE"));
  bed_.Pass(kPatience / 2);
  EXPECT_FALSE(Has(a_));
  cluster_.SetOwner(kTheirRun, At(kThird));
  bed_.Pass(absl::Seconds(1));
  const sip::Message passed = third_.Receive();
  third_.Send(third_.Answer(passed, 200));
  EXPECT_EQ(a_.Receive().status(), 200);
}

TEST_F(AgentClusterTest, AsksTheNextOneWhenTheFirstIsGone) {
  cluster_.SetOwner(kTheirRun, At(kThem));
  a_.Send(InTheirDialog("BYE"));
  EXPECT_EQ(them_.Receive().method(), sip::Method::kBye);
  bed_.Pass(absl::Seconds(2));
  while (Has(them_)) them_.Receive();
  cluster_.SetOwner(kTheirRun, std::nullopt);
  bed_.Pass(absl::Seconds(1));
  cluster_.SetOwner(kTheirRun, At(kThird));
  bed_.Pass(absl::Seconds(1));
  third_.Send(third_.Answer(third_.Receive(), 200));
  EXPECT_EQ(a_.Receive().status(), 200);
}

TEST_F(AgentClusterTest, SaysThatThereIsNoSuchDialogWhenNobodyHasTakenIt) {
  a_.Send(InTheirDialog("BYE"));
  bed_.Pass(kPatience - absl::Milliseconds(1));
  EXPECT_FALSE(Has(a_));
  bed_.Pass(absl::Seconds(1));
  EXPECT_EQ(a_.Receive().status(), 481);
  // An INVITE that is given up meanwhile has its end at once.
  const sip::Message invite = InTheirDialog("INVITE");
  a_.Send(invite);
  bed_.Pass(absl::Seconds(1));
  EXPECT_EQ(a_.Receive().status(), 100);
  sip::Message cancel = a_.AckOf(invite, a_.Answer(invite, 487));
  cancel = sip::Message::Parse(absl::StrCat("CANCEL", cancel.Serialize().substr(3))).message;
  cancel.Set(sip::Header::kCSeq, absl::StrCat(invite.CSeqNumber(), " CANCEL"));
  a_.Send(cancel);
  EXPECT_EQ(a_.Receive().status(), 200);
  const sip::Message end = a_.Receive();
  EXPECT_EQ(end.status(), 487);
  a_.Send(a_.AckOf(invite, end));
}

TEST_F(AgentClusterTest, ServesWhatAControllerPassesOnAndKeepsToThePeersOwnPlace) {
  cluster_.SetOwner(kTheirRun, At(kThem));
  Establish();
  them_.Send(b_.InDialogOfCallee("INFO", offered_, answer_));
  const sip::Message info = a_.Receive();
  EXPECT_EQ(info.method(), sip::Method::kInfo);
  a_.Send(a_.Answer(info, 200));
  EXPECT_EQ(them_.Receive().status(), 200);
  EXPECT_FALSE(Has(b_));
  // B is where its own packets come from.
  HangUp();
}

// Calls of the first bed that go on in a second one.
class AgentTakeoverTest : public AgentClusterTest {
 protected:
  AgentTakeoverTest() { heir_cluster_.SetOwner(kOurRun, std::nullopt); }
  ~AgentTakeoverTest() override { EXPECT_EQ(heir_.RemainsAfterAll(), Agent::Remains()); }

  // What is kept of the call that stands between A and B.
  store::StandingCall Kept() {
    Establish();
    bed_.Pass(absl::Seconds(1));
    EXPECT_TRUE(bed_.store().Flush(absl::Seconds(10)).ok());
    const std::vector<store::StandingCall> kept = (*store::OpenSqliteStore({.file = file_}))->TakeStandingCalls();
    EXPECT_EQ(kept.size(), 1u);
    // For them it has never been.
    HangUp();
    return kept.at(0);
  }
  absl::Status Restore(const store::StandingCall& kept) {
    const absl::Status status = heir_.agent().Restore(kept, heir_.now());
    heir_.RunPosted();
    return status;
  }
  void HangUpAtTheHeir() {
    sip::Message bye = a_.InDialog("BYE", invite_, answered_);
    bye.Set(sip::Header::kCSeq, "20 BYE");
    heir_a_.Send(bye);
    EXPECT_EQ(heir_a_.Receive().status(), 200);
    AnswerBye(heir_b_);
    EXPECT_EQ(heir_.Records().size(), 1u);
  }
  // One of the phones hears where its call is now, and agrees.
  void HearNext(absl::string_view address) {
    for (int i = 0; i < 60 && heir_.network().waiting() == 0; ++i) heir_.Pass(absl::Milliseconds(100));
    Phone& phone = heir_.network().Has(heir_a_.hop().remote) ? heir_a_ : heir_b_;
    const sip::Message refresh = phone.Receive();
    EXPECT_EQ(refresh.method(), sip::Method::kInvite);
    EXPECT_TRUE(absl::StrContains(refresh.Get(sip::Header::kContact), address)) << refresh.Serialize();
    phone.Send(phone.Answer(refresh, 200));
    EXPECT_EQ(phone.Receive().method(), sip::Method::kAck);
  }

  cluster::FakeCluster heir_cluster_{kTheirRun};
  AgentTestBed heir_{[](AgentOptions&) {}, FreshFile("-heir"), &heir_cluster_};
  Phone heir_a_ = heir_.NewPhone("20002230001", "198.18.1.2:45426", "198.18.1.2:45426");
  Phone heir_b_ = heir_.NewPhone("20002230000", "192.168.2.63:43518", "198.18.2.9:50518");
};

TEST_F(AgentTakeoverTest, GoesOnWithACallKeepsItAnewAndEndsItWithOneRecord) {
  const store::StandingCall kept = Kept();
  EXPECT_TRUE(Restore(kept).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(Restore(kept)));
  EXPECT_EQ(heir_.Calls().size(), 1u);
  heir_.Pass(absl::Seconds(1));
  EXPECT_TRUE(heir_.store().Flush(absl::Seconds(10)).ok());
  EXPECT_EQ(heir_.store().Statistics().standing_calls, 1u);
  // Nobody hears of it: the address is the same.
  heir_.Pass(absl::Seconds(10));
  EXPECT_EQ(heir_.network().waiting(), 0u);
  HangUpAtTheHeir();
}

TEST_F(AgentTakeoverTest, ServesARequestThatHasComeAheadOfItsCall) {
  const store::StandingCall kept = Kept();
  sip::Message bye = a_.InDialog("BYE", invite_, answered_);
  heir_a_.Send(bye);
  heir_.Pass(absl::Seconds(2));
  EXPECT_EQ(heir_.network().waiting(), 0u);
  EXPECT_TRUE(Restore(kept).ok());
  heir_.Pass(absl::Milliseconds(500));
  EXPECT_EQ(heir_a_.Receive().status(), 200);
  AnswerBye(heir_b_);
  EXPECT_EQ(heir_.Records().size(), 1u);
}

TEST_F(AgentTakeoverTest, TellsPeersItsOwnAddressOnce) {
  constexpr absl::string_view kHere = "198.18.1.5:7080";
  heir_.network().Move(kHere);
  EXPECT_TRUE(Restore(Kept()).ok());
  heir_.Pass(absl::Milliseconds(900));
  EXPECT_EQ(heir_.network().waiting(), 0u);
  HearNext(kHere);
  HearNext(kHere);
  heir_.Pass(absl::Minutes(1));
  EXPECT_EQ(heir_.network().waiting(), 0u);
  HangUpAtTheHeir();
}

TEST_F(AgentTakeoverTest, DoesNotGiveACallUpWhosePhoneCannotHearIt) {
  heir_.network().Move("198.18.1.5:7080");
  EXPECT_TRUE(Restore(Kept()).ok());
  heir_.Pass(absl::Minutes(2));
  EXPECT_EQ(heir_.Calls().size(), 1u);
  while (heir_.network().waiting() > 0) {
    if (heir_.network().Has(heir_a_.hop().remote)) heir_a_.Receive();
    if (heir_.network().Has(heir_b_.hop().remote)) heir_b_.Receive();
  }
  HangUpAtTheHeir();
}

}  // namespace
}  // namespace sluice::agent
