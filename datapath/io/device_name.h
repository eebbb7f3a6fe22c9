// How EAL is told to make a device: bus, name and arguments, from an interface's options.
//
// Threads: a pure function.

#ifndef SLUICE_DATAPATH_IO_DEVICE_NAME_H_
#define SLUICE_DATAPATH_IO_DEVICE_NAME_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "datapath/io/interface_options.h"

namespace sluice::io {

struct DeviceName {
  std::string bus;
  std::string name;  // Unique in the process.
  std::string arguments;

  // For people, as on EAL's command line.
  std::string ToString() const { return arguments.empty() ? name : name + "," + arguments; }
};

// The device of the interface at `index` of all, with `queues` RX and TX queues. `xdp_program` is the file with the XDP
// program, of AF_XDP only.
DeviceName NameDevice(const InterfaceOptions& options, size_t index, uint16_t queues, const std::string& xdp_program);

}  // namespace sluice::io

#endif  // SLUICE_DATAPATH_IO_DEVICE_NAME_H_
