// Asks whether calls may leave by trunks, and makes the verdict a part of their route.
//
// A call to trunks is asked for unless its route skips that. While nobody has decided, the caller of Pass waits; an
// answer that says nothing is taken as the policy has it.
//
// Threads: the shard's. What the service answers comes on others and is posted.
#ifndef SLUICE_SIGNALING_AGENT_ADMISSION_GATE_H_
#define SLUICE_SIGNALING_AGENT_ADMISSION_GATE_H_

#include <functional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "signaling/admission/admission.h"
#include "signaling/agent/agent_options.h"
#include "signaling/agent/call_runner.h"
#include "signaling/agent/router.h"

namespace sluice::agent {

class AdmissionGate {
 public:
  using RouteFunction = std::function<void(const Router::Route& route, absl::Time now)>;

  // `admission` outlives the gate; null: nobody is asked.
  AdmissionGate(admission::Admission* admission, PostFunction post) : admission_(admission), post_(std::move(post)) {}

  // For answers from now on, and the time-out of questions.
  void SetPolicy(const AdmissionPolicy& policy) { policy_ = policy; }

  bool Asks(const Router::Route& route) const;

  // Gives `done` the route: as it is and at once where nobody is asked, else later, with the longest duration of the
  // call, or with the status and reason by which it is refused. `question`: all but what the route says.
  void Pass(admission::Question question, Router::Route route, absl::Time now, RouteFunction done);

 private:
  void Apply(const absl::StatusOr<admission::Verdict>& verdict, Router::Route& route) const;

  admission::Admission* const admission_;
  const PostFunction post_;
  AdmissionPolicy policy_;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_ADMISSION_GATE_H_
