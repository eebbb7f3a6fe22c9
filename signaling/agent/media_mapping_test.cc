#include "signaling/agent/media_mapping.h"

#include "gtest/gtest.h"

namespace sluice::agent {
namespace {

using relay::v1::SessionState;

call::MediaSession OneStream(call::MediaLeg caller, call::MediaLeg callee = {}) {
  call::MediaSession media;
  media.streams.push_back({.id = 1, .media = "audio", .codec = "AMR", .legs = {std::move(caller), std::move(callee)}});
  return media;
}

relay::v1::Leg CallerLeg(call::MediaLeg leg) {
  return ToRelaySession(OneStream(std::move(leg)), "call", "label", {}).streams(0).legs(0);
}

TEST(MediaMapping, AsksForTheNetworksOfTheConfig) {
  const relay::v1::Session session = ToRelaySession(OneStream({}), "call", "label", {"phones", "trunks"});
  EXPECT_EQ(session.streams(0).legs(0).network(), "phones");
  EXPECT_EQ(session.streams(0).legs(1).network(), "trunks");
}

TEST(MediaMapping, NamesTheSessionByTheCallAndLabelsItByTheCallersCallId) {
  const relay::v1::Session session = ToRelaySession(OneStream({}), "call", std::string(300, 'x'), {});
  EXPECT_EQ(session.session_id(), "call");
  EXPECT_EQ(session.label(), std::string(256, 'x'));
  EXPECT_EQ(session.streams(0).stream_id(), 1u);
}

TEST(MediaMapping, TakesMediaOnlyFromTheSignalledAddress) {
  const relay::v1::Leg leg = CallerLeg({.address = "198.18.1.2", .port = 21000, .sip_address = "198.18.1.9"});
  EXPECT_EQ(leg.remote().address(), "198.18.1.2");
  EXPECT_EQ(leg.remote().port(), 21000u);
  EXPECT_EQ(leg.source_policy().mode(), relay::v1::SOURCE_POLICY_MODE_SAME_ADDRESS);
  EXPECT_TRUE(leg.source_policy().prefixes().empty());
}

TEST(MediaMapping, TakesMediaOfAPhoneBehindNatOnlyFromWhereItsSipComesFrom) {
  const relay::v1::Leg v4 = CallerLeg({.behind_nat = true, .sip_address = "198.18.2.9"});
  EXPECT_EQ(v4.source_policy().mode(), relay::v1::SOURCE_POLICY_MODE_PREFIX);
  ASSERT_EQ(v4.source_policy().prefixes_size(), 1);
  EXPECT_EQ(v4.source_policy().prefixes(0), "198.18.2.9/32");
  const relay::v1::Leg v6 = CallerLeg({.behind_nat = true, .sip_address = "2001:db8::9"});
  EXPECT_EQ(v6.source_policy().prefixes(0), "2001:db8::9/128");
}

TEST(MediaMapping, TakesMediaOfAPhoneWhoseSdpAndSipDifferFromEither) {
  const relay::v1::Leg leg =
      CallerLeg({.address = "198.18.3.2", .port = 21000, .is_phone = true, .sip_address = "198.18.2.9"});
  EXPECT_EQ(leg.source_policy().mode(), relay::v1::SOURCE_POLICY_MODE_PREFIX);
  ASSERT_EQ(leg.source_policy().prefixes_size(), 2);
  EXPECT_EQ(leg.source_policy().prefixes(0), "198.18.2.9/32");
  EXPECT_EQ(leg.source_policy().prefixes(1), "198.18.3.2/32");
  // Trunks have servers for media that are not those for SIP.
  const relay::v1::Leg trunk = CallerLeg({.address = "198.18.3.2", .port = 21000, .sip_address = "198.18.2.9"});
  EXPECT_EQ(trunk.source_policy().mode(), relay::v1::SOURCE_POLICY_MODE_SAME_ADDRESS);
}

TEST(MediaMapping, TellsTheIpVersionThatThePeerIsReachedBy) {
  const relay::v1::Leg leg = CallerLeg({.sip_address = "2001:db8::2", .is_v6 = true});
  EXPECT_FALSE(leg.has_remote());
  EXPECT_EQ(leg.ip_version(), relay::v1::IP_VERSION_6);
  EXPECT_EQ(leg.rtcp_mode(), relay::v1::RTCP_MODE_NEXT_PORT);
  EXPECT_EQ(CallerLeg({}).ip_version(), relay::v1::IP_VERSION_4);
}

TEST(MediaMapping, HearsAPhoneBehindNatBeforeItsAddressIsKnown) {
  const relay::v1::Leg leg = CallerLeg({.behind_nat = true, .sip_address = "198.18.2.9"});
  EXPECT_FALSE(leg.has_remote());
  EXPECT_EQ(leg.direction(), relay::v1::DIRECTION_SENDRECV);
}

TEST(MediaMapping, SendsExplicitRtcpToWhereItWasSignalled) {
  const relay::v1::Leg leg =
      CallerLeg({.address = "198.18.1.2", .port = 21000, .rtcp_port = 30001, .rtcp_mode = call::RtcpMode::kExplicit});
  EXPECT_EQ(leg.rtcp_mode(), relay::v1::RTCP_MODE_EXPLICIT);
  EXPECT_EQ(leg.remote_rtcp().address(), "198.18.1.2");
  EXPECT_EQ(leg.remote_rtcp().port(), 30001u);
}

TEST(MediaMapping, CarriesDirectionPayloadTypesAndBandwidth) {
  const relay::v1::Leg leg = CallerLeg({.direction = call::MediaDirection::kRecvOnly,
                                        .payload_types = {{114, 8000, "AMR"}, {126, 90000, "H264"}},
                                        .bandwidth_limit_bps = 64000});
  EXPECT_EQ(leg.direction(), relay::v1::DIRECTION_RECVONLY);
  ASSERT_EQ(leg.payload_types_size(), 2);
  EXPECT_EQ(leg.payload_types(1).number(), 126u);
  EXPECT_EQ(leg.payload_types(1).clock_rate(), 90000u);
  EXPECT_EQ(leg.payload_types(1).encoding(), "H264");
  EXPECT_EQ(leg.bandwidth_limit_bps(), 64000u);
}

TEST(MediaMapping, TellsTheCallTheAdvertisedAddressesOfBothSides) {
  fleet::PlacedSession placed{"relay-1", {}};
  relay::v1::StreamState& stream = *placed.state.add_streams();
  stream.set_stream_id(1);
  for (const uint32_t port : {24594u, 18582u}) {
    relay::v1::LegState& leg = *stream.add_legs();
    leg.mutable_local()->set_address("10.0.0.1");
    leg.mutable_advertised()->set_address("198.18.1.1");
    leg.mutable_advertised()->set_port(port);
    leg.mutable_advertised_rtcp()->set_port(port + 1);
  }
  const call::MediaAnswer answer = ToCreateAnswer(placed);
  EXPECT_EQ(answer.outcome, call::MediaAnswer::Outcome::kDone);
  ASSERT_EQ(answer.streams.size(), 1u);
  EXPECT_EQ(answer.streams[0].id, 1u);
  EXPECT_EQ(answer.streams[0].legs[0].address, "198.18.1.1");
  EXPECT_EQ(answer.streams[0].legs[0].port, 24594);
  EXPECT_EQ(answer.streams[0].legs[1].port, 18582);
  EXPECT_EQ(answer.streams[0].legs[1].rtcp_port, 18583);
  EXPECT_FALSE(answer.streams[0].legs[1].is_v6);
}

TEST(MediaMapping, TellsAgainWhereARelayReceives) {
  const call::MediaAnswer::Stream ports = {3, {{{"203.0.113.1", 24594, 24595}, {"2001:db8::1", 18582, 18582, true}}}};
  const SessionState state = ToSessionState(
      "call", {ports}, [](const std::string& told) { return told == "203.0.113.1" ? "10.0.0.1" : told; });
  ASSERT_EQ(state.streams_size(), 1);
  EXPECT_EQ(state.streams(0).legs(0).local().address(), "10.0.0.1") << "it is behind a NAT";
  EXPECT_EQ(state.streams(0).legs(0).local().port(), 24594u);
  EXPECT_EQ(state.streams(0).legs(1).local().address(), "2001:db8::1");
  // And what a relay has answered is answered to the call as before.
  const call::MediaAnswer answer = ToUpdateAnswer(state);
  ASSERT_EQ(answer.streams.size(), 1u);
  EXPECT_EQ(answer.streams[0].id, 3u);
  EXPECT_EQ(answer.streams[0].legs[0].address, "203.0.113.1");
  EXPECT_EQ(answer.streams[0].legs[0].rtcp_port, 24595);
  EXPECT_TRUE(answer.streams[0].legs[1].is_v6);
}

struct FailureCase {
  const char* description;
  absl::Status status;
  call::MediaAnswer::Outcome create;
  call::MediaAnswer::Outcome update;
};

TEST(MediaMapping, TellsApartWhyThereIsNoMedia) {
  using Outcome = call::MediaAnswer::Outcome;
  const FailureCase cases[] = {
      {"no relay", absl::UnavailableError("none"), Outcome::kUnavailable, Outcome::kDelayed},
      {"late relay", absl::DeadlineExceededError("late"), Outcome::kUnavailable, Outcome::kDelayed},
      {"full relay", absl::ResourceExhaustedError("full"), Outcome::kUnavailable, Outcome::kUnavailable},
      {"bad address", absl::InvalidArgumentError("loopback"), Outcome::kRefused, Outcome::kRefused},
      {"session is gone", absl::NotFoundError("gone"), Outcome::kUnavailable, Outcome::kUnavailable},
  };
  for (const FailureCase& failure : cases) {
    SCOPED_TRACE(failure.description);
    EXPECT_EQ(ToCreateAnswer(failure.status).outcome, failure.create);
    EXPECT_EQ(ToUpdateAnswer(failure.status).outcome, failure.update);
    EXPECT_EQ(ToUpdateAnswer(failure.status).text, failure.status.message());
  }
}

}  // namespace
}  // namespace sluice::agent
