// The early dialogs of one INVITE of ours as far as its reliable provisional responses go (RFC 3262 4): which responses
// are new, which are copies and which have come too early, and what each dialog has said of its session.
//
// Each dialog counts for itself: the numbers of two branches behind a proxy have nothing to do with each other, nor do
// their answers.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_CALL_EARLY_DIALOGS_H_
#define SLUICE_SIGNALING_CALL_EARLY_DIALOGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "signaling/sip/message.h"

namespace sluice::call {

class EarlyDialogs {
 public:
  // `response` asks for a PRACK: it has a number, names its dialog and requires 100rel.
  static bool IsReliable(const sip::Message& response);
  // A reliable response with this session description (empty: none). False: a copy, one ahead of its time, or one
  // dialog more than an INVITE may have; it is neither acknowledged nor looked at.
  bool Take(const sip::Message& response, absl::string_view session);

  // The first description that the dialog with this To tag has given reliably; empty: none. It stands: later ones, also
  // in the 2xx, repeat it (RFC 6337 3.1.1).
  absl::string_view SessionOf(absl::string_view to_tag) const;

 private:
  struct EarlyDialog {
    std::string to_tag;
    uint32_t rseq = 0;
    std::string session;
  };
  std::vector<EarlyDialog> dialogs_;
};

}  // namespace sluice::call

#endif  // SLUICE_SIGNALING_CALL_EARLY_DIALOGS_H_
