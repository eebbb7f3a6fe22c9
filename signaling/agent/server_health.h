// Which servers of trunks do not serve at present, for all shards of a controller.
//
// A server that gave no answer, or said by 503 that it rests (Retry-After), is down: calls try the others first (RFC
// 3263 4.3). One shard asks it whether it is back (TrunkProber): after Retry-After or 5 s, and then after pauses that
// double up to 5 min. So no call has to find out. Any answer, to whomever, brings a silent one back.
//
// Threads: any.
#ifndef SLUICE_SIGNALING_AGENT_SERVER_HEALTH_H_
#define SLUICE_SIGNALING_AGENT_SERVER_HEALTH_H_

#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "signaling/agent/tried_server.h"
#include "signaling/sip/message.h"

namespace sluice::agent {

class ServerHealth {
 public:
  // It gave no answer.
  void Failed(const TriedServer& server, absl::Time now);
  // It wants to be left alone for `rest`, of which at most an hour is believed.
  void Rests(const TriedServer& server, absl::Duration rest, absl::Time now);
  void Worked(const TriedServer& server, absl::Time now);
  // It has answered a request of a call or its like.
  void Heard(const TriedServer& server, const sip::Message& response, absl::Time now);
  // Nobody uses it any more.
  void Forget(const TriedServer& server);

  bool IsDown(const TriedServer& server) const;

  // Those that are to be asked now. Each is not due again before it has Failed, or its outcome has stayed unknown.
  std::vector<TriedServer> TakeDue(absl::Time now);
  absl::Time NextDue() const;

 private:
  struct Mark {
    absl::Duration pause;
    absl::Time next_probe;
    absl::Time rests_until = absl::InfinitePast();
    // A probe is on its way; `next_probe` is how long its outcome is waited for.
    bool probing = false;
  };

  mutable absl::Mutex mutex_;
  // Servers of trunks only, so there are few.
  absl::flat_hash_map<TriedServer, Mark> marks_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_SERVER_HEALTH_H_
