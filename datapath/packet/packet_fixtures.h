// Packets with a sentence each and what the parser makes of them: one table for tests, benchmarks, the XDP program's
// test and readers.

#ifndef SLUICE_DATAPATH_PACKET_PACKET_FIXTURES_H_
#define SLUICE_DATAPATH_PACKET_PACKET_FIXTURES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "datapath/packet/drop_reason.h"

namespace sluice::packet {

struct PacketFixture {
  std::string description;
  std::vector<uint8_t> frame;
  DropReason verdict;
};

// All go from 198.18.1.2:21000 to 198.18.1.1:24594 or from [2001:db8:1::2]:21000 to [2001:db8:1::1]:24594.
const std::vector<PacketFixture>& PacketFixtures();

}  // namespace sluice::packet

#endif  // SLUICE_DATAPATH_PACKET_PACKET_FIXTURES_H_
