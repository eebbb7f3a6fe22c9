// Several controllers that stand in for each other.
//
// Each start of a controller is a run, with a number that no other run of the cluster has. A run lives as long as it
// renews its lease; one whose lease has run out is gone, and whoever notices first takes its calls over. That may be
// the same controller, started again. Tags that a run makes in dialogs begin with its number, so whoever gets a request
// in a dialog of another one knows whom to ask for.
//
// Nothing here waits for the place where all this is kept: while that is away, calls go on, nobody takes anything over,
// and what was to be written there is written later.
//
// Threads: any, but for the listener's functions, which run on the cluster's own thread and must not block.
#ifndef SLUICE_SIGNALING_CLUSTER_CLUSTER_H_
#define SLUICE_SIGNALING_CLUSTER_CLUSTER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "signaling/sip/hop.h"
#include "signaling/store/store.h"

namespace sluice::cluster {

// Of a start of a controller. 0: none.
using RunNumber = uint16_t;

// A way to a controller's SIP: over UDP or TCP, at this address.
struct Whereabouts {
  sip::Protocol protocol = sip::Protocol::kUdp;
  sip::Endpoint address;
  bool operator==(const Whereabouts&) const = default;
};

// A run that is gone.
struct GoneRun {
  RunNumber number = 0;
  // ControllerConfig.name, which is Writer.shard of what it wrote to relays, and the epoch of that.
  std::string name;
  uint64_t epoch = 0;
};

class Listener {
 public:
  virtual ~Listener() = default;

  // The calls of `gone` are this controller's from now on. They stay kept in its name until each of them is kept or
  // forgotten here.
  virtual void OnTakeover(const GoneRun& gone, std::vector<store::StandingCall> calls) = 0;

  // Somebody has taken over the calls of this run, because its lease had run out while it could not say that it lives.
  // Whatever it does about them from now on disturbs `successor`: it should be stopped without ending any.
  virtual void OnOusted(const std::string& successor) = 0;
};

class Cluster {
 public:
  virtual ~Cluster() = default;

  // This one's; 0: it has none yet.
  virtual RunNumber run() const = 0;
  // Where others reach this one, and where what it sends to them has to come from, so that they know it.
  virtual Whereabouts whereabouts() const = 0;

  // Who has the dialogs of `run` now. Nothing: this controller, or nobody that is there.
  virtual std::optional<Whereabouts> Find(RunNumber run) const = 0;

  // There is, or was, such a run: its dialogs are somebody's, or may be in a moment.
  virtual bool Knows(RunNumber run) const = 0;

  // `address` is that of another controller of the cluster (any port).
  virtual bool IsMember(const sip::Endpoint& address) const = 0;

  // `listener` hears what happens from now on, and first what has happened before; null: nobody. Once this returns, the
  // one before is not called any more.
  virtual void SetListener(Listener* listener) = 0;
};

}  // namespace sluice::cluster

#endif  // SLUICE_SIGNALING_CLUSTER_CLUSTER_H_
