// The procedures of RFC 3263 4 over a DNS client: NAPTR where the transport is not given either, SRV where neither port
// nor address is given, else A and AAAA.
//
// NAPTR records that name SRV records of transports that we speak lead to those, in their order; all others are passed
// over. Where none is left, the SRV records of each transport that we speak are asked for, in the order of `protocols`.
// Without any SRV record the name itself is taken, with the protocol's port. Within a name, addresses come in the order
// of `families`.
//
// NAPTR and SRV may lead to other domains, by TLS too: whoever connects there asks for a certificate of the name that
// was resolved (RFC 5922 4), so that a forged answer leads to nobody who can show it.
#ifndef SLUICE_SIGNALING_DNS_SIP_RESOLVER_H_
#define SLUICE_SIGNALING_DNS_SIP_RESOLVER_H_

#include <functional>
#include <memory>
#include <vector>

#include "signaling/dns/dns_client.h"
#include "signaling/dns/resolver.h"
#include "signaling/dns/service_order.h"

namespace sluice::dns {

struct SipResolverOptions {
  // What we can send by, best first; of kUdp, kTcp, kTls.
  std::vector<sip::Protocol> protocols = {sip::Protocol::kUdp, sip::Protocol::kTcp, sip::Protocol::kTls};
  // Address families that we have, best first; of kA and kAaaa.
  std::vector<RecordType> families = {RecordType::kA, RecordType::kAaaa};
};

class SipResolver final : public Resolver {
 public:
  // `client` outlives the resolver and calls back only while the resolver is there or not at all.
  SipResolver(DnsClient& client, RandomFunction random, const SipResolverOptions& options = {});
  ~SipResolver() override;

  void Resolve(const SipTarget& target, Callback done) override;

 private:
  class Lookup;

  DnsClient& client_;
  const RandomFunction random_;
  const SipResolverOptions options_;
  // What lookups that wait for the DNS know us by.
  const std::shared_ptr<SipResolver*> alive_;
};

}  // namespace sluice::dns

#endif  // SLUICE_SIGNALING_DNS_SIP_RESOLVER_H_
