#include "signaling/call/early_dialogs.h"

#include <cstddef>

namespace sluice::call {
namespace {

// Branches of one INVITE; as many as the transaction layer takes 2xx of.
constexpr size_t kMaxDialogs = 16;

}  // namespace

bool EarlyDialogs::IsReliable(const sip::Message& response) {
  return response.is_provisional() && response.status() > 100 && !response.ToTag().empty() &&
         response.RSeq().value_or(0) != 0 && response.HasElement(sip::Header::kRequire, "100rel");
}

bool EarlyDialogs::Take(const sip::Message& response, absl::string_view session) {
  const uint32_t rseq = *response.RSeq();
  for (EarlyDialog& dialog : dialogs_) {
    if (dialog.to_tag != response.ToTag()) continue;
    if (rseq != dialog.rseq + 1) return false;
    dialog.rseq = rseq;
    if (dialog.session.empty()) dialog.session = std::string(session);
    return true;
  }
  if (dialogs_.size() >= kMaxDialogs) return false;
  dialogs_.push_back({std::string(response.ToTag()), rseq, std::string(session)});
  return true;
}

absl::string_view EarlyDialogs::SessionOf(absl::string_view to_tag) const {
  for (const EarlyDialog& dialog : dialogs_) {
    if (dialog.to_tag == to_tag) return dialog.session;
  }
  return absl::string_view();
}

}  // namespace sluice::call
