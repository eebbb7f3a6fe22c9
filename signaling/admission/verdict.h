// Questions and verdicts in the words of sluice.admission.v1, and back.
//
// Threads: any; functions of their arguments.
#ifndef SLUICE_SIGNALING_ADMISSION_VERDICT_H_
#define SLUICE_SIGNALING_ADMISSION_VERDICT_H_

#include <string>

#include "absl/status/statusor.h"
#include "signaling/admission/admission.h"
#include "sluice/admission/v1/call_admission.pb.h"

namespace sluice::admission {

v1::AdmitCallRequest ToRequest(const Question& question, const std::string& controller);

// INTERNAL: it says nothing that could be understood. Whatever it says, nothing of it can damage a SIP message.
absl::StatusOr<Verdict> ReadVerdict(const v1::AdmitCallResponse& response);

}  // namespace sluice::admission

#endif  // SLUICE_SIGNALING_ADMISSION_VERDICT_H_
