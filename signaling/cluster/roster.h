// Who is there: all runs that the cluster knows, and who has the calls of each.
//
// A run owns its own calls until another one takes them over, and with them those that it had taken itself. One that
// stops gives its calls up: nobody owns them until somebody takes them.
//
// Threads: any; it never changes once it is read.
#ifndef SLUICE_SIGNALING_CLUSTER_ROSTER_H_
#define SLUICE_SIGNALING_CLUSTER_ROSTER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "signaling/cluster/cluster.h"
#include "signaling/sip/hop.h"

namespace sluice::cluster {

// "udp:198.18.1.1:5060", and back; nothing for anything else.
std::string ToText(const Whereabouts& whereabouts);
std::optional<Whereabouts> ParseWhereabouts(absl::string_view text);

struct RosterEntry {
  // Who has its calls; 0: nobody, it gave them up.
  RunNumber owner = 0;
  // Its lease has not run out.
  bool is_alive = false;
  std::string name;
  uint64_t epoch = 0;
  Whereabouts whereabouts;
  // Threads that handle SIP.
  uint32_t shards = 0;
};

class Roster {
 public:
  explicit Roster(RunNumber self = 0) : self_(self) {}

  // Of a number that is there already, the first stays.
  void Add(RunNumber number, RosterEntry entry) { entries_.try_emplace(number, std::move(entry)); }

  // Null: nobody knows it.
  const RosterEntry* Find(RunNumber run) const;
  // As Cluster::Find and Cluster::IsMember.
  std::optional<Whereabouts> WhoHas(RunNumber run) const;
  bool IsMember(const sip::Endpoint& address) const;

  // Runs whose calls `self` may take: those that gave them up and, `with_silent`, those whose lease has run out.
  std::vector<RunNumber> Takeable(bool with_silent) const;
  // Whose calls `self` has taken.
  std::vector<RunNumber> Taken() const;
  // Controllers that live, `self` among them.
  std::vector<const RosterEntry*> Living() const;

 private:
  RunNumber self_;
  std::map<RunNumber, RosterEntry> entries_;
};

}  // namespace sluice::cluster

#endif  // SLUICE_SIGNALING_CLUSTER_ROSTER_H_
