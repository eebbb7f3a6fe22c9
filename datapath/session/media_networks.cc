#include "datapath/session/media_networks.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace sluice::session {
namespace {

absl::Status Within(absl::string_view place, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(place, ": ", status.message()));
}

const char* Name(IpVersion version) { return version == IpVersion::kV4 ? "IPv4" : "IPv6"; }

}  // namespace

absl::StatusOr<std::unique_ptr<MediaNetworks>> MediaNetworks::Create(const std::vector<NetworkOptions>& options,
                                                                     absl::Duration quarantine,
                                                                     flow::FlowTable& table) {
  if (options.empty()) return absl::InvalidArgumentError("networks: at least one is required");
  std::unique_ptr<MediaNetworks> networks(new MediaNetworks());
  networks->options_ = options;
  for (unsigned network = 0; network < options.size(); ++network) {
    const NetworkOptions& option = options[network];
    const std::string place = absl::StrCat("network ", option.name);
    if (option.addresses.empty()) return absl::InvalidArgumentError(absl::StrCat(place, ": has no addresses"));
    if (!option.advertised.empty() && option.advertised.size() != option.addresses.size()) {
      return absl::InvalidArgumentError(absl::StrCat(place, ": advertised_addresses and addresses differ in number"));
    }
    const flow::PortAllocatorOptions ports = {option.first_port, option.last_port, option.excluded_ports, quarantine};
    if (absl::Status status = flow::PortAllocator::Check(ports); !status.ok()) return Within(place, status);
    for (size_t i = 0; i < option.addresses.size(); ++i) {
      if (absl::StatusOr<unsigned> local = table.AddLocalAddress(option.addresses[i]); !local.ok()) {
        return Within(place, local.status());
      }
      networks->addresses_.push_back({option.addresses[i],
                                      option.advertised.empty() ? option.addresses[i] : option.advertised[i], network,
                                      flow::PortAllocator(ports)});
    }
  }
  return networks;
}

absl::StatusOr<unsigned> MediaNetworks::Find(const std::string& name, IpVersion version) const {
  for (unsigned network = 0; network < options_.size(); ++network) {
    if (!name.empty()) {
      if (options_[network].name == name) return network;
      continue;
    }
    if (version == IpVersion::kUnspecified) return network;
    for (const packet::IpAddress& address : options_[network].addresses) {
      if (VersionOf(address) == version) return network;
    }
  }
  if (name.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("network: none has ", Name(version), " addresses, as remote (or ip_version) wants"));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "network: there is no '", name, "', allowed are ",
      absl::StrJoin(options_, ", ",
                    [](std::string* out, const NetworkOptions& option) { absl::StrAppend(out, option.name); })));
}

absl::StatusOr<LocalPorts> MediaNetworks::Allocate(unsigned network, IpVersion version,
                                                   const packet::Endpoint& requested, bool pair, absl::Time now) {
  const std::string& name = options_[network].name;
  if (version == IpVersion::kUnspecified)
    version = VersionOf(requested.is_set() ? requested.address : options_[network].addresses.front());
  size_t best = addresses_.size();
  uint32_t best_used = 0;
  for (size_t i = 0; i < addresses_.size(); ++i) {
    Address& address = addresses_[i];
    if (address.network != network) continue;
    if (requested.is_set()) {
      if (address.address == requested.address) best = i;
      continue;
    }
    if (VersionOf(address.address) != version) continue;
    const flow::PortAllocator::Usage usage = address.ports.usage(now);
    if (best == addresses_.size() || usage.used + usage.quarantined < best_used) {
      best = i;
      best_used = usage.used + usage.quarantined;
    }
  }
  LocalPorts ports = {static_cast<uint8_t>(network), static_cast<uint8_t>(best), pair, 0};
  if (requested.is_set()) {
    if (best == addresses_.size()) {
      return absl::InvalidArgumentError(absl::StrCat("requested_local.address ", requested.address.ToString(),
                                                     " is not an address of network ", name));
    }
    if (version != VersionOf(requested.address)) {
      return absl::InvalidArgumentError("requested_local is of another IP version than remote (or ip_version)");
    }
    flow::PortAllocator& allocator = addresses_[best].ports;
    const absl::Status status =
        pair ? allocator.AllocatePairAt(requested.port, now) : allocator.AllocateSingleAt(requested.port, now);
    // ALREADY_EXISTS would say that the session does.
    if (absl::IsAlreadyExists(status)) {
      return absl::ResourceExhaustedError(absl::StrCat("requested_local: ", status.message()));
    }
    if (!status.ok()) return Within("requested_local", status);
    ports.port = requested.port;
    return ports;
  }
  if (best == addresses_.size()) {
    return absl::InvalidArgumentError(absl::StrCat("remote: network ", name, " has no ", Name(version),
                                                   " addresses, as remote (or ip_version) wants"));
  }
  flow::PortAllocator& allocator = addresses_[best].ports;
  const absl::StatusOr<uint16_t> port = pair ? allocator.AllocatePair(now) : allocator.AllocateSingle(now);
  if (!port.ok()) return Within(absl::StrCat("network ", name), port.status());
  ports.port = *port;
  return ports;
}

absl::Status MediaNetworks::AddNextPort(LocalPorts& ports, absl::Time now) {
  // The last port has no next one; 0 is never free.
  const auto next = static_cast<uint16_t>(ports.port + 1);
  const absl::Status status = addresses_[ports.address].ports.AllocateSingleAt(next, now);
  if (!status.ok()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("rtcp_mode: the port next to ", ports.port, " cannot be had for RTCP: ", status.message()));
  }
  ports.has_pair = true;
  return absl::OkStatus();
}

void MediaNetworks::Release(const LocalPorts& ports, absl::Time now) {
  addresses_[ports.address].ports.ReleaseSingle(ports.port, now);
  if (ports.has_pair) ReleaseNextPort(ports, now);
}

void MediaNetworks::ReleaseNextPort(const LocalPorts& ports, absl::Time now) {
  addresses_[ports.address].ports.ReleaseSingle(static_cast<uint16_t>(ports.port + 1), now);
}

MediaNetworks::Usage MediaNetworks::usage(unsigned network, absl::Time now) {
  Usage sum;
  for (Address& address : addresses_) {
    if (address.network != network) continue;
    const flow::PortAllocator::Usage usage = address.ports.usage(now);
    sum.ports += usage.ports;
    sum.used += usage.used;
    sum.quarantined += usage.quarantined;
  }
  return sum;
}

}  // namespace sluice::session
