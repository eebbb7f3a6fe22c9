// Where the signalling gives what it said and heard, for a collector: the seam between a shard and the exporter.
#ifndef SLUICE_SIGNALING_HEP_SINK_H_
#define SLUICE_SIGNALING_HEP_SINK_H_

#include "signaling/hep/packet.h"

namespace sluice::hep {

class Sink {
 public:
  virtual ~Sink() = default;

  // Whether packets of this kind are wanted at all; asked before one is made.
  virtual bool Wants(Payload type) const = 0;
  // Takes a copy, or drops the packet. Never waits. Threads: any.
  virtual void Take(const Packet& packet) = 0;
};

}  // namespace sluice::hep

#endif  // SLUICE_SIGNALING_HEP_SINK_H_
