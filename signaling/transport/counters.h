// Why messages and connections were dropped, counted; one set a shard.
//
// Written by the shard's thread only, read by anybody: relaxed order is enough, nothing else hangs on them.
#ifndef SLUICE_SIGNALING_TRANSPORT_COUNTERS_H_
#define SLUICE_SIGNALING_TRANSPORT_COUNTERS_H_

#include <array>
#include <atomic>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace sluice::transport {

enum class DropReason : uint8_t {
  // The kernel had no room in the socket's receive buffer.
  kReceiveBufferFull,
  // Longer than sip.max_message_bytes.
  kTooLong,
  // CRLF, NUL or empty datagrams and STUN requests that keep a NAT open; not an error.
  kKeepAlive,
  // A request too many of an address that nobody here knows.
  kUnknownSource,
  // No Call-ID can be found in it.
  kNoCallId,
  // Another shard owns the Call-ID, and too many messages wait for it.
  kShardBusy,
  // More datagrams or bytes wait to be sent than may.
  kSendQueueFull,
  // The kernel has no route to the destination.
  kUnreachable,
  // No path takes a datagram of that size.
  kDatagramTooLong,
  // Any other error of the socket.
  kSendError,
  // The connection that it should go by is closed, and none can be made.
  kNoConnection,
  // More connections than may be, in all or from one address.
  kConnectionLimit,
  // A stream that cannot be cut into messages.
  kFraming,
  // TLS that did not come about: no version or cipher in common, a certificate that is not believed.
  kTls,
  // No upgrade to a WebSocket with subprotocol sip, or frames that are none.
  kWebSocket,
  // Connections that took too long for TLS or the upgrade.
  kHandshakeTimeout,
  // Connections that said nothing for too long, or began a message and did not end it.
  kIdle,
  kHalfMessage,
  kCount,
};

// The name in statistics and metrics: "receive_buffer_full".
absl::string_view DropReasonName(DropReason reason);

struct TransportCounters {
  std::array<std::atomic<uint64_t>, static_cast<size_t>(DropReason::kCount)> drops = {};
  std::atomic<uint64_t> connections = 0;
  // Messages that another shard's socket had received, and that were handed over.
  std::atomic<uint64_t> handed_over = 0;

  void Drop(DropReason reason, uint64_t count = 1) {
    drops[static_cast<size_t>(reason)].fetch_add(count, std::memory_order_relaxed);
  }
  uint64_t Dropped(DropReason reason) const {
    return drops[static_cast<size_t>(reason)].load(std::memory_order_relaxed);
  }
};

}  // namespace sluice::transport

#endif  // SLUICE_SIGNALING_TRANSPORT_COUNTERS_H_
