// Whether bytes are text (RFC 3629): what is not may not go into a text message of a WebSocket.
#ifndef SLUICE_SIGNALING_TRANSPORT_UTF8_H_
#define SLUICE_SIGNALING_TRANSPORT_UTF8_H_

#include "absl/strings/string_view.h"

namespace sluice::transport {

bool IsUtf8(absl::string_view bytes);

}  // namespace sluice::transport

#endif  // SLUICE_SIGNALING_TRANSPORT_UTF8_H_
