// A pattern of telephone numbers, as routes have them: "+49X*", "0[1-9]XX*", "112".
//
// Digits, '+' and '#' stand for themselves, X for any digit, [2-9] or [013-5] for one of these digits, and a '*' at the
// end for any further digits, '*' and '#', or none. Nothing else is a pattern, and nothing but these characters is ever
// matched: a user part that is no number has no route.
//
// Threads: any; a value.
#ifndef SLUICE_SIGNALING_ROUTING_NUMBER_PATTERN_H_
#define SLUICE_SIGNALING_ROUTING_NUMBER_PATTERN_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sluice::routing {

class NumberPattern {
 public:
  // Positions that a pattern may have.
  static constexpr size_t kMaxLength = 64;

  // INVALID_ARGUMENT says what is wrong and what is allowed.
  static absl::StatusOr<NumberPattern> Parse(absl::string_view text);

  // In time linear in the length of `number`.
  bool Matches(absl::string_view number) const;

  const std::string& text() const { return text_; }

 private:
  // Bits by character: the ten digits, '+', '#'.
  using Characters = uint16_t;

  explicit NumberPattern(absl::string_view text) : text_(text) {}

  static absl::StatusOr<Characters> ParseClass(absl::string_view inside);

  std::string text_;
  std::vector<Characters> positions_;
  bool open_ended_ = false;
};

}  // namespace sluice::routing

#endif  // SLUICE_SIGNALING_ROUTING_NUMBER_PATTERN_H_
