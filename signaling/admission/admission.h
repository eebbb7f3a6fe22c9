// Whether a call may leave by a trunk, and for how long: the seam to a service of the operator's, which knows tariffs
// and credit (sluice/admission/v1).
//
// Threads: any.
#ifndef SLUICE_SIGNALING_ADMISSION_ADMISSION_H_
#define SLUICE_SIGNALING_ADMISSION_ADMISSION_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace sluice::admission {

// What began the call. The values are those of sluice.admission.v1.CallOccasion.
enum class Occasion : uint8_t { kCall = 1, kTransfer = 2, kRedirection = 3 };

// As AdmitCallRequest says. Texts may be any bytes.
struct Question {
  std::string call_id;
  // Name of an account, or of a trunk.
  std::string payer;
  bool is_trunk = false;
  std::string calling;
  std::string dialled;
  std::string routed;
  std::vector<std::string> trunks;
  Occasion occasion = Occasion::kCall;
};

struct Verdict {
  // 0: admitted; else 400 to 699.
  uint16_t status = 0;
  // For the caller, UTF-8 without control characters; empty: the usual phrase.
  std::string reason;
  // Of one that is admitted; 0: no limit.
  absl::Duration max_duration;

  bool operator==(const Verdict&) const = default;
};

class Admission {
 public:
  using AnswerFunction = std::function<void(absl::StatusOr<Verdict> verdict)>;

  virtual ~Admission() = default;

  // Answers once, within `timeout`, now or later, on any thread. Errors, which say that nobody has decided:
  // DEADLINE_EXCEEDED, UNAVAILABLE, RESOURCE_EXHAUSTED (too many questions are open), CANCELLED (this one is being
  // destroyed), and INTERNAL for anything else, an answer without a verdict included.
  virtual void Ask(const Question& question, absl::Duration timeout, AnswerFunction done) = 0;
};

}  // namespace sluice::admission

#endif  // SLUICE_SIGNALING_ADMISSION_ADMISSION_H_
