#include "signaling/transport/counters.h"

namespace sluice::transport {

absl::string_view DropReasonName(DropReason reason) {
  switch (reason) {
    case DropReason::kReceiveBufferFull:
      return "receive_buffer_full";
    case DropReason::kTooLong:
      return "too_long";
    case DropReason::kKeepAlive:
      return "keep_alive";
    case DropReason::kUnknownSource:
      return "unknown_source";
    case DropReason::kNoCallId:
      return "no_call_id";
    case DropReason::kShardBusy:
      return "shard_busy";
    case DropReason::kSendQueueFull:
      return "send_queue_full";
    case DropReason::kUnreachable:
      return "unreachable";
    case DropReason::kDatagramTooLong:
      return "datagram_too_long";
    case DropReason::kSendError:
      return "send_error";
    case DropReason::kNoConnection:
      return "no_connection";
    case DropReason::kConnectionLimit:
      return "connection_limit";
    case DropReason::kFraming:
      return "framing";
    case DropReason::kTls:
      return "tls";
    case DropReason::kWebSocket:
      return "web_socket";
    case DropReason::kHandshakeTimeout:
      return "handshake_timeout";
    case DropReason::kIdle:
      return "idle";
    case DropReason::kHalfMessage:
      return "half_message";
    case DropReason::kCount:
      break;
  }
  return "unknown";
}

}  // namespace sluice::transport
