// DNS records as the resolver needs them.
#ifndef SLUICE_SIGNALING_DNS_RECORD_H_
#define SLUICE_SIGNALING_DNS_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "signaling/sip/hop.h"

namespace sluice::dns {

// With the numbers of the DNS.
enum class RecordType : uint16_t { kA = 1, kAaaa = 28, kSrv = 33, kNaptr = 35 };

// RFC 2782.
struct Service {
  uint16_t priority = 0;
  uint16_t weight = 0;
  uint16_t port = 0;
  // Lower case, without the dot at its end. Empty: the service is decidedly not there.
  std::string target;

  bool operator==(const Service& other) const = default;
};

// RFC 3403 4: names the SRV records of one of a domain's services, where `flags` is "s".
struct ServicePointer {
  // The lowest comes first; among equals, the lowest preference.
  uint16_t order = 0;
  uint16_t preference = 0;
  // As they came: "s", "SIP+D2U".
  std::string flags;
  std::string service;
  // A rule that makes the next name out of what is looked for.
  std::string regexp;
  // Lower case, without the dot at its end. Empty: there is a `regexp` instead.
  std::string replacement;

  bool operator==(const ServicePointer& other) const = default;
};

// The records of one name and type. None: the name does not exist or has no such records.
struct Records {
  // Of A and AAAA; ports are 0.
  std::vector<sip::Endpoint> addresses;
  // Of SRV, in the order in which they came.
  std::vector<Service> services;
  // Of NAPTR, in the order in which they came.
  std::vector<ServicePointer> pointers;
  // How long it may be kept, also that there is nothing (RFC 2308).
  absl::Duration lifetime;

  size_t size() const { return addresses.size() + services.size() + pointers.size(); }
  bool empty() const { return size() == 0; }
};

}  // namespace sluice::dns

#endif  // SLUICE_SIGNALING_DNS_RECORD_H_
