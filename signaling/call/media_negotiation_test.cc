#include "signaling/call/media_negotiation.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace sluice::call {
namespace {

constexpr absl::string_view kSession = "v=0\r\nc=IN IP4 198.18.1.2\r\n";
constexpr absl::string_view kAudio =
    "m=audio 21000 RTP/AVP 114 101\r\na=rtpmap:114 AMR/8000\r\na=rtpmap:101 telephone-event/8000\r\n";
constexpr absl::string_view kVideo = "m=video 21070 RTP/AVP 126\r\na=rtpmap:126 H264/90000\r\n";

// `session`: the session level; media lines as given.
sdp::SessionDescription Parsed(absl::string_view media, absl::string_view session = kSession) {
  absl::StatusOr<sdp::SessionDescription> description = sdp::SessionDescription::Parse(absl::StrCat(session, media));
  EXPECT_TRUE(description.ok()) << description.status();
  return *std::move(description);
}

sdp::SessionDescription Callee(absl::string_view media) { return Parsed(media, "v=0\r\nc=IN IP4 192.168.2.63\r\n"); }

// The caller is seen where it says; the callee is behind NAT.
MediaPeers Peers() {
  return {MediaPeer{.sip_address = "198.18.1.2"}, MediaPeer{.behind_nat = true, .sip_address = "198.18.2.9"}};
}

MediaDirection DirectionOf(absl::string_view attribute, absl::string_view session = kSession) {
  const sdp::SessionDescription offer = Parsed(absl::StrCat("m=audio 21000 RTP/AVP 0\r\n", attribute), session);
  return ProposedSession({}, offer, 0, Peers()).streams[0].legs[0].direction;
}

TEST(IsCarried, SaysWhatARelayOfDatagramsCanTake) {
  struct Case {
    absl::string_view description;
    absl::string_view media;
    bool carried;
  };
  const Case cases[] = {
      {"RTP", "m=audio 21000 RTP/AVP 0\r\n", true},
      {"T.38", "m=image 21000 udptl t38\r\n", true},
      {"what nobody knows, in datagrams", "m=application 21000 UDP/XYZ *\r\n", true},
      {"not in use", "m=audio 0 RTP/AVP 0\r\n", false},
      {"over TCP", "m=message 21000 TCP/MSRP *\r\n", false},
      {"a name that would have to be looked up", "m=audio 21000 RTP/AVP 0\r\nc=IN IP4 phone.example\r\n", false},
      {"an address of the other family", "m=audio 21000 RTP/AVP 0\r\nc=IN IP6 198.18.1.2\r\n", false},
      {"on hold by RFC 2543", "m=audio 21000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n", true},
      {"IPv6", "m=audio 21000 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\n", true},
  };
  for (const Case& one : cases) {
    const sdp::SessionDescription description = Parsed(one.media);
    EXPECT_EQ(IsCarried(description.media()[0]), one.carried) << one.description;
    EXPECT_EQ(HasCarried(description), one.carried) << one.description;
  }
  EXPECT_TRUE(HasCarried(Parsed("m=audio 0 RTP/AVP 0\r\nm=audio 21000 RTP/AVP 0\r\n")));
}

TEST(ProposedSession, KnowsTheOffererAndWhatIsToBeKnownOfTheOther) {
  const MediaSession session = ProposedSession({}, Parsed(absl::StrCat(kAudio, kVideo)), 0, Peers());
  ASSERT_EQ(session.streams.size(), 2u);
  const MediaStream& audio = session.streams[0];
  EXPECT_EQ(audio.id, 0u);
  EXPECT_TRUE(audio.is_rtp);
  EXPECT_EQ(audio.media, "audio");
  EXPECT_EQ(audio.codec, "AMR");
  EXPECT_EQ(audio.legs[0].address, "198.18.1.2");
  EXPECT_EQ(audio.legs[0].port, 21000);
  EXPECT_FALSE(audio.legs[0].behind_nat);
  EXPECT_EQ(audio.legs[1].address, "");
  EXPECT_TRUE(audio.legs[1].behind_nat);
  EXPECT_EQ(audio.legs[1].sip_address, "198.18.2.9");
  ASSERT_EQ(audio.legs[1].payload_types.size(), 2u) << "early media uses what was offered";
  EXPECT_EQ(audio.legs[1].payload_types[0], (PayloadType{114, 8000, "AMR"}));
  EXPECT_EQ(session.streams[1].id, 1u);
  EXPECT_EQ(session.streams[1].legs[0].payload_types[0].clock_rate, 90000u);
}

TEST(ProposedSession, LeavesOutWhatIsNotCarriedAndKeepsTheNumbersOfTheOthers) {
  const MediaSession session =
      ProposedSession({}, Parsed(absl::StrCat("m=message 9 TCP/MSRP *\r\n", kAudio)), 0, Peers());
  ASSERT_EQ(session.streams.size(), 1u);
  EXPECT_EQ(session.streams[0].id, 1u);
}

TEST(ProposedSession, LeavesWhatFlowsUntilTheAnswer) {
  const MediaSession agreed = AgreedSession(Parsed(kAudio), Callee(kAudio), 0, Peers());
  const MediaSession more =
      ProposedSession(agreed, Parsed(absl::StrCat("m=audio 0 RTP/AVP 114\r\n", kVideo)), 0, Peers());
  ASSERT_EQ(more.streams.size(), 2u);
  EXPECT_EQ(more.streams[0], agreed.streams[0]) << "also what is about to be dropped";
  EXPECT_EQ(more.streams[1].media, "video");
}

TEST(ProposedSession, ReplacesAStreamThatTurnsIntoSomethingElseThanRtp) {
  const MediaSession agreed = AgreedSession(Parsed(kAudio), Callee(kAudio), 0, Peers());
  const MediaSession fax = ProposedSession(agreed, Parsed("m=image 21000 udptl t38\r\n"), 0, Peers());
  ASSERT_EQ(fax.streams.size(), 1u);
  EXPECT_FALSE(fax.streams[0].is_rtp);
  EXPECT_EQ(fax.streams[0].codec, "t38");
}

TEST(AgreedSession, HasNoStreamForWhatTheAnswerRefuses) {
  const MediaSession session = AgreedSession(Parsed(absl::StrCat(kAudio, kVideo)),
                                             Callee(absl::StrCat(kAudio, "m=video 0 RTP/AVP 126\r\n")), 0, Peers());
  ASSERT_EQ(session.streams.size(), 1u);
  EXPECT_EQ(session.streams[0].legs[1].address, "192.168.2.63");
}

TEST(AgreedSession, PutsAnOfferOfTheCalleeOnItsSide) {
  const MediaSession session = AgreedSession(Callee(kAudio), Parsed(kAudio), 1, Peers());
  EXPECT_EQ(session.streams[0].legs[0].address, "198.18.1.2");
  EXPECT_EQ(session.streams[0].legs[1].address, "192.168.2.63");
}

TEST(AgreedSession, LetsEachSideSendWhatTheOtherHasListed) {
  const MediaSession session =
      AgreedSession(Parsed("m=audio 21000 RTP/AVP 0 8 114\r\na=rtpmap:114 AMR/8000\r\n"),
                    Callee("m=audio 21000 RTP/AVP 8 96\r\na=rtpmap:96 AMR/8000\r\n"), 0, Peers());
  const std::vector<PayloadType>& callers = session.streams[0].legs[0].payload_types;
  ASSERT_GE(callers.size(), 2u);
  EXPECT_EQ(callers[0].number, 8) << "the answer's come first";
  EXPECT_EQ(callers[1].number, 96);
  EXPECT_EQ(session.streams[0].codec, "PCMA");
}

TEST(AgreedSession, MuxesRtcpOnlyWhereBothDo) {
  const std::string mux = absl::StrCat(kAudio, "a=rtcp-mux\r\n");
  EXPECT_EQ(AgreedSession(Parsed(mux), Callee(mux), 0, Peers()).streams[0].legs[0].rtcp_mode, RtcpMode::kMux);
  EXPECT_EQ(AgreedSession(Parsed(mux), Callee(kAudio), 0, Peers()).streams[0].legs[0].rtcp_mode, RtcpMode::kNextPort);
  EXPECT_EQ(AgreedSession(Parsed(kAudio), Callee(mux), 0, Peers()).streams[0].legs[1].rtcp_mode, RtcpMode::kNextPort);
}

TEST(AgreedSession, TakesRtcpWhereItIsSaid) {
  struct Case {
    absl::string_view attribute;
    RtcpMode mode;
    absl::string_view address;
    int port;
  };
  for (const Case& one : {Case{"a=rtcp:21001\r\n", RtcpMode::kNextPort, "", 0},
                          Case{"a=rtcp:30001\r\n", RtcpMode::kExplicit, "198.18.1.2", 30001},
                          Case{"a=rtcp:30001 IN IP4 198.18.1.9\r\n", RtcpMode::kExplicit, "198.18.1.9", 30001}}) {
    const MediaLeg leg =
        AgreedSession(Parsed(absl::StrCat(kAudio, one.attribute)), Callee(kAudio), 0, Peers()).streams[0].legs[0];
    EXPECT_EQ(leg.rtcp_mode, one.mode) << one.attribute;
    EXPECT_EQ(leg.rtcp_address, one.address) << one.attribute;
    EXPECT_EQ(leg.rtcp_port, one.port) << one.attribute;
  }
}

TEST(AgreedSession, LimitsEachSideToWhatTheOtherWantsToReceive) {
  const MediaSession session = AgreedSession(Parsed(absl::StrCat(kAudio, "b=AS:64\r\n")),
                                             Callee(absl::StrCat(kAudio, "b=TIAS:32000\r\n")), 0, Peers());
  EXPECT_EQ(session.streams[0].legs[1].bandwidth_limit_bps, 64000u);
  EXPECT_EQ(session.streams[0].legs[0].bandwidth_limit_bps, 64000u) << "TIAS counts no headers: 32000 more";
}

TEST(MediaDirection, FollowsTheAttributesAndTheHoldOfRfc2543) {
  constexpr absl::string_view kHeld = "v=0\r\nc=IN IP4 0.0.0.0\r\n";
  EXPECT_EQ(DirectionOf(""), MediaDirection::kSendRecv);
  EXPECT_EQ(DirectionOf("a=sendonly\r\n"), MediaDirection::kSendOnly);
  EXPECT_EQ(DirectionOf("a=recvonly\r\n"), MediaDirection::kRecvOnly);
  EXPECT_EQ(DirectionOf("a=inactive\r\n"), MediaDirection::kInactive);
  EXPECT_EQ(DirectionOf("", kHeld), MediaDirection::kSendOnly);
  EXPECT_EQ(DirectionOf("a=sendonly\r\n", kHeld), MediaDirection::kSendOnly);
  EXPECT_EQ(DirectionOf("a=recvonly\r\n", kHeld), MediaDirection::kInactive);
}

TEST(MediaDirection, SendsNothingToAnUnspecifiedAddress) {
  const MediaLeg leg =
      ProposedSession({}, Parsed(kAudio, "v=0\r\nc=IN IP4 0.0.0.0\r\n"), 0, Peers()).streams[0].legs[0];
  EXPECT_EQ(leg.address, "");
  EXPECT_EQ(leg.port, 0);
}

TEST(WithSide, ChangesTheAddressOfOneSideAndNothingThatWasAgreedOn) {
  const MediaSession before =
      AgreedSession(Parsed(absl::StrCat(kAudio, "b=AS:64\r\n")), Callee(absl::StrCat(kAudio, kVideo)), 0, Peers());
  const MediaSession after = WithSide(before, Callee("m=audio 30000 RTP/AVP 0\r\na=sendonly\r\n"), 1, Peers());
  EXPECT_EQ(after.streams[0].legs[0], before.streams[0].legs[0]);
  EXPECT_EQ(after.streams[0].legs[1].port, 30000);
  EXPECT_EQ(after.streams[0].legs[1].direction, MediaDirection::kSendOnly);
  EXPECT_EQ(after.streams[0].legs[1].payload_types, before.streams[0].legs[1].payload_types);
  EXPECT_EQ(after.streams[0].legs[1].bandwidth_limit_bps, before.streams[0].legs[1].bandwidth_limit_bps);
}

TEST(RelayAddresses, AreForTheMediaLinesThatAreCarried) {
  MediaAnswer::Stream audio;
  audio.id = 0;
  audio.legs = {{{"198.18.1.1", 20000, 20001, false}, {"198.18.2.1", 20010, 20011, false}}};
  MediaAnswer::Stream video = audio;
  video.id = 1;
  MediaAnswer::Stream beyond = audio;
  beyond.id = 7;
  const std::vector<MediaAnswer::Stream> ports = {audio, video, beyond};
  const auto addresses = RelayAddresses(Parsed(absl::StrCat(kAudio, "m=video 0 RTP/AVP 126\r\n")), ports, 1);
  ASSERT_EQ(addresses.size(), 2u);
  ASSERT_TRUE(addresses[0].has_value());
  EXPECT_EQ(addresses[0]->address, "198.18.2.1");
  EXPECT_EQ(addresses[0]->port, 20010);
  EXPECT_EQ(addresses[0]->rtcp_port, 20011);
  EXPECT_FALSE(addresses[1].has_value()) << "the m-line is refused";
}

TEST(RelayAddresses, SayMuxedRtcpOnlyToWhomItWasOffered) {
  MediaAnswer::Stream stream;
  stream.legs[0] = {"198.18.1.1", 20000, 20000, false};
  EXPECT_EQ(RelayAddresses(Parsed(absl::StrCat(kAudio, "a=rtcp-mux\r\n")), {stream}, 0)[0]->rtcp_port, 20000);
  EXPECT_EQ(RelayAddresses(Parsed(kAudio), {stream}, 0)[0]->rtcp_port, 20001);
}

}  // namespace
}  // namespace sluice::call
