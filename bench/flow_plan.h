#ifndef SLUICE_BENCH_FLOW_PLAN_H_
#define SLUICE_BENCH_FLOW_PLAN_H_

// The flows of a datapath bench: which local port each has, who sends to it, and the frames that arrive.
//
// Flow k of `flows` lives on local address k mod `addresses` and on its own even port there; flows 2i and 2i+1 are the
// two legs of session i, so what arrives on one leaves towards the peer of the other. Everything follows from the
// three numbers, so that the frames in a pcap file and the sessions at a relay agree without talking to each other.

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::bench {

struct Address {
  std::string text;
  uint16_t port = 0;
};

class FlowPlan {
 public:
  // `flows` is even. `addresses` local addresses carry at most 32 000 flows each. `first_port` is even.
  FlowPlan(uint32_t flows, uint32_t addresses, bool ipv6, uint16_t first_port = 1024);

  uint32_t flows() const { return flows_; }
  uint32_t addresses() const { return addresses_; }
  uint32_t sessions() const { return flows_ / 2; }
  // Highest port in use (the RTCP port of the last flow).
  uint16_t last_port() const;

  // Local address `index`, as text: 198.18.1.0 + index, or 2001:db8:1::index.
  std::string LocalAddress(uint32_t index) const;
  Address Local(uint32_t flow) const;
  // The peer that sends to this flow; unique a flow.
  Address Remote(uint32_t flow) const;

  // The Ethernet frame that arrives for this flow: RTP, payload type 0, `frame_bytes` in all.
  std::vector<uint8_t> Frame(uint32_t flow, uint32_t frame_bytes) const;

  // A pcap file (Ethernet, microseconds) with one frame a flow, in an order shuffled by `seed` (0: in order).
  // Returns false with errno set when it cannot be written.
  bool WritePcap(const std::string& path, uint32_t frame_bytes, uint64_t seed) const;

 private:
  uint32_t flows_;
  uint32_t addresses_;
  bool ipv6_;
  uint16_t first_port_;
};

}  // namespace sluice::bench

#endif  // SLUICE_BENCH_FLOW_PLAN_H_
