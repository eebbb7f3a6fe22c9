// Which shard owns a message: all messages of one Call-ID go to one, so that a dialog lives on one thread.
#ifndef SLUICE_SIGNALING_TRANSPORT_SHARD_OF_H_
#define SLUICE_SIGNALING_TRANSPORT_SHARD_OF_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace sluice::transport {

// The owner of `call_id` among `shards`. The same in every process and version, so that several controllers can agree
// on it.
size_t ShardOf(absl::string_view call_id, size_t shards);

// The value of the Call-ID header field (or its short form i) of a message that nobody has parsed yet. Empty: there is
// none.
absl::string_view FindCallId(absl::string_view message);

}  // namespace sluice::transport

#endif  // SLUICE_SIGNALING_TRANSPORT_SHARD_OF_H_
