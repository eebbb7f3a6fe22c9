// The relay's media addresses, at most 64 of both families, and the index of each.
//
// How it works. A multiplicative hash without collisions, found by trial when an address is added: one table byte and
// one comparison a look-up, both in the first cache level.
//
// Threads: Find from any worker. Add before the workers start.

#ifndef SLUICE_DATAPATH_FLOW_LOCAL_ADDRESSES_H_
#define SLUICE_DATAPATH_FLOW_LOCAL_ADDRESSES_H_

#include <array>
#include <cstdint>

#include "datapath/packet/ip_address.h"

namespace sluice::flow {

class LocalAddresses {
 public:
  static constexpr unsigned kMax = 64;
  static constexpr unsigned kNotLocal = kMax;

  LocalAddresses();

  // The index of `address`, new or already there; kNotLocal if there are kMax others.
  unsigned Add(const packet::IpAddress& address);

  // The index of `address`, or kNotLocal.
  unsigned Find(const packet::IpAddress& address) const {
    const uint8_t index = table_[Hash(address, multiplier_)];
    return addresses_[index] == address ? index : kNotLocal;
  }

  unsigned size() const { return size_; }
  const packet::IpAddress& operator[](unsigned index) const { return addresses_[index]; }

 private:
  static constexpr unsigned kHashBits = 12;

  static unsigned Hash(const packet::IpAddress& address, uint64_t multiplier) {
    const uint64_t mixed = address.raw_low() ^ (address.raw_high() * 0x9e3779b97f4a7c15ULL);
    return static_cast<unsigned>((mixed * multiplier) >> (64 - kHashBits));
  }
  bool Arrange(uint64_t multiplier);

  uint64_t multiplier_ = 0x9e3779b97f4a7c15ULL;
  unsigned size_ = 0;
  // One more: the place of "no address", which holds one that never arrives.
  std::array<packet::IpAddress, kMax + 1> addresses_;
  std::array<uint8_t, 1u << kHashBits> table_;
};

}  // namespace sluice::flow

#endif  // SLUICE_DATAPATH_FLOW_LOCAL_ADDRESSES_H_
