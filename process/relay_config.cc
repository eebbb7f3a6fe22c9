#include "process/relay_config.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "process/checks.h"

namespace sluice::process {
namespace {

using config::v1::InterfaceConfig;
using config::v1::NetworkConfig;
using config::v1::RelayConfig;

constexpr absl::Duration kDefaultIdleSleep = absl::Microseconds(50);
constexpr absl::Duration kMaxIdleSleep = absl::Milliseconds(1);
constexpr uint32_t kDefaultFlows = 16384;
constexpr uint32_t kMaxFlows = 4194304;
constexpr uint32_t kMinBurst = 16;
constexpr uint32_t kDefaultMemoryMib = 256;
constexpr uint32_t kDefaultHugepageMemoryMib = 1024;
constexpr uint32_t kDefaultFirstPort = 16384;
constexpr uint32_t kDefaultLastPort = 32767;
constexpr uint32_t kMinPort = 1024;
constexpr uint32_t kMaxDscp = 63;
constexpr uint32_t kDefaultDscp = 46;
constexpr uint32_t kDefaultPuntLimitPps = 10000;
constexpr int kMaxAddresses = 64;
constexpr absl::Duration kMinQuarantine = absl::Seconds(2);
constexpr absl::Duration kDefaultTimeout = absl::Seconds(60);

// Walks the config once; the first error ends it.
class Checker {
 public:
  Checker(const ConfigFile& file, RelayConfig& config) : file_(file), config_(config) {}

