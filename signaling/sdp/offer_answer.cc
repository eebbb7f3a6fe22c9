#include "signaling/sdp/offer_answer.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace sluice::sdp {

absl::Status CheckAnswer(const SessionDescription& offer, const SessionDescription& answer) {
  if (offer.media().size() != answer.media().size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the answer has ", answer.media().size(), " m-lines, the offer ", offer.media().size()));
  }
  for (size_t i = 0; i < offer.media().size(); ++i) {
    const Media& offered = offer.media()[i];
    const Media& answered = answer.media()[i];
    const bool same_protocol =
        offered.is_rtp() ? answered.is_rtp() : absl::EqualsIgnoreCase(offered.protocol, answered.protocol);
    if (offered.type == answered.type && (same_protocol || answered.port == 0)) continue;
    return absl::InvalidArgumentError(absl::StrCat("m-line ", i + 1, " of the answer is ", answered.type, " ",
                                                   answered.protocol, ", of the offer ", offered.type, " ",
                                                   offered.protocol));
  }
  return absl::OkStatus();
}

}  // namespace sluice::sdp
