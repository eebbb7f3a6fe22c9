// DNS records as the resolver needs them.
#ifndef SLUICE_SIGNALING_DNS_RECORD_H_
#define SLUICE_SIGNALING_DNS_RECORD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "signaling/sip/hop.h"

namespace sluice::dns {

// With the numbers of the DNS.
enum class RecordType : uint16_t { kA = 1, kAaaa = 28, kSrv = 33 };

// RFC 2782.
struct Service {
  uint16_t priority = 0;
  uint16_t weight = 0;
  uint16_t port = 0;
  // Lower case, without the dot at its end. Empty: the service is decidedly not there.
  std::string target;

  bool operator==(const Service& other) const = default;
};

// The records of one name and type. None: the name does not exist or has no such records.
struct Records {
  // Of A and AAAA; ports are 0.
  std::vector<sip::Endpoint> addresses;
  // Of SRV, in the order in which they came.
  std::vector<Service> services;
  // How long it may be kept, also that there is nothing (RFC 2308).
  absl::Duration lifetime;

  bool empty() const { return addresses.empty() && services.empty(); }
};

}  // namespace sluice::dns

#endif  // SLUICE_SIGNALING_DNS_RECORD_H_
