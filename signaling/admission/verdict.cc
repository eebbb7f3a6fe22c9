#include "signaling/admission/verdict.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "process/utf8.h"

namespace sluice::admission {
namespace {

using process::ToUtf8;

constexpr uint32_t kForbidden = 403;
constexpr uint32_t kLowestRefusal = 400;
constexpr uint32_t kHighestRefusal = 699;
constexpr size_t kMostReason = 128;
// Who says more means for ever, and times stay within what clocks and files can hold.
constexpr absl::Duration kLongest = absl::Hours(366 * 24);
constexpr int32_t kNanos = 1'000'000'000;

// `text`, which is UTF-8, without control characters, and cut off between two characters.
std::string OneLine(absl::string_view text) {
  std::string line;
  for (size_t i = 0; i < text.size();) {
    const auto first = static_cast<uint8_t>(text[i]);
    const size_t length = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (line.size() + length > kMostReason) break;
    const absl::string_view character = text.substr(i, length);
    // U+0080 to U+009F are control characters too.
    const bool is_c1 = first == 0xc2 && static_cast<uint8_t>(character.back()) < 0xa0;
    if (absl::ascii_iscntrl(first) || is_c1) {
      line += ' ';
    } else {
      line.append(character.data(), character.size());
    }
    i += length;
  }
  absl::StripAsciiWhitespace(&line);
  return line;
}

absl::StatusOr<Verdict> ReadAdmitted(const v1::AdmittedCall& admitted) {
  if (!admitted.has_max_duration()) return Verdict();
  const auto& limit = admitted.max_duration();
  if (std::abs(static_cast<int64_t>(limit.nanos())) >= kNanos) {
    return absl::InternalError("max_duration is no duration");
  }
  const absl::Duration duration = absl::Seconds(limit.seconds()) + absl::Nanoseconds(limit.nanos());
  if (duration <= absl::ZeroDuration()) return Verdict{.status = kForbidden};
  return Verdict{.max_duration = std::min(duration, kLongest)};
}

Verdict ReadRefused(const v1::RefusedCall& refused) {
  const bool is_refusal = refused.sip_status() >= kLowestRefusal && refused.sip_status() <= kHighestRefusal;
  return {.status = static_cast<uint16_t>(is_refusal ? refused.sip_status() : kForbidden),
          .reason = OneLine(refused.reason())};
}

}  // namespace

v1::AdmitCallRequest ToRequest(const Question& question, const std::string& controller) {
  v1::AdmitCallRequest request;
  request.set_controller(controller);
  request.set_call_id(question.call_id);
  if (question.is_trunk) {
    request.set_trunk(question.payer);
  } else {
    request.set_account(ToUtf8(question.payer));
  }
  request.set_calling_number(ToUtf8(question.calling));
  request.set_dialled_number(ToUtf8(question.dialled));
  request.set_routed_number(ToUtf8(question.routed));
  for (const std::string& trunk : question.trunks) request.add_trunks(trunk);
  request.set_occasion(static_cast<v1::CallOccasion>(question.occasion));
  return request;
}

absl::StatusOr<Verdict> ReadVerdict(const v1::AdmitCallResponse& response) {
  switch (response.verdict_case()) {
    case v1::AdmitCallResponse::kAdmitted:
      return ReadAdmitted(response.admitted());
    case v1::AdmitCallResponse::kRefused:
      return ReadRefused(response.refused());
    case v1::AdmitCallResponse::VERDICT_NOT_SET:
      break;
  }
  return absl::InternalError("the answer has no verdict");
}

}  // namespace sluice::admission
