// The compiled XDP program (media_filter.bpf.cc) as bytes of this binary: an ELF object for libbpf.

#ifndef SLUICE_DATAPATH_IO_XDP_MEDIA_FILTER_OBJECT_H_
#define SLUICE_DATAPATH_IO_XDP_MEDIA_FILTER_OBJECT_H_

#include <cstdint>

namespace sluice::io {

inline constexpr uint8_t kMediaFilterObject[] = {
#include "datapath/io/xdp/media_filter_object.inc"
};

}  // namespace sluice::io

#endif  // SLUICE_DATAPATH_IO_XDP_MEDIA_FILTER_OBJECT_H_
