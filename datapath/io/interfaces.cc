#include "datapath/io/interfaces.h"

#include <rte_bus_vdev.h>
#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "datapath/io/device_name.h"
#include "datapath/io/eal_log.h"
#include "datapath/io/kernel_interface.h"
#include "datapath/io/media_filter.h"

namespace sluice::io {
namespace {

// Where a device has no wish of its own.
constexpr uint16_t kDescriptors = 1024;
constexpr uint64_t kRss = RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV6_UDP;
// For each worker's cache and burst, and for captures.
constexpr uint32_t kMbufsAWorker = 2048;

absl::Status DeviceError(const std::string& what, int error) {
  return absl::InternalError(absl::StrCat(what, ": ", rte_strerror(std::abs(error)), TakeEalComplaint()));
}

absl::Status Name(const absl::Status& status, const std::string& interface) {
  return absl::Status(status.code(), absl::StrCat("interface ", interface, ": ", status.message()));
}

bool NeedsKernelInterface(InterfaceKind kind) {
  return kind == InterfaceKind::kAfXdp || kind == InterfaceKind::kAfPacket;
}

uint16_t RxQueues(const InterfaceOptions& options, const KernelInterface& kernel, uint16_t workers) {
  if (options.queues != 0) return options.queues;
  // Packets on a channel without a socket of ours would go to the kernel.
  return options.kind == InterfaceKind::kAfXdp ? static_cast<uint16_t>(kernel.channels) : workers;
}

// AF_XDP has a socket a channel, for both directions.
absl::Status CheckChannels(const KernelInterface& kernel, uint16_t queues, uint16_t workers) {
  if (queues != kernel.channels) {
    return absl::FailedPreconditionError(
        absl::StrCat("queues: ", queues, ", but ", kernel.name, " has ", kernel.channels,
                     " channels, and media on the others would be lost; set queues to ", kernel.channels,
                     " or run `ethtool -L ", kernel.name, " combined ", queues, "`"));
  }
  if (queues < workers) {
    return absl::FailedPreconditionError(absl::StrCat(kernel.name, " has ", queues, " channels for ", workers,
                                                      " workers, which need one each; run `ethtool -L ", kernel.name,
                                                      " combined ", workers, "` or name fewer datapath.worker_cpus"));
  }
  return absl::OkStatus();
}

absl::StatusOr<uint16_t> MakeDevice(const DeviceName& device) {
  uint16_t port = 0;
  // PCI devices that EAL was allowed are there from its start.
  if (rte_eth_dev_get_port_by_name(device.name.c_str(), &port) == 0) {
    if (device.bus == "pci") return port;
    return absl::InvalidArgumentError(absl::StrCat("there is a device ", device.name, " already"));
  }
  if (device.bus == "pci" && access(absl::StrCat("/sys/bus/pci/devices/", device.name).c_str(), F_OK) != 0) {
    return absl::NotFoundError(absl::StrCat("there is no PCI device ", device.name));
  }
  const int result = rte_eal_hotplug_add(device.bus.c_str(), device.name.c_str(), device.arguments.c_str());
  if (result != 0) return DeviceError(absl::StrCat("DPDK cannot open ", device.ToString()), result);
  if (rte_eth_dev_get_port_by_name(device.name.c_str(), &port) != 0) {
    return absl::InternalError(absl::StrCat("DPDK opened ", device.ToString(), " without a port", TakeEalComplaint()));
  }
  return port;
}

void CloseDevice(uint16_t port) {
  rte_eth_dev_info info = {};
  const bool known = rte_eth_dev_info_get(port, &info) == 0;
  rte_eth_dev_stop(port);
  rte_eth_dev_close(port);
  if (known && info.device != nullptr) rte_dev_remove(info.device);
}

// Sets the queues up and starts the port.
absl::Status StartPort(const Port& port, const rte_eth_dev_info& info, rte_mempool* pool) {
  rte_eth_conf configuration = {};
  const uint64_t rss = info.flow_type_rss_offloads & kRss;
  if (port.rx_queues > 1 && rss != 0) {
    configuration.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    configuration.rx_adv_conf.rss_conf.rss_hf = rss;
  }
  if (const int result = rte_eth_dev_configure(port.id, port.rx_queues, port.tx_queues, &configuration); result != 0) {
    return DeviceError("DPDK cannot configure it", result);
  }
  uint16_t rx_descriptors = info.default_rxportconf.ring_size != 0 ? info.default_rxportconf.ring_size : kDescriptors;
  uint16_t tx_descriptors = info.default_txportconf.ring_size != 0 ? info.default_txportconf.ring_size : kDescriptors;
  if (const int result = rte_eth_dev_adjust_nb_rx_tx_desc(port.id, &rx_descriptors, &tx_descriptors); result != 0) {
    return DeviceError("DPDK cannot size its queues", result);
  }
  const unsigned node = static_cast<unsigned>(rte_eth_dev_socket_id(port.id));
  for (uint16_t queue = 0; queue < port.rx_queues; ++queue) {
    const int result = rte_eth_rx_queue_setup(port.id, queue, rx_descriptors, node, nullptr, pool);
    if (result != 0) return DeviceError(absl::StrCat("DPDK cannot set up receive queue ", queue), result);
  }
  for (uint16_t queue = 0; queue < port.tx_queues; ++queue) {
    const int result = rte_eth_tx_queue_setup(port.id, queue, tx_descriptors, node, nullptr);
    if (result != 0) return DeviceError(absl::StrCat("DPDK cannot set up transmit queue ", queue), result);
  }
  if (const int result = rte_eth_dev_start(port.id); result != 0) return DeviceError("DPDK cannot start it", result);
  rte_eth_stats_reset(port.id);
  return absl::OkStatus();
}

// Buffers that one pool needs when all is full: rings of all queues, four of them a queue with AF_XDP.
uint32_t EnoughMbufs(const std::vector<InterfaceOptions>& options, uint32_t workers) {
  uint32_t mbufs = workers * kMbufsAWorker;
  for (const InterfaceOptions& interface : options) {
    const uint32_t queues = std::max<uint32_t>(interface.queues, workers);
    mbufs += queues * 2 * kDescriptors * (interface.kind == InterfaceKind::kAfXdp ? 4 : 1);
  }
  return mbufs;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Interfaces>> Interfaces::Open(const Eal& eal,
                                                             const std::vector<InterfaceOptions>& options,
                                                             uint32_t mbufs) {
  const QuotesEalLog quotes;
  const auto workers = static_cast<uint16_t>(eal.workers().size());
  std::unique_ptr<Interfaces> result(new Interfaces(workers, mbufs != 0 ? mbufs : EnoughMbufs(options, workers)));
  for (const InterfaceOptions& interface : options) {
    for (const MediaRange& range : interface.media) {
      if (auto status = result->claims_.ClaimPorts(range); !status.ok()) return Name(status, interface.name);
    }
  }
  for (const InterfaceOptions& interface : options) {
    if (auto status = result->OpenOne(interface); !status.ok()) return Name(status, interface.name);
  }
  return result;
}

Interfaces::Interfaces(uint16_t workers, uint32_t mbufs) : workers_(workers), pools_(mbufs) {}

Interfaces::~Interfaces() {
  // Their threads use the ports, and the ports use their buffers.
  for (const auto& path : exception_paths_) path->Stop();
  for (const Interface& interface : interfaces_) CloseDevice(interface.port.id);
}

absl::Status Interfaces::OpenOne(const InterfaceOptions& options) {
  KernelInterface kernel;
  if (!options.kernel_interface.empty() || NeedsKernelInterface(options.kind)) {
    auto found = FindKernelInterface(options.kernel_interface);
    // That of a virtual device may come with it (net_tap makes one).
    if (found.ok()) {
      kernel = *std::move(found);
    } else if (NeedsKernelInterface(options.kind)) {
      return found.status();
    }
    if (NeedsKernelInterface(options.kind) && !kernel.up) {
      return absl::FailedPreconditionError(
          absl::StrCat(kernel.name, " is down; run `ip link set ", kernel.name, " up`"));
    }
  }
  const uint16_t rx_queues = RxQueues(options, kernel, workers_);
  const auto tx_queues =
      static_cast<uint16_t>(NeedsKernelInterface(options.kind) ? std::max(rx_queues, workers_)
                                                               : workers_ + (options.tap_name.empty() ? 0 : 1));
  std::optional<MediaFilterFile> program;
  if (options.kind == InterfaceKind::kAfXdp) {
    if (auto status = CheckChannels(kernel, rx_queues, workers_); !status.ok()) return status;
    if (auto status = claims_.ClaimInterface(kernel.name); !status.ok()) return status;
    if (auto status = PrepareForMediaFilter(kernel); !status.ok()) return status;
    auto file = MediaFilterFile::Make();
    if (!file.ok()) return file.status();
    program.emplace(*std::move(file));
  }

  const DeviceName device = NameDevice(options, interfaces_.size(), std::max(rx_queues, tx_queues),
                                       program.has_value() ? program->path() : "");
  const auto id = MakeDevice(device);
  if (!id.ok()) return id.status();
  // From here on the destructor closes it.
  Interface& interface = interfaces_.emplace_back();
  interface.name = options.name;
  interface.device = device.ToString();
  interface.port = {.id = *id, .rx_queues = rx_queues, .tx_queues = tx_queues};
  interface.vlan = options.vlan;
  interface.static_next_hop = options.static_next_hop;

  rte_eth_dev_info info = {};
  if (const int error = rte_eth_dev_info_get(*id, &info); error != 0)
    return DeviceError("DPDK knows nothing of it", error);
  if (rx_queues > info.max_rx_queues || tx_queues > info.max_tx_queues) {
    return absl::FailedPreconditionError(absl::StrCat("queues: it has at most ", info.max_rx_queues, " to receive and ",
                                                      info.max_tx_queues, " to send; ", rx_queues, " and ", tx_queues,
                                                      " are needed for ", workers_, " workers"));
  }
  const auto pool = pools_.Get(std::max(rte_eth_dev_socket_id(*id), 0));
  if (!pool.ok()) return pool.status();
  if (auto status = StartPort(interface.port, info, *pool); !status.ok()) return status;
  if (options.kind == InterfaceKind::kAfXdp) {
    if (auto status = SetMedia(kernel, options.media); !status.ok()) return status;
  }

  rte_ether_addr mac = {};
  if (const int error = rte_eth_macaddr_get(*id, &mac); error != 0)
    return DeviceError("DPDK knows no MAC address", error);
  std::copy(std::begin(mac.addr_bytes), std::end(mac.addr_bytes), interface.mac_address.bytes.begin());
  return ConnectToKernel(options, interface);
}

absl::Status Interfaces::ConnectToKernel(const InterfaceOptions& options, Interface& interface) {
  if (!options.kernel_interface.empty()) {
    auto found = FindKernelInterface(options.kernel_interface);
    if (found.ok() && options.vlan != 0 && !options.static_next_hop.has_value()) {
      found = FindVlanInterface(*found, options.vlan);
    }
    if (!found.ok()) return found.status();
    interface.kernel_index = found->index;
  }
  if (options.tap_name.empty() || NeedsKernelInterface(options.kind)) return absl::OkStatus();
  // The kernel's neighbour discovery listens to multicast addresses. Not every device can be told.
  rte_eth_allmulticast_enable(interface.port.id);
  auto path = ExceptionPath::Open({.tap_name = options.tap_name,
                                   .mac_address = interface.mac_address,
                                   .workers = workers_,
                                   .limit_pps = options.punt_limit_pps,
                                   .ticks_per_second = rte_get_tsc_hz()},
                                  interface.port, workers_);
  if (!path.ok()) return path.status();
  interface.port.exception_path = path->get();
  interface.kernel_index = (*path)->kernel_index();
  exception_paths_.push_back(*std::move(path));
  exception_paths_.back()->Start();
  return absl::OkStatus();
}

std::vector<Port> Interfaces::ports() const {
  std::vector<Port> ports;
  for (const Interface& interface : interfaces_) ports.push_back(interface.port);
  return ports;
}

InterfaceStatistics Interfaces::Statistics(size_t index) const {
  const uint16_t port = interfaces_[index].port.id;
  InterfaceStatistics result;
  rte_eth_stats stats = {};
  if (rte_eth_stats_get(port, &stats) == 0) {
    result.received_packets = stats.ipackets;
    result.received_bytes = stats.ibytes;
    result.sent_packets = stats.opackets;
    result.sent_bytes = stats.obytes;
    result.receive_missed = stats.imissed;
    result.receive_no_mbuf = stats.rx_nombuf;
    result.receive_errors = stats.ierrors;
    result.send_errors = stats.oerrors;
  }
  if (const ExceptionPath* path = interfaces_[index].port.exception_path; path != nullptr) {
    const ExceptionPathStatistics exceptions = path->Statistics();
    result.punted = exceptions.punted;
    result.punts_limited = exceptions.limited;
    result.injected = exceptions.injected;
  }
  rte_eth_link link = {};
  if (rte_eth_link_get_nowait(port, &link) == 0) {
    result.link_up = link.link_status == RTE_ETH_LINK_UP;
    result.link_mbps = link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : link.link_speed;
  }
  return result;
}

}  // namespace sluice::io
