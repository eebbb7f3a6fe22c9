#ifndef SLUICE_BENCH_FLOW_PLAN_H_
#define SLUICE_BENCH_FLOW_PLAN_H_

// The flows of a datapath bench: which local port each has, who sends to it, and the frames that arrive.
//
// Flow k of `flows` lives on local address k mod `addresses` and on its own even port there; flows 2i and 2i+1 are the
// two legs of session i, so what arrives on one leaves towards the peer of the other. Everything follows from these
// numbers, so that the frames in a pcap file and the sessions at a relay agree without talking to each other.

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::bench {

struct Address {
  std::string text;
  uint16_t port = 0;
};

// Of the legs of each session.
enum class Families {
  kIpv4,
  kIpv6,
  kIpv4ToIpv6,    // One leg each; packets arrive at the IPv4 legs only.
  kIpv4WithIpv6,  // One leg each; packets arrive at both.
};

class FlowPlan {
 public:
  // `flows` is even. `addresses` local addresses (even where legs differ) carry at most 32 000 flows each.
  FlowPlan(uint32_t flows, uint32_t addresses, Families families);

  uint32_t flows() const { return flows_; }
  uint32_t addresses() const { return addresses_; }
  uint32_t sessions() const { return flows_ / 2; }
  // Local address `index`, as text: 198.18.1.0 + index, or 2001:db8:1::index + 1.
  std::string LocalAddress(uint32_t index) const;
  Address Local(uint32_t flow) const;
  // The peer that sends to this flow; unique a flow.
  Address Remote(uint32_t flow) const;

  // The Ethernet frame that arrives for this flow: RTP, payload type 0, with 20 ms of G.711 (214 bytes over IPv4).
  std::vector<uint8_t> Frame(uint32_t flow) const;

  // Pcap files (Ethernet, microseconds) that share the flows at which packets arrive, with one frame a flow, in an
  // order shuffled by `seed` (0: in order). Returns false with errno set when one cannot be written.
  bool WritePcaps(const std::vector<std::string>& paths, uint64_t seed) const;

 private:
  // Whether the flow's leg, and so its address, is IPv6. Flows of odd addresses are odd.
  bool IsIpv6(uint32_t flow) const;
  bool WritePcap(const std::string& path, const std::vector<uint32_t>& flows) const;

  uint32_t flows_;
  uint32_t addresses_;
  Families families_;
};

}  // namespace sluice::bench

#endif  // SLUICE_BENCH_FLOW_PLAN_H_
