// A sink that keeps what it gets, for tests.
//
// Threads: one at a time.
#ifndef SLUICE_SIGNALING_HEP_SINK_FAKE_H_
#define SLUICE_SIGNALING_HEP_SINK_FAKE_H_

#include <string>
#include <vector>

#include "signaling/hep/packet.h"
#include "signaling/hep/sink.h"

namespace sluice::hep {

class FakeSink final : public Sink {
 public:
  // A packet with texts of its own.
  struct Kept {
    Payload type;
    sip::Endpoint source;
    sip::Endpoint destination;
    absl::Time time;
    std::string payload;
    std::string correlation_id;
  };

  bool Wants(Payload) const override { return true; }
  void Take(const Packet& packet) override {
    kept_.push_back({packet.type, packet.source, packet.destination, packet.time, std::string(packet.payload),
                     std::string(packet.correlation_id)});
  }

  const std::vector<Kept>& kept() const { return kept_; }

 private:
  std::vector<Kept> kept_;
};

}  // namespace sluice::hep

#endif  // SLUICE_SIGNALING_HEP_SINK_FAKE_H_
