// From offers and answers to what the relay is asked for, and from the relay's ports to what each side is told.
//
// Sides: 0 is the caller's, 1 the callee's; an offer may come from either. All functions are pure.
#ifndef SLUICE_SIGNALING_CALL_MEDIA_NEGOTIATION_H_
#define SLUICE_SIGNALING_CALL_MEDIA_NEGOTIATION_H_

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "signaling/call/media_session.h"
#include "signaling/sdp/session_description.h"

namespace sluice::call {

// What SIP knows of the one whose media is negotiated.
struct MediaPeer {
  bool behind_nat = false;
  bool is_phone = false;
  // Where its SIP comes from.
  std::string sip_address;
  bool is_v6 = false;
};
using MediaPeers = std::array<MediaPeer, 2>;

// The relay can carry it: it is in use, goes over UDP, and says an address and not a name.
bool IsCarried(const sdp::Media& media);
// At least one m-line is carried.
bool HasCarried(const sdp::SessionDescription& description);

// The session that an offer of side `offerer` needs before it can be passed on: `current`, with a stream more for each
// m-line that is carried and has none. Streams that exist stay as they are until the answer.
MediaSession ProposedSession(const MediaSession& current, const sdp::SessionDescription& offer, size_t offerer,
                             const MediaPeers& peers);

// The session that both have agreed on. M-lines that the answer refuses have no stream.
MediaSession AgreedSession(const sdp::SessionDescription& offer, const sdp::SessionDescription& answer, size_t offerer,
                           const MediaPeers& peers);

// `current` with what side `side` says now in answer to an offer that changed nothing.
MediaSession WithSide(MediaSession current, const sdp::SessionDescription& description, size_t side,
                      const MediaPeers& peers);

// Where the relay receives from side `side`, for each m-line of `description`; nothing for those that are not carried.
std::vector<std::optional<sdp::RelayAddress>> RelayAddresses(const sdp::SessionDescription& description,
                                                             const std::vector<MediaAnswer::Stream>& ports,
                                                             size_t side);

}  // namespace sluice::call

#endif  // SLUICE_SIGNALING_CALL_MEDIA_NEGOTIATION_H_
