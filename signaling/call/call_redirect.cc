#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "signaling/call/call_core.h"

namespace sluice::call {
namespace {

// Of one call: what sends it further is likely to be a loop.
constexpr size_t kMostTargets = 5;

uint32_t Preference(const sip::NameAddress& contact) {
  return sip::ParseQValue(contact.parameters.Get("q").value_or("1")).value_or(0);
}

}  // namespace

bool Call::Core::FollowRedirection(const Leg& leg, const sip::Message& response) {
  if (response.status() < 300 || response.status() > 302) return false;
  if (!leg.party.follow_redirections.value_or(options_.follows_redirections)) return false;
  std::vector<sip::NameAddress> contacts = response.Addresses(sip::Header::kContact);
  std::stable_sort(contacts.begin(), contacts.end(),
                   [](const sip::NameAddress& a, const sip::NameAddress& b) { return Preference(a) > Preference(b); });
  bool asks = false;
  for (sip::NameAddress& contact : contacts) {
    if (redirections_ == nullptr) redirections_ = std::make_unique<Redirections>();
    std::vector<sip::Uri>& known = redirections_->targets;
    contact.uri.RemoveHeaders();
    if (known.size() >= kMostTargets) break;
    if (std::find(known.begin(), known.end(), contact.uri) != known.end()) continue;
    known.push_back(contact.uri);
    redirections_->open.emplace_back(AskForTarget(leg, response, contact.uri.text()), leg.number);
    asks = true;
  }
  return asks;
}

uint32_t Call::Core::AskForTarget(const Leg& leg, const sip::Message& wish, const std::string& target,
                                  std::optional<sip::Replaces> replaces) {
  actions_.push_back(FindTarget{++last_question_, wish.is_request(), leg.number, leg.party.account, leg.party.is_phone,
                                leg.party.hop, NumberOf(leg), Hides(leg, wish), target, std::move(replaces)});
  return last_question_;
}

void Call::Core::OnCallersRoute(uint16_t status, absl::string_view reason, const std::vector<Party>& callees) {
  // It is over meanwhile, or has been answered before.
  if (!invite_ || legs_.size() > 1) return;
  if (callees.empty() && status == 503) {
    return RefuseCaller(status, reason, sip::Header::kRetryAfter, absl::StrCat(options_.retry_after_seconds));
  }
  if (callees.empty()) return RefuseCaller(status, reason);
  for (const Party& callee : callees) AddLeg(1, callee);
  InviteCallees();
}

Actions Call::Core::OnRoute(uint32_t question, uint16_t status, const std::vector<Party>& targets, absl::Time now,
                            absl::string_view reason) {
  Begin(now);
  if (question == kCallersQuestion) {
    OnCallersRoute(status, reason, targets);
    return Take();
  }
  size_t side = 1;
  bool is_target = true;
  if (transfer_ != nullptr && transfer_->question == question) {
    side = legs_[transfer_->transferor].side;
    if (targets.empty()) FailTransfer(status, reason);
  } else {
    // Nobody asks any more when somebody has answered the call, or it has ended.
    if (redirections_ == nullptr) return Take();
    std::vector<std::pair<uint32_t, LegNumber>>& open = redirections_->open;
    const auto found = std::find_if(open.begin(), open.end(), [&](const auto& one) { return one.first == question; });
    if (found == open.end()) return Take();
    const Leg& leg = legs_[found->second];
    open.erase(found);
    side = leg.side;
    is_target = leg.is_target;
    if (targets.empty()) GoOnWithout(is_target, sip::Message::Response(status, reason));
  }
  if (targets.empty()) return Take();
  for (const Party& target : targets) AddLeg(side, target).is_target = is_target;
  if (is_target) transfer_->found = now;
  InviteNextGroup();
  return Take();
}

}  // namespace sluice::call
