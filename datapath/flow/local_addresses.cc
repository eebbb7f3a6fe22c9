#include "datapath/flow/local_addresses.h"

namespace sluice::flow {

LocalAddresses::LocalAddresses() {
  // A multicast address is never a packet's destination here, so the place of "no address" matches nothing that is
  // asked for.
  const uint8_t none[16] = {0xff};
  addresses_[kNotLocal] = packet::IpAddress::V6(none);
  table_.fill(kNotLocal);
}

unsigned LocalAddresses::Add(const packet::IpAddress& address) {
  for (unsigned i = 0; i < size_; ++i) {
    if (addresses_[i] == address) return i;
  }
  if (size_ == kMax) return kNotLocal;
  addresses_[size_++] = address;
  // 64 addresses in 4096 places collide for about four multipliers in ten, so a few trials are enough. The sequence is
  // that of a linear congruential generator made odd.
  uint64_t multiplier = multiplier_;
  while (!Arrange(multiplier | 1)) multiplier = multiplier * 6364136223846793005ULL + 1442695040888963407ULL;
  return size_ - 1;
}

bool LocalAddresses::Arrange(uint64_t multiplier) {
  std::array<uint8_t, 1u << kHashBits> table;
  table.fill(kNotLocal);
  for (unsigned i = 0; i < size_; ++i) {
    uint8_t& place = table[Hash(addresses_[i], multiplier)];
    if (place != kNotLocal) return false;
    place = static_cast<uint8_t>(i);
  }
  table_ = table;
  multiplier_ = multiplier;
  return true;
}

}  // namespace sluice::flow
