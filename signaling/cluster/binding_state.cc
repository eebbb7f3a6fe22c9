#include "signaling/cluster/binding_state.h"

#include <algorithm>
#include <utility>

#include "absl/time/time.h"
#include "sluice/state/v1/bindings.pb.h"

namespace sluice::cluster {
namespace {

// The most that a config may allow an account.
constexpr size_t kMaxBindings = 64;

bool IsOneLine(const std::string& text) { return text.find_first_of("\r\n\0", 0, 3) == text.npos; }

// What it holds goes into SIP messages.
bool MakesSense(const store::Binding& binding) {
  return store::BindingDefect(binding).empty() && IsOneLine(binding.contact) && IsOneLine(binding.call_id) &&
         IsOneLine(binding.path) && IsOneLine(binding.instance) && IsOneLine(binding.user_agent);
}

// Known by the same names to the registrar, and by the same way.
bool IsSame(const store::Binding& a, const store::Binding& b) {
  if (!a.instance.empty() && a.reg_id != 0) return a.instance == b.instance && a.reg_id == b.reg_id;
  return a.contact == b.contact && (a.call_id == b.call_id || a.source == b.source || (!a.behind_nat && !b.behind_nat));
}

bool ComesSameWay(const store::Binding& a, const store::Binding& b) {
  return a.contact == b.contact && a.transport == b.transport && a.source == b.source && a.local == b.local;
}

}  // namespace

std::string SerializeBindings(const store::BindingSet& bindings) {
  state::v1::Bindings state;
  for (const store::Binding& binding : bindings) {
    state::v1::Binding& part = *state.add_bindings();
    part.set_contact(binding.contact);
    part.set_call_id(binding.call_id);
    part.set_cseq(binding.cseq);
    part.set_expire_nanos(absl::ToUnixNanos(binding.expire_time));
    part.set_priority(binding.priority);
    part.set_user_agent(binding.user_agent);
    part.set_path(binding.path);
    part.set_instance(binding.instance);
    part.set_reg_id(binding.reg_id);
    part.set_transport(binding.transport);
    part.set_source(binding.source);
    part.set_local(binding.local);
    part.set_behind_nat(binding.behind_nat);
  }
  return state.SerializeAsString();
}

std::optional<store::BindingSet> ParseBindings(absl::string_view serialised) {
  state::v1::Bindings state;
  if (!state.ParseFromArray(serialised.data(), static_cast<int>(serialised.size()))) return std::nullopt;
  store::BindingSet bindings;
  for (const state::v1::Binding& part : state.bindings()) {
    store::Binding binding{.contact = part.contact(),
                           .call_id = part.call_id(),
                           .cseq = part.cseq(),
                           .expire_time = absl::FromUnixNanos(part.expire_nanos()),
                           .priority = part.priority(),
                           .user_agent = part.user_agent(),
                           .path = part.path(),
                           .instance = part.instance(),
                           .reg_id = part.reg_id(),
                           .transport = part.transport(),
                           .source = part.source(),
                           .local = part.local(),
                           .behind_nat = part.behind_nat()};
    if (MakesSense(binding) && bindings.size() < kMaxBindings) bindings.push_back(std::move(binding));
  }
  return bindings;
}

store::BindingSet WithConnections(store::BindingSet theirs, const store::BindingSet& ours) {
  for (store::Binding& binding : theirs) {
    const auto same = std::find_if(ours.begin(), ours.end(),
                                   [&](const store::Binding& other) { return ComesSameWay(binding, other); });
    if (same != ours.end()) binding.connection = same->connection;
  }
  return theirs;
}

store::BindingSet Merge(const store::BindingSet& ours, const store::BindingSet& theirs) {
  store::BindingSet merged = ours;
  for (const store::Binding& binding : WithConnections(theirs, ours)) {
    const auto same =
        std::find_if(merged.begin(), merged.end(), [&](const store::Binding& other) { return IsSame(binding, other); });
    if (same == merged.end()) {
      merged.push_back(binding);
    } else if (same->expire_time < binding.expire_time) {
      *same = binding;
    }
  }
  if (merged.size() > kMaxBindings) merged.resize(kMaxBindings);
  return merged;
}

}  // namespace sluice::cluster
