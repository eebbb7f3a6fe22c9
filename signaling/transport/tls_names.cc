#include "signaling/transport/tls_names.h"

#include <algorithm>

namespace sluice::transport {

uint32_t TlsNames::NumberOf(const std::string& name) {
  if (name.empty()) return 0;
  absl::MutexLock lock(&mutex_);
  const auto found = std::find(names_.begin(), names_.end(), name);
  const auto number = static_cast<uint32_t>(found - names_.begin()) + 1;
  if (found == names_.end()) names_.push_back(name);
  return number;
}

std::string TlsNames::NameOf(uint32_t number) const {
  absl::MutexLock lock(&mutex_);
  return number == 0 || number > names_.size() ? "" : names_[number - 1];
}

}  // namespace sluice::transport
