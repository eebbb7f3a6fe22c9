// The seam between the procedures of RFC 3263 and the DNS: one question, one answer.
//
// Threads: those of the event loop that it belongs to.
#ifndef SLUICE_SIGNALING_DNS_DNS_CLIENT_H_
#define SLUICE_SIGNALING_DNS_DNS_CLIENT_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "signaling/dns/record.h"

namespace sluice::dns {

class DnsClient {
 public:
  // OK with no records: there are none, and that is certain. UNAVAILABLE: nobody could say.
  using Callback = std::function<void(const absl::StatusOr<Records>& records)>;

  virtual ~DnsClient() = default;

  // Calls `done` once, maybe before it returns. `name` is absolute; no search domain is tried.
  virtual void Ask(const std::string& name, RecordType type, Callback done) = 0;
};

}  // namespace sluice::dns

#endif  // SLUICE_SIGNALING_DNS_DNS_CLIENT_H_
