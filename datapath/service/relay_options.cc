#include "datapath/service/relay_options.h"

#include <optional>
#include <vector>

#include "datapath/packet/ip_address.h"
#include "datapath/packet/ip_prefix.h"
#include "datapath/packet/mac_address.h"
#include "datapath/worker/pipeline.h"
#include "process/checks.h"
#include "process/relay_config.h"

namespace sluice::service {
namespace {

using config::v1::InterfaceConfig;
using config::v1::NetworkConfig;

static_assert(process::kMaxBurst == worker::kMaxBurst);

void SetDevice(const InterfaceConfig& config, io::InterfaceOptions& options) {
  switch (config.device_case()) {
    case InterfaceConfig::kAfXdp:
      options.kind = io::InterfaceKind::kAfXdp;
      options.kernel_interface = config.af_xdp().kernel_interface();
      break;
    case InterfaceConfig::kAfPacket:
      options.kind = io::InterfaceKind::kAfPacket;
      options.kernel_interface = config.af_packet().kernel_interface();
      break;
    case InterfaceConfig::kPci:
      options.kind = io::InterfaceKind::kPci;
      options.argument = config.pci().address();
      options.tap_name = config.pci().tap_name();
      options.punt_limit_pps = config.pci().punt_limit_pps();
      // Routes and neighbours of a NIC that DPDK owns are those of its TAP.
      options.kernel_interface = config.pci().tap_name();
      break;
    case InterfaceConfig::kVdev:
      options.kind = io::InterfaceKind::kVdev;
      options.argument = config.vdev().argument();
      options.kernel_interface = config.vdev().kernel_interface();
      break;
    case InterfaceConfig::DEVICE_NOT_SET:
      break;
  }
}

io::InterfaceOptions ToInterface(const InterfaceConfig& config, const config::v1::RelayConfig& relay) {
  io::InterfaceOptions options;
  options.name = config.name();
  SetDevice(config, options);
  options.queues = static_cast<uint16_t>(config.queues());
  options.vlan = static_cast<uint16_t>(config.vlan());
  if (config.has_static_next_hop()) {
    options.static_next_hop = packet::MacAddress::Parse(config.static_next_hop().mac_address());
  }
  for (const NetworkConfig& network : relay.networks()) {
    if (network.interface() != config.name()) continue;
    for (const std::string& address : network.addresses()) {
      options.media.push_back({packet::IpAddress::Parse(address).value_or(packet::IpAddress()),
                               static_cast<uint16_t>(network.first_port()),
                               static_cast<uint16_t>(network.last_port())});
    }
  }
  return options;
}

std::vector<packet::IpAddress> ToAddresses(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  std::vector<packet::IpAddress> addresses;
  for (const std::string& text : texts) {
    if (const std::optional<packet::IpAddress> address = packet::IpAddress::Parse(text)) addresses.push_back(*address);
  }
  return addresses;
}

session::NetworkOptions ToNetwork(const NetworkConfig& config) {
  session::NetworkOptions options;
  options.name = config.name();
  options.interface = config.interface();
  options.addresses = ToAddresses(config.addresses());
  options.advertised = ToAddresses(config.advertised_addresses());
  options.first_port = static_cast<uint16_t>(config.first_port());
  options.last_port = static_cast<uint16_t>(config.last_port());
  options.excluded_ports.assign(config.excluded_ports().begin(), config.excluded_ports().end());
  options.dscp = static_cast<uint8_t>(config.dscp());
  return options;
}

// The addresses at which the relay itself serves, as far as they are told as such.
std::vector<packet::IpAddress> ControlAddresses(const config::v1::RelayConfig& config) {
  std::vector<packet::IpAddress> addresses;
  std::vector<std::string> listens(config.listen().begin(), config.listen().end());
  listens.push_back(config.metrics_listen());
  for (const std::string& listen : listens) {
    const std::optional<packet::Endpoint> endpoint = packet::Endpoint::Parse(listen);
    if (endpoint && !endpoint->address.is_unspecified()) addresses.push_back(endpoint->address);
  }
  return addresses;
}

}  // namespace

DpdkDatapathOptions ToDatapathOptions(const config::v1::RelayConfig& config) {
  const config::v1::DatapathConfig& datapath = config.datapath();
  DpdkDatapathOptions options;
  options.eal.worker_cpus.assign(datapath.worker_cpus().begin(), datapath.worker_cpus().end());
  options.eal.control_cpus.assign(datapath.control_cpus().begin(), datapath.control_cpus().end());
  options.eal.hugepages = datapath.hugepages();
  options.eal.memory_mib = datapath.memory_mib();
  options.eal.arguments.assign(datapath.eal_arguments().begin(), datapath.eal_arguments().end());
  options.mbufs = datapath.mbufs();
  options.max_flows = datapath.max_flows();
  options.max_idle_sleep = process::ToAbsl(datapath.max_idle_sleep());
  options.burst = static_cast<uint16_t>(datapath.burst_size());
  for (const InterfaceConfig& interface : config.interfaces()) {
    options.interfaces.push_back(ToInterface(interface, config));
    if (interface.has_pci()) options.eal.pci_addresses.push_back(interface.pci().address());
  }
  return options;
}

session::SessionSettings ToSettings(const config::v1::SessionConfig& config) {
  session::SessionSettings settings;
  settings.timeouts = {process::ToAbsl(config.first_packet_timeout()), process::ToAbsl(config.one_way_timeout()),
                       process::ToAbsl(config.silence_timeout())};
  settings.end_on_silence = config.end_on_silence();
  for (const std::string& text : config.forbidden_destinations()) {
    if (const std::optional<packet::IpPrefix> prefix = packet::IpPrefix::Parse(text)) {
      settings.forbidden_destinations.push_back(*prefix);
    }
  }
  return settings;
}

session::SessionModelOptions ToModelOptions(const config::v1::RelayConfig& config, const std::string& instance_id) {
  session::SessionModelOptions options;
  for (const NetworkConfig& network : config.networks()) options.networks.push_back(ToNetwork(network));
  options.port_quarantine = process::ToAbsl(config.sessions().port_quarantine());
  options.control_addresses = ControlAddresses(config);
  options.allow_loopback = config.sessions().allow_loopback();
  options.settings = ToSettings(config.sessions());
  options.instance_id = instance_id;
  return options;
}

}  // namespace sluice::service
