#include "signaling/agent/trace_ring.h"

#include <algorithm>
#include <cstring>

namespace sluice::agent {

TraceRing::TraceRing(size_t capacity) : capacity_(capacity), bytes_(new char[capacity]) {}

uint64_t TraceRing::Append(absl::string_view message) {
  if (message.size() > capacity_) return kNowhere;
  const uint64_t position = end_;
  const size_t offset = position % capacity_;
  const size_t first = std::min(message.size(), capacity_ - offset);
  std::memcpy(bytes_.get() + offset, message.data(), first);
  std::memcpy(bytes_.get(), message.data() + first, message.size() - first);
  end_ += message.size();
  return position;
}

std::string TraceRing::Read(uint64_t position, size_t size) const {
  if (position == kNowhere || position + size > end_ || end_ - position > capacity_) return "";
  std::string message(size, '\0');
  const size_t offset = position % capacity_;
  const size_t first = std::min(size, capacity_ - offset);
  std::memcpy(message.data(), bytes_.get() + offset, first);
  std::memcpy(message.data() + first, bytes_.get(), size - first);
  return message;
}

}  // namespace sluice::agent
