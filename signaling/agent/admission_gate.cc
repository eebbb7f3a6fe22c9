#include "signaling/agent/admission_gate.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace sluice::agent {
namespace {

// In the order in which they are tried.
std::vector<std::string> TrunksOf(const Router::Route& route) {
  std::vector<std::string> names;
  for (const auto& trunk : route.trunks) {
    if (std::find(names.begin(), names.end(), trunk->name) == names.end()) names.push_back(trunk->name);
  }
  // The other end of a dialog that is replaced is there already.
  if (names.empty()) names.push_back(route.callees.front().account);
  return names;
}

void Refuse(uint16_t status, const std::string& reason, Router::Route& route) {
  route.status = status;
  route.reason = reason;
  route.callees.clear();
  route.trunks.clear();
}

}  // namespace

bool AdmissionGate::Asks(const Router::Route& route) const {
  return admission_ != nullptr && route.status == 0 && !route.skips_admission && !route.callees.front().is_phone;
}

void AdmissionGate::Pass(admission::Question question, Router::Route route, absl::Time now, RouteFunction done) {
  if (!Asks(route)) return done(route, now);
  question.dialled = route.number;
  question.routed = route.called.empty() ? route.number : route.called;
  question.trunks = TrunksOf(route);
  const auto waiting = std::make_shared<std::pair<Router::Route, RouteFunction>>(std::move(route), std::move(done));
  admission_->Ask(question, policy_.timeout, [this, post = post_, waiting](absl::StatusOr<admission::Verdict> verdict) {
    post([this, waiting, verdict = std::move(verdict)](absl::Time then) {
      Apply(verdict, waiting->first);
      waiting->second(waiting->first, then);
    });
  });
}

void AdmissionGate::Apply(const absl::StatusOr<admission::Verdict>& verdict, Router::Route& route) const {
  if (!verdict.ok()) {
    if (!policy_.allows_on_failure) Refuse(503, "Admission is not decided", route);
  } else if (verdict->status != 0) {
    Refuse(verdict->status, verdict->reason, route);
  } else {
    for (call::Party& callee : route.callees) callee.max_duration = verdict->max_duration;
  }
}

}  // namespace sluice::agent
