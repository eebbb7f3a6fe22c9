#include "datapath/session/destination_policy.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "datapath/packet/destination.h"

namespace sluice::session {

std::string DestinationPolicy::Fault(const packet::IpAddress& address) const {
  const std::string_view fault = packet::DestinationFault(address, allow_loopback_);
  if (!fault.empty()) {
    return absl::StrCat(address.ToString(), " is ", absl::string_view(fault.data(), fault.size()),
                        ": media is never sent there");
  }
  if (std::find(own_.begin(), own_.end(), address) != own_.end()) {
    return absl::StrCat(address.ToString(), " is one of the relay's own addresses: media is never sent there");
  }
  for (const packet::IpPrefix& prefix : forbidden_) {
    if (prefix.Contains(address)) {
      return absl::StrCat(address.ToString(), " is within ", prefix.ToString(),
                          ", which sessions.forbidden_destinations names: media is never sent there");
    }
  }
  return "";
}

}  // namespace sluice::session
