#include "signaling/store/binding.h"

#include <limits>

#include "absl/strings/numbers.h"

namespace sluice::store {

std::string BindingDefect(const Binding& binding) {
  if (binding.contact.find(':') == std::string::npos) return "contact is not a URI";
  if (binding.call_id.empty()) return "call_id is empty";
  if (binding.transport.empty()) return "transport is empty";
  const size_t colon = binding.source.rfind(':');
  uint32_t port = 0;
  if (colon == std::string::npos || !absl::SimpleAtoi(binding.source.substr(colon + 1), &port) || port == 0 ||
      port > std::numeric_limits<uint16_t>::max()) {
    return "source is not address:port";
  }
  return "";
}

}  // namespace sluice::store
