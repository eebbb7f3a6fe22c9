// From the name of a SIP domain to the addresses that serve it, in the order in which they are to be tried (RFC 3263).
//
// Whoever sends tries the first destination, and the next one when that fails by timeout or 503 (RFC 3263 4.3).
//
// Never used to answer: a response goes where its request came from.
//
// Threads: those of the event loop that it belongs to.
#ifndef SLUICE_SIGNALING_DNS_RESOLVER_H_
#define SLUICE_SIGNALING_DNS_RESOLVER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "signaling/sip/hop.h"

namespace sluice::dns {

// What a URI or a trunk's config says about where to go.
struct SipTarget {
  // "example.net", "198.18.1.1", "[2001:db8::1]".
  std::string host;
  // 0: not said, so SRV records decide.
  uint16_t port = 0;
  // As the transport parameter says. Nothing: not said, so SRV records decide.
  std::optional<sip::Protocol> protocol;
  // A sips: URI: TLS only.
  bool secure = false;
};

struct Destination {
  sip::Protocol protocol = sip::Protocol::kUdp;
  sip::Endpoint address;

  bool operator==(const Destination& other) const = default;

  template <typename H>
  friend H AbslHashValue(H state, const Destination& destination) {
    return H::combine(std::move(state), destination.protocol, destination.address);
  }
};

class Resolver {
 public:
  // Not empty if OK. NOT_FOUND: the name does not exist or has no address; UNAVAILABLE: the servers do not answer.
  using Callback = std::function<void(absl::StatusOr<std::vector<Destination>> destinations)>;

  virtual ~Resolver() = default;

  // Calls `done` once: before it returns if the answer is known (an address, or a name that was asked before), else
  // from the event loop. Not at all once the resolver is gone.
  virtual void Resolve(const SipTarget& target, Callback done) = 0;
};

}  // namespace sluice::dns

#endif  // SLUICE_SIGNALING_DNS_RESOLVER_H_
