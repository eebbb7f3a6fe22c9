// The media of a call in the words of sluice.relay.v1, and a relay's answers in the words of the call.
//
// Source policy: from a peer behind NAT media may come from any port of the address that its SIP comes from (PREFIX);
// from anybody else only from the address that it signalled (SAME_ADDRESS). As long as that is not known, the relay is
// told by which IP version the peer is reached.
//
// Threads: any; functions of their arguments.
#ifndef SLUICE_SIGNALING_AGENT_MEDIA_MAPPING_H_
#define SLUICE_SIGNALING_AGENT_MEDIA_MAPPING_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "signaling/call/media_session.h"
#include "signaling/fleet/fleet.h"
#include "sluice/relay/v1/session_service.pb.h"

namespace sluice::agent {

// The relays' networks towards the caller and towards the callee. Empty: the relay chooses by address family.
struct MediaNetworks {
  std::string caller;
  std::string callee;
};

// `label` is what people find the session by: the Call-ID of the caller's leg, cut to what a session may carry.
relay::v1::Session ToRelaySession(const call::MediaSession& media, const std::string& session_id,
                                  absl::string_view label, const MediaNetworks& networks);

// What a relay has answered of a session that it has: the ports. `own_address`: the relay's own for the one that peers
// are told.
relay::v1::SessionState ToSessionState(const std::string& session_id,
                                       const std::vector<call::MediaAnswer::Stream>& ports,
                                       const std::function<std::string(const std::string& told)>& own_address);

call::MediaAnswer ToCreateAnswer(const absl::StatusOr<fleet::PlacedSession>& answer);
call::MediaAnswer ToUpdateAnswer(const absl::StatusOr<relay::v1::SessionState>& answer);

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_MEDIA_MAPPING_H_
