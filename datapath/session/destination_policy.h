// Where media may be sent.
//
// Never to loopback, link-local, multicast, broadcast and the like (packet/destination.h), to the prefixes that the
// operator forbids, nor to an address of the relay itself. Asked for each signalled address and for each source that
// was taken, before a flow to it is published.
//
// Threads: one control thread at a time.

#ifndef SLUICE_DATAPATH_SESSION_DESTINATION_POLICY_H_
#define SLUICE_DATAPATH_SESSION_DESTINATION_POLICY_H_

#include <string>
#include <utility>
#include <vector>

#include "datapath/packet/ip_address.h"
#include "datapath/packet/ip_prefix.h"

namespace sluice::session {

class DestinationPolicy {
 public:
  // `own`: media and control addresses of this relay.
  DestinationPolicy(std::vector<packet::IpAddress> own, bool allow_loopback)
      : own_(std::move(own)), allow_loopback_(allow_loopback) {}

  // Takes effect for what is published from now on.
  void SetForbidden(std::vector<packet::IpPrefix> prefixes) { forbidden_ = std::move(prefixes); }

  bool allow_loopback() const { return allow_loopback_; }
  bool Allows(const packet::IpAddress& address) const { return Fault(address).empty(); }
  // Empty if media may go there; else what speaks against it, as in "198.18.1.1 is one of the relay's own addresses".
  std::string Fault(const packet::IpAddress& address) const;

 private:
  const std::vector<packet::IpAddress> own_;
  const bool allow_loopback_;
  std::vector<packet::IpPrefix> forbidden_;
};

}  // namespace sluice::session

#endif  // SLUICE_DATAPATH_SESSION_DESTINATION_POLICY_H_
