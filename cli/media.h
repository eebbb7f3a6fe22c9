// Where the media of a session goes, and how good it is.
#ifndef SLUICE_CLI_MEDIA_H_
#define SLUICE_CLI_MEDIA_H_

#include <ostream>

#include "sluice/relay/v1/session_service.pb.h"

namespace sluice::cli {

// One line a stream: A's address as the relay knows it, the relay's two, B's. "open" or "probation" where no source has
// been taken yet.
void PrintMediaMap(std::ostream& out, const relay::v1::SessionState& session);

// One line a direction of a stream: what came in, what went out at the other side, and its quality on the way to the
// relay. Drops follow, where there are any.
void PrintQuality(std::ostream& out, const relay::v1::SessionState& session);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_MEDIA_H_
