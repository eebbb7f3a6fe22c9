#include "datapath/rtp/payload_map.h"

namespace sluice::rtp {
namespace {

constexpr uint32_t kMaxClockRate = 1u << 24;

uint64_t Factor(uint32_t clock_rate, uint64_t ticks_per_second) {
  return static_cast<uint64_t>((static_cast<unsigned __int128>(clock_rate) << 48) / ticks_per_second);
}

}  // namespace

PayloadMap PayloadMap::Any(uint64_t ticks_per_second) {
  PayloadMap map;
  map.code_.fill(kNegotiated);
  map.clock_rate_[0] = 8000;
  map.factor_[0] = Factor(8000, ticks_per_second);
  return map;
}

bool PayloadMap::Add(uint8_t number, uint32_t clock_rate, PayloadRole role, uint64_t ticks_per_second) {
  if (number >= code_.size() || clock_rate == 0 || clock_rate > kMaxClockRate) return false;
  uint8_t clock = 0;
  while (clock_rate_[clock] != 0 && clock_rate_[clock] != clock_rate) {
    if (++clock == kMaxClocks) return false;
  }
  clock_rate_[clock] = clock_rate;
  factor_[clock] = Factor(clock_rate, ticks_per_second);
  code_[number] = kNegotiated | clock;
  if (role == PayloadRole::kTelephoneEvent) code_[number] |= kEvent;
  if (role == PayloadRole::kComfortNoise) code_[number] |= kNoise;
  return true;
}

}  // namespace sluice::rtp
