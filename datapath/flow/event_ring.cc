#include "datapath/flow/event_ring.h"

#include <bit>

namespace sluice::flow {

EventRing::EventRing(size_t capacity) : events_(std::bit_ceil(capacity)), mask_(events_.size() - 1) {}

}  // namespace sluice::flow
