// The order in which the targets of an SRV answer are tried (RFC 2782), and those of a NAPTR answer (RFC 3403 4.1).
//
// SRV: lowest priority first; among equals a draw in which each has chances by its weight, so that load spreads over
// them. NAPTR: lowest order first; among equals the lowest preference, then as they came.
#ifndef SLUICE_SIGNALING_DNS_SERVICE_ORDER_H_
#define SLUICE_SIGNALING_DNS_SERVICE_ORDER_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "signaling/dns/record.h"

namespace sluice::dns {

// A number from 0 to `bound` inclusive, each with the same chance.
using RandomFunction = std::function<uint32_t(uint32_t bound)>;

std::vector<Service> OrderServices(std::vector<Service> services, const RandomFunction& random);
std::vector<ServicePointer> OrderPointers(std::vector<ServicePointer> pointers);

}  // namespace sluice::dns

#endif  // SLUICE_SIGNALING_DNS_SERVICE_ORDER_H_
