#include "signaling/sdp/session_description.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"

namespace sluice::sdp {
namespace {

constexpr absl::string_view kAudioVideo =
    "v=0\r\n"
    "o=20002230001@198.18.1.1 0 0 IN IP4 198.18.1.2\r\n"
    "s=Session SIP/SDP\r\n"
    "c=IN IP4 198.18.1.2\r\n"
    "t=0 0\r\n"
    "m=audio 21000 RTP/AVP 114 101\r\n"
    "a=rtpmap:114 AMR/8000\r\n"
    "a=fmtp:114 mode-set=0\r\n"
    "a=rtpmap:101 telephone-event/8000\r\n"
    "a=ptime:100\r\n"
    "m=video 21070 RTP/AVP 126\r\n"
    "a=rtpmap:126 H264/90000\r\n";

SessionDescription Parsed(absl::string_view text) {
  absl::StatusOr<SessionDescription> description = SessionDescription::Parse(text);
  EXPECT_TRUE(description.ok()) << description.status();
  return *std::move(description);
}

std::string ErrorOf(absl::string_view text) { return std::string(SessionDescription::Parse(text).status().message()); }

RelayAddress Relay(uint16_t port) { return {false, "198.18.1.1", port, static_cast<uint16_t>(port + 1)}; }

TEST(SessionDescription, ReadsWhatTheMediaLinesSay) {
  const SessionDescription description = Parsed(kAudioVideo);
  ASSERT_EQ(description.media().size(), 2u);
  const Media& audio = description.media()[0];
  EXPECT_EQ(audio.type, "audio");
  EXPECT_EQ(audio.port, 21000);
  EXPECT_EQ(audio.connection->address, "198.18.1.2");
  ASSERT_EQ(audio.formats.size(), 2u);
  EXPECT_EQ(audio.formats[0].payload_type, 114);
  EXPECT_EQ(audio.formats[0].encoding, "AMR");
  EXPECT_EQ(audio.formats[0].clock_rate, 8000u);
  EXPECT_EQ(description.media()[1].formats[0].clock_rate, 90000u);
  EXPECT_EQ(description.origin_user(), "20002230001@198.18.1.1");
}

TEST(SessionDescription, AnchoringChangesAddressesAndPortsAndNothingElse) {
  SessionDescription description = Parsed(kAudioVideo);
  description.SetOrigin({"20002230001", 7, 8, false, "198.18.1.1"});
  description.Anchor({Relay(24594), Relay(40270)});
  EXPECT_EQ(description.ToString(), absl::StrReplaceAll(kAudioVideo, {{"o=20002230001@198.18.1.1 0 0 IN IP4 198.18.1.2",
                                                                       "o=20002230001 7 8 IN IP4 198.18.1.1"},
                                                                      {"c=IN IP4 198.18.1.2", "c=IN IP4 198.18.1.1"},
                                                                      {"21000", "24594"},
                                                                      {"21070", "40270"}}));
}

TEST(SessionDescription, IsWrittenAsItCameWhateverLineEndsAndLettersItHas) {
  for (const absl::string_view text :
       {"v=0\nm=audio 4000 RTP/AVP 0\nc=IN IP4 198.18.1.2\ny=0100000001\nf=v/2/4", "v=0\r\n\nx=\n", "v=0"}) {
    EXPECT_EQ(Parsed(text).ToString(), text);
  }
}

TEST(SessionDescription, KeepsLineEndsOfLfAloneWhenItInsertsLines) {
  SessionDescription description = Parsed("v=0\nc=IN IP4 198.18.1.2\nm=audio 4000 RTP/AVP 0\na=rtcp:4009");
  description.SetOrigin({"-", 1, 1, false, "198.18.1.1"});
  description.Anchor({Relay(20000)});
  EXPECT_EQ(description.ToString(),
            "v=0\no=- 1 1 IN IP4 198.18.1.1\nc=IN IP4 198.18.1.1\nm=audio 20000 RTP/AVP 0\na=rtcp:20001");
}

TEST(SessionDescription, RefusesAMediaLineByPortZeroAtItsPlace) {
  SessionDescription description = Parsed(kAudioVideo);
  description.Anchor({std::nullopt, Relay(40270)});
  const SessionDescription again = Parsed(description.ToString());
  EXPECT_EQ(again.media()[0].port, 0);
  EXPECT_EQ(again.media()[1].port, 40270);
}

TEST(SessionDescription, LeavesNoAddressOfThePeerInARefusedMediaLine) {
  SessionDescription description = Parsed(
      "v=0\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP4 10.1.1.1\r\nm=video 4002 RTP/AVP 31\r\n"
      "c=IN IP4 10.1.1.1\r\na=rtcp:4003 IN IP4 10.1.1.1\r\n");
  description.Anchor({Relay(20000), std::nullopt});
  EXPECT_FALSE(absl::StrContains(description.ToString(), "10.1.1.1")) << description.ToString();
}

TEST(SessionDescription, GivesEachMediaLineItsOwnConnectionWhereTheRelayAddressesDiffer) {
  SessionDescription description = Parsed(kAudioVideo);
  description.Anchor({Relay(20000), RelayAddress{true, "2001:db8::9", 20002, 20003}});
  const SessionDescription again = Parsed(description.ToString());
  EXPECT_EQ(again.media()[0].connection->address, "198.18.1.1");
  EXPECT_EQ(again.media()[1].connection->address, "2001:db8::9");
  EXPECT_TRUE(again.media()[1].connection->is_v6);
}

TEST(SessionDescription, TakesConnectionAndDirectionOfTheSessionWhereTheMediaLineHasNone) {
  const SessionDescription description = Parsed(
      "v=0\r\nc=IN IP4 198.18.1.2\r\na=sendonly\r\nm=audio 4000 RTP/AVP 0\r\n"
      "m=audio 4002 RTP/AVP 0\r\nc=IN IP4 198.18.1.3/127\r\na=inactive\r\n");
  EXPECT_EQ(description.media()[0].connection->address, "198.18.1.2");
  EXPECT_EQ(description.media()[0].direction, Direction::kSendOnly);
  EXPECT_EQ(description.media()[1].connection->address, "198.18.1.3");
  EXPECT_EQ(description.media()[1].direction, Direction::kInactive);
}

TEST(SessionDescription, KeepsTheUnspecifiedAddressOfAnOldStyleHold) {
  SessionDescription description = Parsed("v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 4000 RTP/AVP 0\r\n");
  EXPECT_TRUE(description.media()[0].connection->IsUnspecified());
  description.Anchor({Relay(20000)});
  EXPECT_EQ(description.ToString(), "v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 20000 RTP/AVP 0\r\n");
}

TEST(SessionDescription, NamesTheRtcpPortWhereItIsNotTheNext) {
  SessionDescription plain = Parsed("v=0\r\nc=IN IP4 198.18.1.2\r\nm=audio 4000 RTP/AVP 0\r\n");
  plain.Anchor({RelayAddress{false, "198.18.1.1", 20000, 20007}});
  EXPECT_EQ(Parsed(plain.ToString()).media()[0].rtcp_port, 20007);

  SessionDescription explicit_rtcp =
      Parsed("v=0\r\nc=IN IP4 198.18.1.2\r\nm=audio 4000 RTP/AVP 0\r\na=rtcp:53020 IN IP4 198.18.1.4\r\n");
  EXPECT_EQ(explicit_rtcp.media()[0].rtcp_port, 53020);
  EXPECT_EQ(explicit_rtcp.media()[0].rtcp_address, "198.18.1.4");
  explicit_rtcp.Anchor({Relay(20000)});
  EXPECT_TRUE(absl::StrContains(explicit_rtcp.ToString(), "a=rtcp:20001 IN IP4 198.18.1.1\r\n"));
}

TEST(SessionDescription, RemovesCandidatesButKeepsMuxAndKeys) {
  SessionDescription description = Parsed(
      "v=0\r\nc=IN IP4 198.18.1.2\r\na=ice-ufrag:x\r\na=setup:actpass\r\nm=audio 4000 RTP/SAVPF 111\r\n"
      "a=candidate:1 1 UDP 1 198.18.1.2 4000 typ host\r\na=ice-pwd:y\r\na=rtcp-mux\r\na=crypto:1 z\r\n");
  EXPECT_TRUE(description.media()[0].rtcp_mux);
  description.Anchor({RelayAddress{false, "198.18.1.1", 20000, 20000}});
  EXPECT_EQ(description.ToString(),
            "v=0\r\nc=IN IP4 198.18.1.1\r\na=setup:actpass\r\nm=audio 20000 RTP/SAVPF 111\r\na=rtcp-mux\r\n"
            "a=crypto:1 z\r\n");
}

TEST(SessionDescription, TellsMediaByItsProtocol) {
  const SessionDescription description = Parsed(
      "v=0\r\nc=IN IP4 198.18.1.2\r\nm=audio 4000 RTP/AVP 0\r\nm=image 4002 udptl t38\r\n"
      "m=message 4004 TCP/MSRP *\r\nm=application 4006 UDP/DTLS/SCTP webrtc-datachannel\r\n"
      "m=video 4008 UDP/TLS/RTP/SAVPF 96\r\nm=audio 4010 TCP/RTP/AVP 0\r\n");
  const bool rtp[] = {true, false, false, false, true, false};
  const bool udp[] = {true, true, false, true, true, false};
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(description.media()[i].is_rtp(), rtp[i]) << i;
    EXPECT_EQ(description.media()[i].is_udp(), udp[i]) << i;
  }
}

TEST(SessionDescription, KnowsTheClocksOfStaticPayloadTypesAndOfThoseThatRtpmapNames) {
  const SessionDescription description = Parsed(
      "v=0\r\nc=IN IP4 198.18.1.2\r\nm=audio 4000 RTP/AVP 0 9 11 111\r\na=rtpmap:111 opus/48000/2\r\n"
      "m=video 4002 RTP/AVP 34 99\r\n");
  const uint32_t audio[] = {8000, 8000, 44100, 48000};
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(description.media()[0].formats[i].clock_rate, audio[i]) << i;
  EXPECT_EQ(description.media()[1].formats[0].encoding, "H263");
  EXPECT_EQ(description.media()[1].formats[1].clock_rate, 90000u);
}

TEST(SessionDescription, ReadsBandwidthOfTheMediaLine) {
  const SessionDescription description =
      Parsed("v=0\r\nc=IN IP4 198.18.1.2\r\nb=AS:999\r\nm=audio 4000 RTP/AVP 0\r\nb=AS:64\r\nb=TIAS:50000\r\n");
  EXPECT_EQ(description.media()[0].bandwidth_as, 64000u);
  EXPECT_EQ(description.media()[0].bandwidth_tias, 50000u);
}

TEST(SessionDescription, RefusesWhatWouldMisleadARelayAndSaysWhere) {
  const struct {
    absl::string_view text;
    absl::string_view error;
  } kCases[] = {
      {"", "begins with v=0"},
      {"o=- 0 0 IN IP4 198.18.1.2\r\n", "begins with v=0"},
      {"v=0\r\nnonsense\r\n", "not of the form x=value"},
      {"v=0\r\ns=a\rm=audio 1 RTP/AVP 0\r\n", "CR or NUL"},
      {"v=0\r\nc=IN IP4 198.18.1.2\r\nm=audio 65536 RTP/AVP 0\r\n", "0 to 65535"},
      {"v=0\r\nc=IN IP4 198.18.1.2\r\nm=audio -1 RTP/AVP 0\r\n", "0 to 65535"},
      {"v=0\r\nc=IN IP4 198.18.1.2\r\nm=audio 99999999999999999999 RTP/AVP 0\r\n", "0 to 65535"},
      {"v=0\r\nc=IN IP4 198.18.1.2\r\nm=audio 4000 RTP/AVP 128\r\n", "0 to 127"},
      {"v=0\r\nc=IN IP4 198.18.1.2\r\nm=audio 4000 RTP/AVP\r\n", "no formats"},
      {"v=0\r\nc=IN IP4 198.18.1.2\r\nm=audio 4000\r\n", "type port protocol"},
      {"v=0\r\nc=IN IP4 198.18.1.2\r\nm=audio 4000 RTP/AVP 99\r\na=rtpmap:99 X/0\r\n", "clock rate"},
      {"v=0\r\nc=IN IP4 198.18.1.2\r\nm=audio 4000 RTP/AVP 0\r\na=rtcp:70000\r\n", "0 to 65535"},
      {"v=0\r\nc=IN IP5 198.18.1.2\r\nm=audio 4000 RTP/AVP 0\r\n", "IN IP4"},
      {"v=0\r\nm=audio 4000 RTP/AVP 0\r\n", "no c-line"},
  };
  for (const auto& [text, error] : kCases) {
    EXPECT_TRUE(absl::StrContains(ErrorOf(text), error)) << text << " -> " << ErrorOf(text);
  }
}

TEST(SessionDescription, KeepsToItsLimits) {
  const Limits limits = {.bytes = 200, .lines = 4, .media_lines = 1, .formats = 2};
  const std::string head = "v=0\r\nc=IN IP4 198.18.1.2\r\n";
  EXPECT_TRUE(SessionDescription::Parse(head + "m=audio 1 RTP/AVP 0 8\r\n", limits).ok());
  EXPECT_FALSE(SessionDescription::Parse(head + "m=audio 1 RTP/AVP 0 8 9\r\n", limits).ok());
  EXPECT_FALSE(SessionDescription::Parse(head + "m=audio 1 RTP/AVP 0\r\nm=audio 1 RTP/AVP 0\r\n", limits).ok());
  EXPECT_FALSE(SessionDescription::Parse(head + "a=1\r\na=2\r\na=3\r\n", limits).ok());
  EXPECT_FALSE(SessionDescription::Parse(head + "a=" + std::string(200, 'x'), limits).ok());
}

TEST(SessionDescription, AppendsTheMediaLinesOfAnotherAsRefusedOnes) {
  SessionDescription description = Parsed("v=0\r\nc=IN IP4 198.18.1.2\r\nm=audio 21000 RTP/AVP 8\r\n");
  description.AppendRefused(Parsed(kAudioVideo));
  EXPECT_EQ(description.ToString(),
            "v=0\r\nc=IN IP4 198.18.1.2\r\nm=audio 21000 RTP/AVP 8\r\nm=video 0 RTP/AVP 126\r\n");
  SessionDescription longer = Parsed(kAudioVideo);
  longer.AppendRefused(Parsed("v=0\r\nc=IN IP4 198.18.1.2\r\nm=audio 21000 RTP/AVP 8\r\n"));
  EXPECT_EQ(longer.ToString(), kAudioVideo);
}

TEST(SessionDescription, DropsMediaLinesFromTheEnd) {
  SessionDescription description = Parsed(kAudioVideo);
  description.Truncate(2);
  EXPECT_EQ(description.ToString(), kAudioVideo);
  description.Truncate(1);
  EXPECT_EQ(description.media().size(), 1u);
  EXPECT_FALSE(absl::StrContains(description.ToString(), "m=video"));
  EXPECT_TRUE(absl::EndsWith(description.ToString(), "a=ptime:100\r\n"));
}

}  // namespace
}  // namespace sluice::sdp
