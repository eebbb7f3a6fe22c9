#include "signaling/service/cluster_config.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "process/checks.h"
#include "signaling/cluster/redis_connection.h"
#include "signaling/service/sip_protocol.h"
#include "signaling/sip/hop.h"
#include "signaling/transport/sockaddr.h"

namespace sluice::service {
namespace {

using config::v1::ControllerConfig;
using config::v1::SipListener;

// Where others reach `listener`, if it says so.
std::optional<sip::Endpoint> PlaceOf(const SipListener& listener) {
  const std::optional<sip::Endpoint> address = sip::Endpoint::Parse(listener.address());
  if (!address.has_value() || !transport::IsUnspecified(*address)) return address;
  return sip::Endpoint::Parse(listener.advertised_address());
}

// Whether what is sent to `place` may come to `listener`.
bool Hears(const SipListener& listener, const sip::Endpoint& place) {
  if (PlaceOf(listener) == place) return true;
  const std::optional<sip::Endpoint> address = sip::Endpoint::Parse(listener.address());
  return address.has_value() && transport::IsUnspecified(*address) && address->is_v6 == place.is_v6 &&
         address->port == place.port;
}

// By UDP where there is a choice.
std::optional<cluster::Whereabouts> FindPlace(const ControllerConfig& config,
                                              const std::optional<sip::Endpoint>& wanted) {
  for (const auto transport : {config::v1::SIP_TRANSPORT_UDP, config::v1::SIP_TRANSPORT_TCP}) {
    for (const SipListener& listener : config.sip().listeners()) {
      if (listener.transport() != transport) continue;
      if (wanted.has_value() && !Hears(listener, *wanted)) continue;
      const std::optional<sip::Endpoint> place = wanted.has_value() ? wanted : PlaceOf(listener);
      if (place.has_value()) return cluster::Whereabouts{ToProtocol(transport), *place};
    }
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<std::optional<cluster::RedisClusterOptions>> ReadCluster(const process::ConfigFile& file,
                                                                        const ControllerConfig& config) {
  if (!config.has_cluster()) return std::nullopt;
  const config::v1::ClusterConfig& wanted = config.cluster();
  if (wanted.redis().empty()) {
    return file.Error("cluster.redis", "is required; allowed: \"198.18.0.5:6379\" or \"unix:/run/redis/redis.sock\"");
  }
  if (std::string defect = cluster::RedisAddressDefect(wanted.redis()); !defect.empty()) {
    return file.Error("cluster.redis", defect);
  }
  if (!wanted.username().empty() && wanted.password_file().empty()) {
    return file.Error("cluster.username", "wants password_file, too");
  }
  absl::StatusOr<std::string> password = process::ReadSecret(file, "cluster.password_file", wanted.password_file());
  if (!password.ok()) return password.status();
  if (config.store().sqlite_file() == ":memory:") {
    return file.Error("cluster", "wants accounts and records that are kept; store.sqlite_file must be a file");
  }
  std::optional<sip::Endpoint> address;
  if (!wanted.sip_address().empty()) {
    if (absl::Status status = process::CheckHostPort(file, "cluster.sip_address", wanted.sip_address(), false);
        !status.ok())
      return status;
    address = sip::Endpoint::Parse(wanted.sip_address());
  }
  const std::optional<cluster::Whereabouts> place = FindPlace(config, address);
  if (!place.has_value()) {
    return file.Error(
        "cluster.sip_address",
        address.has_value()
            ? absl::StrCat("'", wanted.sip_address(), "' is none of sip.listeners by udp or tcp")
            : "is required where no listener by udp or tcp names an address; allowed: \"198.18.1.1:5060\"");
  }
  return cluster::RedisClusterOptions{.redis = {.address = wanted.redis(),
                                                .username = wanted.username(),
                                                .password = *std::move(password),
                                                .database = wanted.database()},
                                      .name = config.name(),
                                      .whereabouts = *place,
                                      .shards = config.sip().shards()};
}

}  // namespace sluice::service
