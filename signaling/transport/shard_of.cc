#include "signaling/transport/shard_of.h"

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace sluice::transport {

size_t ShardOf(absl::string_view call_id, size_t shards) {
  if (shards <= 1) return 0;
  // FNV-1a; its low bits are weak, so fold the high ones in.
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : call_id) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  hash ^= hash >> 32;
  return hash % shards;
}

absl::string_view FindCallId(absl::string_view message) {
  size_t line = message.find('\n');
  while (line != absl::string_view::npos && line + 1 < message.size()) {
    const absl::string_view rest = message.substr(line + 1);
    // An empty line ends the header.
    if (rest.front() == '\n' || rest.front() == '\r') return "";
    size_t end = rest.find('\n');
    if (rest.front() == 'C' || rest.front() == 'c' || rest.front() == 'i' || rest.front() == 'I') {
      const size_t colon = rest.find(':');
      const absl::string_view name = absl::StripAsciiWhitespace(rest.substr(0, colon));
      if (colon < end && (absl::EqualsIgnoreCase(name, "Call-ID") || absl::EqualsIgnoreCase(name, "i"))) {
        absl::string_view value = rest.substr(colon + 1, end == absl::string_view::npos ? end : end - colon - 1);
        // The value may be on the next line, which then begins with a blank.
        if (absl::StripAsciiWhitespace(value).empty() && end != absl::string_view::npos && end + 1 < rest.size() &&
            absl::ascii_isblank(rest[end + 1])) {
          const size_t next_end = rest.find('\n', end + 1);
          value = rest.substr(end + 1, next_end == absl::string_view::npos ? next_end : next_end - end - 1);
        }
        return absl::StripAsciiWhitespace(value);
      }
    }
    line = end == absl::string_view::npos ? end : line + 1 + end;
  }
  return "";
}

}  // namespace sluice::transport
