// Reads the reply of a DNS server (RFC 1035 4.1).
//
// Only what answers the question counts: records of the name that was asked for, or of the one that its CNAMEs lead
// to. Anything may come from the network; what cannot be read is an error and nothing else.
#ifndef SLUICE_SIGNALING_DNS_REPLY_H_
#define SLUICE_SIGNALING_DNS_REPLY_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "signaling/dns/record.h"

namespace sluice::dns {

// The records of `type` in a reply with the code NOERROR or NXDOMAIN. INVALID_ARGUMENT: cannot be read. UNAVAILABLE:
// the server could not say.
absl::StatusOr<Records> ReadReply(absl::string_view reply, RecordType type);

}  // namespace sluice::dns

#endif  // SLUICE_SIGNALING_DNS_REPLY_H_
