// What the relay and its XDP program say to each other: the map of media addresses and their ports.
//
// Included by both, so it holds plain integers only.

#ifndef SLUICE_DATAPATH_IO_XDP_MEDIA_RANGE_MAP_H_
#define SLUICE_DATAPATH_IO_XDP_MEDIA_RANGE_MAP_H_

#include <cstdint>

namespace sluice::io {

// A media address as packet::IpAddress holds it.
struct MediaRangeKey {
  uint64_t raw_high;
  uint64_t raw_low;
};
static_assert(sizeof(MediaRangeKey) == 16);

// In host order, both included.
struct MediaRangePorts {
  uint16_t first;
  uint16_t last;
};
static_assert(sizeof(MediaRangePorts) == 4);

// As many as flow::LocalAddresses holds.
inline constexpr unsigned kMaxMediaRanges = 64;
inline constexpr unsigned kMaxXdpQueues = 64;

// Names by which the relay finds them again in the kernel.
inline constexpr char kMediaProgramName[] = "sluice_media";
inline constexpr char kMediaMapName[] = "media_ranges";

}  // namespace sluice::io

#endif  // SLUICE_DATAPATH_IO_XDP_MEDIA_RANGE_MAP_H_
