// Names that nobody can guess and that no two calls share: Call-IDs, tags, branches, nonce keys.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_AGENT_ID_SOURCE_H_
#define SLUICE_SIGNALING_AGENT_ID_SOURCE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace sluice::agent {

// Random bytes from the system. Cannot fail on a system that has started.
void SystemRandom(absl::Span<uint8_t> bytes);

class IdSource {
 public:
  using RandomFunction = std::function<void(absl::Span<uint8_t> bytes)>;

  // `random` must be fit for secrets; tests give another one.
  IdSource(size_t shard, size_t shards, RandomFunction random = SystemRandom);

  // 32 hex digits that belong to this shard (transport::ShardOf), so that whoever names the call finds it, and what the
  // other side of a leg sends comes here.
  std::string NewCallId();
  // A Call-ID that this shard has to do with, whoever has made it.
  bool IsOwn(absl::string_view sip_call_id) const;
  // The name of a call that begins at `now`. As a Call-ID, and it begins with the second in hex, so that names rise
  // from second to second: an index of them (the store's) then grows at its end and is not changed all over.
  std::string NewCallName(absl::Time now);
  // `digits` hex digits, at most 32.
  std::string NewHex(size_t digits);
  // A tag for a dialog of a call: 16 hex digits. With a `run` of a cluster (cluster.h; not 0), that is in the first
  // four.
  std::string NewDialogTag(uint16_t run);
  // The run that such a tag says; 0: none. Any tag may look like one.
  static uint16_t RunOf(absl::string_view dialog_tag);
  uint64_t NewNumber();

 private:
  void Take(absl::Span<uint8_t> bytes);

  const size_t shard_;
  const size_t shards_;
  const RandomFunction random_;
  // Random bytes are asked for in stock: a system call costs more than the bytes.
  std::array<uint8_t, 1024> stock_;
  size_t used_;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_ID_SOURCE_H_
