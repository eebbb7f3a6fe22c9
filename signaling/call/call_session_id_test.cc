// Session-ID on both legs of calls (RFC 7989).
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "signaling/call/call_test_bed.h"

namespace sluice::call {
namespace {

using sip::Header;

constexpr absl::string_view kA = "aaaaaaaaaaaa4aaa8aaaaaaaaaaaaaaa";
constexpr absl::string_view kB = "bbbbbbbbbbbb4bbb8bbbbbbbbbbbbbbb";
constexpr absl::string_view kC = "cccccccccccc4ccc8ccccccccccccccc";
constexpr absl::string_view kNil = "00000000000000000000000000000000";
// What the bed's numbers make.
constexpr absl::string_view kMade = "00000000000040008000000000000000";

std::string Ids(absl::string_view local, absl::string_view remote) { return absl::StrCat(local, ";remote=", remote); }
std::string Field(absl::string_view local, absl::string_view remote) {
  return absl::StrCat("Session-ID: ", Ids(local, remote), "\r\n");
}
absl::string_view IdOf(const sip::Message& message) { return message.Get(Header::kSessionId); }

TEST(CallSessionId, NamesBothEndsInEveryMessage) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite(Field(kA, kNil)));
  EXPECT_EQ(IdOf(bed.Take<Respond>().message), Ids(kNil, kA)) << "100";
  bed.Media();
  const SendRequest invite = bed.Take<SendRequest>();
  EXPECT_EQ(IdOf(invite.message), Ids(kA, kNil));
  EXPECT_EQ(invite.message.Elements(Header::kSessionId).size(), 1u);
  bed.Reply(invite, CallTestBed::Answer(invite, 100));
  bed.Reply(invite, CallTestBed::Answer(invite, 180, "", Field(kB, kA)));
  EXPECT_EQ(IdOf(bed.Take<Respond>().message), Ids(kB, kA));
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.63"), Field(kB, kA)));
  bed.Media();
  EXPECT_EQ(IdOf(bed.Take<SendAck>().message), Ids(kA, kB));
  EXPECT_EQ(IdOf(bed.Take<Respond>().message), Ids(kB, kA));
  bed.Ack(kCaller, bed.InDialog(kCaller, "ACK", 2, Field(kA, kB)));
  bed.Request(1, bed.InDialog(1, "INFO", 1, Field(kB, kA)));
  const SendRequest info = bed.Take<SendRequest>();
  EXPECT_EQ(IdOf(info.message), Ids(kB, kA));
  bed.Reply(info, CallTestBed::Answer(info, 200, "", Field(kA, kB)));
  EXPECT_EQ(IdOf(bed.Take<Respond>().message), Ids(kA, kB));
  bed.Request(kCaller, bed.InDialog(kCaller, "BYE", 3, Field(kA, kB)));
  EXPECT_EQ(IdOf(bed.Take<Respond>().message), Ids(kB, kA));
  EXPECT_EQ(IdOf(bed.Take<SendRequest>().message), Ids(kA, kB));
}

TEST(CallSessionId, IsMadeForThoseWhoHaveNone) {
  CallTestBed bed;
  const SendRequest invite = bed.Establish();
  EXPECT_EQ(IdOf(invite.message), Ids(kMade, kNil));
  bed.Request(kCaller, bed.InDialog(kCaller, "INFO", 3));
  EXPECT_EQ(IdOf(bed.Take<SendRequest>().message), Ids(kMade, kMade)) << "the bed has one number only";
}

TEST(CallSessionId, ToleratesPeersOfBeforeRfc7989) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite(absl::StrCat("Session-ID: ", kA, "\r\n")));
  bed.Media();
  const SendRequest invite = bed.Take<SendRequest>();
  EXPECT_EQ(IdOf(invite.message), Ids(kA, kNil));
  bed.Forget();
  // It gives back what it got, which says nothing about itself.
  bed.Reply(invite, CallTestBed::Answer(invite, 180, "", absl::StrCat("Session-ID: ", kA, "\r\n")));
  EXPECT_EQ(IdOf(bed.Take<Respond>().message), Ids(kMade, kA));
}

TEST(CallSessionId, IsNotWhatCannotBeRead) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite("Session-ID: aaaa;remote=0000\r\n"));
  bed.Media();
  EXPECT_EQ(IdOf(bed.Take<SendRequest>().message), Ids(kMade, kNil));
}

TEST(CallSessionId, IsThatOfTheCalleeWhoSpeaks) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite(Field(kA, kNil)), 2);
  bed.Media();
  const SendRequest first = bed.Take<SendRequest>();
  const SendRequest second = bed.Take<SendRequest>();
  bed.Forget();
  bed.Reply(first, CallTestBed::Answer(first, 180, "", Field(kB, kA)));
  EXPECT_EQ(IdOf(bed.Take<Respond>().message), Ids(kB, kA));
  bed.Reply(second, CallTestBed::Answer(second, 180, "", Field(kC, kA)));
  EXPECT_EQ(IdOf(bed.Take<Respond>().message), Ids(kC, kA));
  bed.Reply(first, CallTestBed::Answer(first, 486, "", Field(kB, kA)));
  bed.Reply(second, CallTestBed::Answer(second, 480, "", Field(kC, kA)));
  const sip::Message failure = bed.Take<Respond>().message;
  EXPECT_EQ(failure.status(), 486);
  EXPECT_EQ(IdOf(failure), Ids(kB, kA));
}

TEST(CallSessionId, OfATransferIsThatOfTheOneThatStays) {
  CallTestBed bed;
  bed.Establish(CallTestBed::Invite(Field(kA, kNil)), Field(kB, kA));
  bed.Request(kCaller, bed.InDialog(kCaller, "REFER", 3, "Refer-To: <sip:c@198.18.1.1>\r\n"));
  const uint32_t question = bed.Take<FindTarget>().question;
  bed.Forget();
  bed.Do(bed.call().OnRoute(question, 0, {CallTestBed::Callee(5)}, bed.now));
  const SendRequest invite = bed.Take<SendRequest>();
  EXPECT_EQ(IdOf(invite.message), Ids(kB, kNil));
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.5"), Field(kC, kB)));
  bed.Media();
  const SendRequest offer = bed.Take<SendRequest>();
  EXPECT_EQ(offer.leg, 1u);
  EXPECT_EQ(IdOf(offer.message), Ids(kC, kB));
}

TEST(CallSessionId, IsLeftAwayWhereItIsBlocked) {
  CallOptions options = CallTestBed::DefaultOptions();
  options.blocked_headers = {"session-id"};
  CallTestBed bed(options);
  bed.Start(CallTestBed::Invite(Field(kA, kNil)));
  bed.Media();
  EXPECT_FALSE(bed.Take<SendRequest>().message.Has(Header::kSessionId));
}

}  // namespace
}  // namespace sluice::call