  absl::Status Check() {
    for (auto check : {&Checker::CheckProcess, &Checker::CheckDatapath, &Checker::CheckInterfaces,
                       &Checker::CheckNetworks, &Checker::CheckSessions}) {
      if (absl::Status status = (this->*check)(); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  absl::Status CheckProcess() {
    if (absl::Status status = CheckName(file_, "name", config_.name()); !status.ok()) return status;
    if (config_.listen().empty())
      return file_.Error("listen",
                         "is required; allowed: a list such as "
                         "[\"unix:/run/sluice/relay.sock\"]");
    for (int i = 0; i < config_.listen_size(); ++i) {
      if (absl::Status status = CheckGrpcAddress(file_, absl::StrCat("listen[", i, "]"), config_.listen(i));
          !status.ok())
        return status;
    }
    if (!config_.metrics_listen().empty()) {
      if (absl::Status status = CheckHostPort(file_, "metrics_listen", config_.metrics_listen(), false); !status.ok())
        return status;
    }
    return CheckLogLevel(file_, "log_level", config_.log_level());
  }

  absl::Status CheckCpus(absl::string_view name, const google::protobuf::RepeatedField<uint32_t>& cpus) {
    const auto count = static_cast<uint32_t>(sysconf(_SC_NPROCESSORS_CONF));
    std::set<uint32_t> seen;
    for (int i = 0; i < cpus.size(); ++i) {
      const std::string key = absl::StrCat("datapath.", name, "[", i, "]");
      if (cpus[i] >= count)
        return file_.Error(key, absl::StrCat("there is no CPU ", cpus[i], "; allowed: 0 to ", count - 1));
      if (!seen.insert(cpus[i]).second) return file_.Error(key, absl::StrCat("CPU ", cpus[i], " stands twice"));
    }
    return absl::OkStatus();
  }

  absl::Status CheckDatapath() {
    auto& datapath = *config_.mutable_datapath();
    if (datapath.worker_cpus().empty())
      return file_.Error("datapath.worker_cpus", "is required; allowed: a list of CPUs such as [1]");
    if (absl::Status status = CheckCpus("worker_cpus", datapath.worker_cpus()); !status.ok()) return status;
    if (absl::Status status = CheckCpus("control_cpus", datapath.control_cpus()); !status.ok()) return status;
    if (!datapath.has_max_idle_sleep()) *datapath.mutable_max_idle_sleep() = ToProto(kDefaultIdleSleep);
    if (ToAbsl(datapath.max_idle_sleep()) > kMaxIdleSleep) {
      return file_.Error("datapath.max_idle_sleep", "is too long: packets would wait; allowed: 0s to 1ms");
    }
    if (datapath.memory_mib() == 0) {
      datapath.set_memory_mib(datapath.hugepages() ? kDefaultHugepageMemoryMib : kDefaultMemoryMib);
    }
    if (datapath.memory_mib() < 32) return file_.Error("datapath.memory_mib", "is too little; allowed: 32 and more");
    if (datapath.max_flows() == 0) datapath.set_max_flows(kDefaultFlows);
    if (datapath.max_flows() > kMaxFlows)
      return file_.Error("datapath.max_flows", absl::StrCat("is too many; allowed: 1 to ", kMaxFlows));
    if (datapath.burst_size() == 0) datapath.set_burst_size(kMaxBurst);
    if (datapath.burst_size() < kMinBurst || datapath.burst_size() > kMaxBurst) {
      return file_.Error(
          "datapath.burst_size",
          absl::StrCat(datapath.burst_size(), " is not allowed; allowed: ", kMinBurst, " to ", kMaxBurst));
    }
    return absl::OkStatus();
  }

  absl::Status CheckInterfaces() {
    if (config_.interfaces().empty())
      return file_.Error("interfaces", "is required; allowed: a list with at least one interface");
    for (int i = 0; i < config_.interfaces_size(); ++i) {
      if (absl::Status status = CheckInterface(absl::StrCat("interfaces[", i, "]"), *config_.mutable_interfaces(i));
          !status.ok())
        return status;
    }
    return absl::OkStatus();
  }

  absl::Status CheckInterface(const std::string& key, InterfaceConfig& interface) {
    if (absl::Status status = CheckName(file_, key + ".name", interface.name()); !status.ok()) return status;
    if (!interfaces_.insert(interface.name()).second)
      return file_.Error(key + ".name", absl::StrCat("'", interface.name(), "' stands twice"));
    if (interface.queues() == 0) interface.set_queues(config_.datapath().worker_cpus_size());
    if (interface.queues() != static_cast<uint32_t>(config_.datapath().worker_cpus_size())) {
      return file_.Error(key + ".queues",
                         absl::StrCat("must be one a worker; allowed: ", config_.datapath().worker_cpus_size()));
    }
    if (interface.vlan() > 4094) return file_.Error(key + ".vlan", "is not a VLAN; allowed: 0 (untagged) to 4094");
    if (interface.has_static_next_hop() && !IsMac(interface.static_next_hop().mac_address())) {
      return file_.Error(key + ".static_next_hop.mac_address",
                         "is not a MAC address; allowed: six bytes such as 02:00:00:00:00:01");
    }
    // The kernel's interface for the VLAN would have to stand on the TAP, which is only made with the device.
    if (interface.vlan() != 0 && interface.has_pci() && !interface.has_static_next_hop()) {
      return file_.Error(key + ".vlan", "needs static_next_hop on a pci device, whose TAP has no VLAN interface");
    }
    switch (interface.device_case()) {
      case InterfaceConfig::kAfXdp:
        if (interface.af_xdp().kernel_interface().empty())
          interface.mutable_af_xdp()->set_kernel_interface(interface.name());
        return CheckKernelInterface(key + ".af_xdp.kernel_interface", interface.af_xdp().kernel_interface());
      case InterfaceConfig::kAfPacket:
        if (interface.af_packet().kernel_interface().empty())
          interface.mutable_af_packet()->set_kernel_interface(interface.name());
        return CheckKernelInterface(key + ".af_packet.kernel_interface", interface.af_packet().kernel_interface());
      case InterfaceConfig::kPci:
        if (!IsPciAddress(interface.pci().address())) {
          return file_.Error(key + ".pci.address", absl::StrCat("'", interface.pci().address(),
                                                                "' is not a PCI address; allowed: 0000:3b:00.0"));
        }
        if (interface.pci().tap_name().empty()) interface.mutable_pci()->set_tap_name("sl-" + interface.name());
        if (interface.pci().punt_limit_pps() == 0) interface.mutable_pci()->set_punt_limit_pps(kDefaultPuntLimitPps);
        return CheckKernelInterface(key + ".pci.tap_name", interface.pci().tap_name());
      case InterfaceConfig::kVdev:
        if (interface.vdev().argument().rfind("net_", 0) != 0) {
          return file_.Error(key + ".vdev.argument",
                             absl::StrCat("'", interface.vdev().argument(),
                                          "' is not a DPDK device string; allowed: net_DRIVER0,OPTIONS"));
        }
        if (interface.vdev().kernel_interface().empty() && !interface.has_static_next_hop()) {
          return file_.Error(key,
                             "a vdev has no neighbours of its own; set "
                             "static_next_hop or vdev.kernel_interface");
        }
        return absl::OkStatus();
      case InterfaceConfig::DEVICE_NOT_SET:
        return file_.Error(key,
                           "has no device; allowed: one of af_xdp, af_packet, pci, vdev "
                           "(\"af_xdp: {}\" for the interface of that name)");
    }
    return absl::OkStatus();
  }

  absl::Status CheckKernelInterface(absl::string_view key, const std::string& name) {
    // IFNAMSIZ with its final zero.
    if (!name.empty() && name.size() <= 15 && name.find('/') == std::string::npos) return absl::OkStatus();
    return file_.Error(key, absl::StrCat("'", name, "' is not the name of a kernel interface; allowed: 1 to 15 bytes"));
  }

  static bool IsMac(const std::string& text) {
    const std::vector<std::string> bytes = absl::StrSplit(text, ':');
    if (bytes.size() != 6) return false;
    for (const std::string& byte : bytes) {
      if (byte.size() != 2 || !absl::ascii_isxdigit(byte[0]) || !absl::ascii_isxdigit(byte[1])) return false;
    }
    return true;
  }

  static bool IsPciAddress(const std::string& text) {
    unsigned domain, bus, device, function;
    char rest;
    return std::sscanf(text.c_str(), "%4x:%2x:%2x.%1u%c", &domain, &bus, &device, &function, &rest) == 4;
  }

  absl::Status CheckNetworks() {
    if (config_.networks().empty())
      return file_.Error("networks", "is required; allowed: a list with at least one network");
    for (int i = 0; i < config_.networks_size(); ++i) {
      if (absl::Status status = CheckNetwork(absl::StrCat("networks[", i, "]"), *config_.mutable_networks(i));
          !status.ok())
        return status;
    }
    if (static_cast<int>(addresses_.size()) > kMaxAddresses) {
      return file_.Error("networks",
                         absl::StrCat("have ", addresses_.size(), " addresses in all; allowed: ", kMaxAddresses));
    }
    return absl::OkStatus();
  }

  absl::Status CheckNetwork(const std::string& key, NetworkConfig& network) {
    if (absl::Status status = CheckName(file_, key + ".name", network.name()); !status.ok()) return status;
    if (!networks_.insert(network.name()).second)
      return file_.Error(key + ".name", absl::StrCat("'", network.name(), "' stands twice"));
    if (interfaces_.count(network.interface()) == 0) {
      return file_.Error(key + ".interface", absl::StrCat("there is no interface '", network.interface(),
                                                          "'; allowed: ", absl::StrJoin(interfaces_, ", ")));
    }
    if (network.addresses().empty())
      return file_.Error(key + ".addresses", "is required; allowed: a list of IPv4 and IPv6 addresses");
    for (int i = 0; i < network.addresses_size(); ++i) {
      const std::string item = absl::StrCat(key, ".addresses[", i, "]");
      if (!AddressFamily(network.addresses(i)))
        return file_.Error(item, absl::StrCat("'", network.addresses(i), "' is not an IPv4 or IPv6 address"));
      if (!addresses_.insert(network.addresses(i)).second)
        return file_.Error(item, absl::StrCat("'", network.addresses(i), "' stands twice"));
    }
    if (network.advertised_addresses_size() != 0 && network.advertised_addresses_size() != network.addresses_size()) {
      return file_.Error(
          key + ".advertised_addresses",
          absl::StrCat("has ", network.advertised_addresses_size(),
                       " addresses; allowed: none, or one for each of the ", network.addresses_size(), " addresses"));
    }
    for (int i = 0; i < network.advertised_addresses_size(); ++i) {
      if (AddressFamily(network.advertised_addresses(i)) != AddressFamily(network.addresses(i))) {
        return file_.Error(
            absl::StrCat(key, ".advertised_addresses[", i, "]"),
            absl::StrCat("'", network.advertised_addresses(i), "' is not of the family of ", network.addresses(i)));
      }
    }
    if (network.first_port() == 0) network.set_first_port(kDefaultFirstPort);
    if (network.last_port() == 0) network.set_last_port(kDefaultLastPort);
    if (network.first_port() < kMinPort || network.last_port() > 65535 || network.first_port() >= network.last_port()) {
      return file_.Error(key + ".first_port", absl::StrCat("ports ", network.first_port(), " to ", network.last_port(),
                                                           " are not a range; allowed: within ", kMinPort,
                                                           " to 65535, the first below the last"));
    }
    for (int i = 0; i < network.excluded_ports_size(); ++i) {
      if (network.excluded_ports(i) < network.first_port() || network.excluded_ports(i) > network.last_port()) {
        return file_.Error(absl::StrCat(key, ".excluded_ports[", i, "]"),
                           absl::StrCat(network.excluded_ports(i), " is not in the range; allowed: ",
                                        network.first_port(), " to ", network.last_port()));
      }
    }
    if (!network.has_dscp()) network.set_dscp(kDefaultDscp);
    if (network.dscp() > kMaxDscp)
      return file_.Error(key + ".dscp", absl::StrCat(network.dscp(), " is not a DSCP; allowed: 0 to ", kMaxDscp));
    return absl::OkStatus();
  }

  absl::Status CheckSessions() {
    auto& sessions = *config_.mutable_sessions();
    if (!sessions.has_port_quarantine()) *sessions.mutable_port_quarantine() = ToProto(kMinQuarantine);
    if (ToAbsl(sessions.port_quarantine()) < kMinQuarantine) {
      return file_.Error("sessions.port_quarantine",
                         "is too short: late packets of a dead call would "
                         "enter a new one; allowed: 2s and more");
    }
    if (!sessions.has_first_packet_timeout()) *sessions.mutable_first_packet_timeout() = ToProto(kDefaultTimeout);
    if (!sessions.has_one_way_timeout()) *sessions.mutable_one_way_timeout() = ToProto(kDefaultTimeout);
    if (!sessions.has_silence_timeout()) *sessions.mutable_silence_timeout() = ToProto(kDefaultTimeout);
    for (int i = 0; i < sessions.forbidden_destinations_size(); ++i) {
      if (!IsPrefix(sessions.forbidden_destinations(i))) {
        return file_.Error(absl::StrCat("sessions.forbidden_destinations[", i, "]"),
                           absl::StrCat("'", sessions.forbidden_destinations(i),
                                        "' is not a prefix; allowed: 198.18.0.0/15, 2001:db8::/32"));
      }
    }
    if (!sessions.capture_folder().empty() && sessions.capture_folder().front() != '/') {
      return file_.Error("sessions.capture_folder", "must be an absolute path");
    }
    return absl::OkStatus();
  }

  static bool IsPrefix(const std::string& text) {
    const std::vector<std::string> parts = absl::StrSplit(text, '/');
    uint32_t bits = 0;
    if (parts.size() != 2 || !absl::SimpleAtoi(parts[1], &bits)) return false;
    const std::optional<int> family = AddressFamily(parts[0]);
    return family && bits <= (family == 4 ? 32u : 128u);
  }

  const ConfigFile& file_;
  RelayConfig& config_;
  std::set<std::string> interfaces_;
  std::set<std::string> networks_;
  std::set<std::string> addresses_;
};

}  // namespace

absl::StatusOr<RelayConfig> ReadRelayConfig(const std::string& path) {
  RelayConfig config;
  absl::StatusOr<ConfigFile> file = ConfigFile::Read(path, config);
  if (!file.ok()) return file.status();
  if (absl::Status status = Checker(*file, config).Check(); !status.ok()) return status;
  return config;
}

absl::StatusOr<RelayConfig> ReadRelayConfigText(absl::string_view text, const std::string& path) {
  RelayConfig config;
  absl::StatusOr<ConfigFile> file = ConfigFile::ReadText(text, path, config);
  if (!file.ok()) return file.status();
  if (absl::Status status = Checker(*file, config).Check(); !status.ok()) return status;
  return config;
}

}  // namespace sluice::process
