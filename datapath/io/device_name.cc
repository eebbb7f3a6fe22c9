#include "datapath/io/device_name.h"

#include "absl/strings/str_cat.h"

namespace sluice::io {

DeviceName NameDevice(const InterfaceOptions& options, size_t index, uint16_t queues, const std::string& xdp_program) {
  switch (options.kind) {
    case InterfaceKind::kAfXdp:
      // The driver's preferred busy polling stays on: without it an idle RX burst may sleep for a second.
      return {"vdev", absl::StrCat("net_af_xdp", index),
              absl::StrCat("iface=", options.kernel_interface, ",start_queue=0,queue_count=", queues,
                           ",xdp_prog=", xdp_program)};
    case InterfaceKind::kAfPacket:
      return {"vdev", absl::StrCat("net_af_packet", index),
              absl::StrCat("iface=", options.kernel_interface, ",qpairs=", queues)};
    case InterfaceKind::kPci:
      return {"pci", options.argument, ""};
    case InterfaceKind::kVdev:
      break;
  }
  const size_t comma = options.argument.find(',');
  if (comma == std::string::npos) return {"vdev", options.argument, ""};
  return {"vdev", options.argument.substr(0, comma), options.argument.substr(comma + 1)};
}

}  // namespace sluice::io
