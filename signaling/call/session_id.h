// Session-ID: a UUID of each end of a session, the same on all its legs (RFC 7989).
//
// Peers of before that RFC (RFC 7329) write one UUID without `remote`, and give back what they got.
#ifndef SLUICE_SIGNALING_CALL_SESSION_ID_H_
#define SLUICE_SIGNALING_CALL_SESSION_ID_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace sluice::call {

// Nil: an end that is not known, or not yet.
struct SessionUuid {
  uint64_t high = 0;
  uint64_t low = 0;

  // Version 4 (RFC 4122 4.4) of 128 random bits.
  static SessionUuid OfRandom(uint64_t high, uint64_t low);
  // 32 hex digits, in any case.
  static std::optional<SessionUuid> Parse(absl::string_view text);

  bool is_nil() const { return high == 0 && low == 0; }
  bool operator==(const SessionUuid&) const = default;
};

struct SessionId {
  // Of the message's sender, and of its receiver as far as the sender knows.
  SessionUuid local;
  // Nothing: the sender is of before RFC 7989.
  std::optional<SessionUuid> remote;

  // Nothing: `value` is none.
  static std::optional<SessionId> Parse(absl::string_view value);

  // "ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2".
  std::string ToString() const;
};

}  // namespace sluice::call

#endif  // SLUICE_SIGNALING_CALL_SESSION_ID_H_
