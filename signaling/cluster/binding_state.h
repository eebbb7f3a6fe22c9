// Bindings of an account in the words of sluice.state.v1, and what becomes of them when two controllers have changed
// them at once.
//
// Threads: any; functions of their arguments.
#ifndef SLUICE_SIGNALING_CLUSTER_BINDING_STATE_H_
#define SLUICE_SIGNALING_CLUSTER_BINDING_STATE_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "signaling/store/binding.h"

namespace sluice::cluster {

// Empty: there are none.
std::string SerializeBindings(const store::BindingSet& bindings);
// Nothing: it is damaged. Bindings in it that make no sense are left out.
std::optional<store::BindingSet> ParseBindings(absl::string_view serialised);

// `theirs`, with the connections of this controller where it has the same binding.
store::BindingSet WithConnections(store::BindingSet theirs, const store::BindingSet& ours);

// All bindings of both; of one that both have, that which lasts longer. So no phone that has registered at one
// controller while another one registered elsewhere is lost; one that has left meanwhile may come back until it
// expires.
store::BindingSet Merge(const store::BindingSet& ours, const store::BindingSet& theirs);

}  // namespace sluice::cluster

#endif  // SLUICE_SIGNALING_CLUSTER_BINDING_STATE_H_
