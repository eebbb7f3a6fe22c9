#include "signaling/service/routing_config.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "process/checks.h"
#include "signaling/service/sip_protocol.h"
#include "signaling/sip/text.h"

namespace sluice::service {
namespace {

using config::v1::ControllerConfig;
using config::v1::RouteConfig;
using config::v1::TrunkConfig;

constexpr uint32_t kMaxStrip = 32;
constexpr size_t kMaxPrepend = 32;
constexpr uint32_t kMaxWeight = 65535;
// A route that blocks numbers answers by one of these.
constexpr uint32_t kLowestRefusal = 400;
constexpr uint32_t kHighestRefusal = 699;
constexpr absl::Duration kDefaultExpires = absl::Seconds(600);
constexpr absl::Duration kMinExpires = absl::Seconds(60);
// Two retransmissions by UDP; Timer B.
constexpr absl::Duration kShortestFailover = absl::Seconds(1);
constexpr absl::Duration kLongestFailover = absl::Seconds(32);

class PlanReader {
 public:
  PlanReader(const process::ConfigFile& file, const ControllerConfig& config) : file_(file), config_(config) {}

  absl::StatusOr<std::shared_ptr<const routing::Plan>> Read() {
    for (int i = 0; i < config_.dns().servers_size(); ++i) {
      const std::string& server = config_.dns().servers(i);
      if (!sip::Endpoint::Parse(server).has_value() && !sip::Endpoint::Make(server, 0).has_value())
        return file_.Error(absl::StrCat("dns.servers[", i, "]"),
                           absl::StrCat("is '", server, "'; allowed: ADDRESS or ADDRESS:PORT"));
    }
    for (int i = 0; i < config_.trunks_size(); ++i) {
      if (absl::Status status = ReadTrunk(absl::StrCat("trunks[", i, "]"), config_.trunks(i)); !status.ok())
        return status;
    }
    for (int i = 0; i < config_.routes_size(); ++i) {
      if (absl::Status status = ReadRoute(absl::StrCat("routes[", i, "]"), config_.routes(i)); !status.ok())
        return status;
    }
    return std::make_shared<const routing::Plan>(std::move(trunks_), std::move(routes_));
  }

 private:
  absl::Status ReadTrunk(const std::string& key, const TrunkConfig& config) {
    if (absl::Status status = process::CheckName(file_, key + ".name", config.name()); !status.ok()) return status;
    routing::Trunk trunk;
    trunk.name = config.name();
    trunk.domain = config.domain();
    trunk.from_user = config.from_user();
    trunk.from_domain = config.from_domain();
    trunk.trusts_identities = config.trust_identities();
    if (config.has_follow_redirections()) trunk.follow_redirections = config.follow_redirections();
    trunk.limits = {config.limits().calls(), config.limits().calls_per_second()};
    for (const auto& read :
         {&PlanReader::ReadPeers, &PlanReader::ReadTls, &PlanReader::ReadSources, &PlanReader::ReadCertificates,
          &PlanReader::ReadCredentials, &PlanReader::ReadRegistration}) {
      if (absl::Status status = (this->*read)(key, config, trunk); !status.ok()) return status;
    }
    for (const auto& [name, domain] : {std::pair(".domain", &trunk.domain), {".from_domain", &trunk.from_domain}}) {
      const std::optional<sip::HostPort> host = sip::ParseHostPort(*domain);
      if (!domain->empty() && (!host.has_value() || host->port != 0))
        return file_.Error(key + name, absl::StrCat("is '", *domain, "'; allowed: a host name or an address"));
    }
    if (by_name_.contains(trunk.name))
      return file_.Error(key + ".name", absl::StrCat("'", trunk.name, "' stands twice"));
    trunks_.push_back(std::make_shared<const routing::Trunk>(std::move(trunk)));
    by_name_[trunks_.back()->name] = trunks_.back();
    return absl::OkStatus();
  }

  absl::Status ReadPeers(const std::string& key, const TrunkConfig& config, routing::Trunk& trunk) {
    if (config.peers().empty())
      return file_.Error(key + ".peers",
                         "is required; allowed: a list such as [{transport: udp, address: \"198.18.1.9:5060\"}]");
    trunk.sources_are_servers = config.inbound_from_peers();
    trunk.overload_control = config.overload_control();
    if (config.has_failover_after()) trunk.failover_after = process::ToAbsl(config.failover_after());
    if (trunk.failover_after < kShortestFailover || trunk.failover_after > kLongestFailover)
      return file_.Error(key + ".failover_after", "allowed: 1s to 32s");
    for (int i = 0; i < config.peers_size(); ++i) {
      const std::string peer_key = absl::StrCat(key, ".peers[", i, "]");
      const config::v1::TrunkPeer& peer = config.peers(i);
      const std::optional<sip::HostPort> host = sip::ParseHostPort(peer.address());
      // What has only digits and dots is an address, or a slip of the pen in one.
      const bool is_name = host.has_value() && host->host.find_first_not_of("0123456789.[]:") != std::string::npos &&
                           host->host.front() != '[';
      const bool is_address = host.has_value() && sip::Endpoint::Make(host->host, 0).has_value();
      if (!is_name && !is_address)
        return file_.Error(peer_key + ".address",
                           absl::StrCat("is '", peer.address(),
                                        "'; allowed: ADDRESS:PORT, such as 198.18.1.9:5060, NAME:PORT, or NAME"));
      std::optional<sip::Protocol> protocol;
      if (peer.transport() != config::v1::SIP_TRANSPORT_UNSPECIFIED) {
        if (!CanSendBy(peer.transport()))
          return file_.Error(peer_key + ".transport",
                             "allowed: udp, tcp or tls, if a listener of sip.listeners has it");
        protocol = ToProtocol(peer.transport());
      } else if (is_address || host->port != 0) {
        return file_.Error(peer_key + ".transport", "is required where address is an address or has a port");
      }
      trunk.peers.push_back({protocol, std::string(host->host), host->port});
    }
    return absl::OkStatus();
  }

  bool CanSendBy(config::v1::SipTransport transport) const {
    if (transport == config::v1::SIP_TRANSPORT_WS || transport == config::v1::SIP_TRANSPORT_WSS) return false;
    const auto& listeners = config_.sip().listeners();
    return std::any_of(listeners.begin(), listeners.end(), [transport](const config::v1::SipListener& listener) {
      return listener.transport() == transport;
    });
  }

  absl::Status ReadSources(const std::string& key, const TrunkConfig& config, routing::Trunk& trunk) {
    for (int i = 0; i < config.inbound_addresses_size(); ++i) {
      const std::string& text = config.inbound_addresses(i);
      const std::string source_key = absl::StrCat(key, ".inbound_addresses[", i, "]");
      std::optional<sip::Endpoint> source = sip::Endpoint::Parse(text);
      if (!source.has_value()) source = sip::Endpoint::Make(text, 0);
      if (!source.has_value())
        return file_.Error(source_key, absl::StrCat("is '", text, "'; allowed: ADDRESS or ADDRESS:PORT"));
      if (!sources_.insert(source->ToString()).second)
        return file_.Error(source_key, absl::StrCat("'", text, "' stands twice: whose call would it be"));
      trunk.sources.push_back(*source);
    }
    return absl::OkStatus();
  }

  absl::Status ReadTls(const std::string& key, const TrunkConfig& config, routing::Trunk& trunk) {
    trunk.has_own_tls = config.has_tls();
    const bool uses_it = std::any_of(trunk.peers.begin(), trunk.peers.end(), [this](const routing::TrunkPeer& peer) {
      return peer.protocol.has_value() ? *peer.protocol == sip::Protocol::kTls
                                       : CanSendBy(config::v1::SIP_TRANSPORT_TLS);
    });
    if (trunk.has_own_tls && !uses_it)
      return file_.Error(key + ".tls", "is of no use: none of its peers is reached by tls");
    return absl::OkStatus();
  }

  absl::Status ReadCertificates(const std::string& key, const TrunkConfig& config, routing::Trunk& trunk) {
    const auto& listeners = config_.sip().listeners();
    const bool asks = std::any_of(listeners.begin(), listeners.end(), [](const config::v1::SipListener& listener) {
      return !listener.client_ca_file().empty();
    });
    if (!config.inbound_certificates().empty() && !asks) {
      return file_.Error(key + ".inbound_certificates",
                         "no tls listener of sip.listeners asks for certificates; give one a client_ca_file");
    }
    for (int i = 0; i < config.inbound_certificates_size(); ++i) {
      const std::string& text = config.inbound_certificates(i);
      const std::string name_key = absl::StrCat(key, ".inbound_certificates[", i, "]");
      const std::optional<sip::HostPort> host = sip::ParseHostPort(text);
      if (!host.has_value() || host->host != text || sip::Endpoint::Make(text, 0).has_value()) {
        return file_.Error(name_key, absl::StrCat("is '", text, "'; allowed: a domain as in the certificate, such as ",
                                                  "carrier.example, without wildcard"));
      }
      trunk.certificate_names.push_back(absl::AsciiStrToLower(text));
      if (!certificate_names_.insert(trunk.certificate_names.back()).second)
        return file_.Error(name_key, absl::StrCat("'", text, "' stands twice: whose call would it be"));
    }
    return absl::OkStatus();
  }

  absl::Status ReadCredentials(const std::string& key, const TrunkConfig& config, routing::Trunk& trunk) {
    const int given = !config.username().empty() + !config.password_file().empty() + !config.realm().empty();
    if (given == 0) return absl::OkStatus();
    if (given < 3) return file_.Error(key, "username, password_file and realm are set together or not at all");
    absl::StatusOr<std::string> password = process::ReadSecret(file_, key + ".password_file", config.password_file());
    if (!password.ok()) return password.status();
    trunk.password = *std::move(password);
    trunk.username = config.username();
    trunk.realm = config.realm();
    return absl::OkStatus();
  }

  absl::Status ReadRegistration(const std::string& key, const TrunkConfig& config, routing::Trunk& trunk) {
    trunk.registers = config.register_();
    trunk.register_expires =
        config.has_register_expires() ? process::ToAbsl(config.register_expires()) : kDefaultExpires;
    if (trunk.register_expires < kMinExpires)
      return file_.Error(key + ".register_expires", "is too short; allowed: 60s and more");
    if (trunk.registers && trunk.from_user.empty()) {
      if (trunk.username.empty())
        return file_.Error(key + ".register", "wants from_user or username: who is to be registered");
      trunk.from_user = trunk.username;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<routing::OriginFilter> ReadFrom(const std::string& key, const std::string& text) {
    if (text.empty() || text == "accounts") return routing::OriginFilter{true, false, ""};
    if (text == "trunks") return routing::OriginFilter{false, true, ""};
    if (text == "any") return routing::OriginFilter{true, true, ""};
    absl::string_view name = text;
    if (absl::ConsumePrefix(&name, "account:") && !name.empty())
      return routing::OriginFilter{true, false, std::string(name)};
    if (absl::ConsumePrefix(&name, "trunk:")) {
      if (by_name_.contains(std::string(name))) return routing::OriginFilter{false, true, std::string(name)};
      return file_.Error(key, absl::StrCat("there is no trunk '", name, "' in trunks"));
    }
    return file_.Error(key, absl::StrCat("is '", text, "'; allowed: accounts, trunks, any, account:NAME, trunk:NAME"));
  }

  absl::Status ReadRefusal(const std::string& key, const RouteConfig& config, routing::Route& route) {
    if (config.refuse() < kLowestRefusal || config.refuse() > kHighestRefusal) {
      return file_.Error(key + ".refuse", absl::StrCat("is ", config.refuse(), "; allowed: a SIP status from ",
                                                       kLowestRefusal, " to ", kHighestRefusal));
    }
    if (!config.to().empty()) return file_.Error(key + ".to", "a route that refuses goes to nobody");
    for (const auto& [name, is_set] : {std::pair{".called", config.has_called()},
                                       {".calling", config.has_calling()},
                                       {".media", config.media() != config::v1::MEDIA_MODE_UNSPECIFIED},
                                       {".skip_admission", config.skip_admission()}}) {
      if (is_set) return file_.Error(key + name, "means nothing to a route that refuses");
    }
    route.refusal = static_cast<uint16_t>(config.refuse());
    return absl::OkStatus();
  }

  absl::Status ReadTargets(const std::string& key, const RouteConfig& config, routing::Route& route) {
    if (config.refuse() != 0) return ReadRefusal(key, config, route);
    if (config.to().empty()) {
      return file_.Error(
          key + ".to", "is required; allowed: [{account: NAME}], or a list such as [{trunk: NAME}]; or `refuse: 403`");
    }
    for (int i = 0; i < config.to_size(); ++i) {
      const std::string target_key = absl::StrCat(key, ".to[", i, "]");
      const auto& target = config.to(i);
      if (target.account().empty() == target.trunk().empty())
        return file_.Error(target_key, "wants either account or trunk");
      if (!target.account().empty()) {
        if (config.to_size() > 1) return file_.Error(target_key + ".account", "is alone, or there are only trunks");
        if (target.priority() != 0 || target.weight() != 0)
          return file_.Error(target_key, "priority and weight are for trunks");
        route.account = target.account();
        continue;
      }
      const auto trunk = by_name_.find(target.trunk());
      if (trunk == by_name_.end())
        return file_.Error(target_key + ".trunk", absl::StrCat("there is no trunk '", target.trunk(), "' in trunks"));
      for (const routing::TrunkTarget& other : route.trunks) {
        if (other.trunk == trunk->second)
          return file_.Error(target_key + ".trunk", absl::StrCat("'", target.trunk(), "' stands twice"));
      }
      if (target.weight() > kMaxWeight)
        return file_.Error(target_key + ".weight", absl::StrCat("is too much; allowed: 1 to ", kMaxWeight));
      route.trunks.push_back({trunk->second, target.priority(), target.weight() == 0 ? 1 : target.weight()});
    }
    return absl::OkStatus();
  }

  absl::StatusOr<routing::NumberRewrite> ReadRewrite(const std::string& key, const config::v1::NumberRewrite& config) {
    if (config.strip() > kMaxStrip)
      return file_.Error(key + ".strip", absl::StrCat("is too much; allowed: at most ", kMaxStrip));
    if (config.prepend().size() > kMaxPrepend ||
        config.prepend().find_first_not_of("0123456789+#") != std::string::npos) {
      return file_.Error(key + ".prepend",
                         absl::StrCat("is '", config.prepend(), "'; allowed: digits, + and #, at most ", kMaxPrepend));
    }
    return routing::NumberRewrite{config.strip(), config.prepend()};
  }

  absl::Status ReadRoute(const std::string& key, const RouteConfig& config) {
    if (absl::Status status = process::CheckName(file_, key + ".name", config.name()); !status.ok()) return status;
    if (!route_names_.insert(config.name()).second)
      return file_.Error(key + ".name", absl::StrCat("'", config.name(), "' stands twice"));
    absl::StatusOr<routing::NumberPattern> number = routing::NumberPattern::Parse(config.number());
    if (!number.ok())
      return file_.Error(key + ".number", absl::StrCat("'", config.number(), "' ", number.status().message()));
    absl::StatusOr<routing::OriginFilter> from = ReadFrom(key + ".from", config.from());
    if (!from.ok()) return from.status();
    absl::StatusOr<routing::NumberRewrite> called = ReadRewrite(key + ".called", config.called());
    if (!called.ok()) return called.status();
    absl::StatusOr<routing::NumberRewrite> calling = ReadRewrite(key + ".calling", config.calling());
    if (!calling.ok()) return calling.status();
    routing::Route route = {.name = config.name(),
                            .from = *std::move(from),
                            .number = *std::move(number),
                            .called = *std::move(called),
                            .calling = *std::move(calling),
                            .media_released = config.media() == config::v1::MEDIA_MODE_RELEASED,
                            .skips_admission = config.skip_admission()};
    if (absl::Status status = ReadTargets(key, config, route); !status.ok()) return status;
    if (route.skips_admission && route.trunks.empty())
      return file_.Error(key + ".skip_admission", "is for routes to trunks; nobody is asked for calls to accounts");
    routes_.push_back(std::move(route));
    return absl::OkStatus();
  }

  const process::ConfigFile& file_;
  const ControllerConfig& config_;
  std::vector<std::shared_ptr<const routing::Trunk>> trunks_;
  std::map<std::string, std::shared_ptr<const routing::Trunk>> by_name_;
  std::set<std::string> sources_;
  std::set<std::string> certificate_names_;
  std::vector<routing::Route> routes_;
  std::set<std::string> route_names_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const routing::Plan>> ReadPlan(const process::ConfigFile& file,
                                                              const ControllerConfig& config) {
  return PlanReader(file, config).Read();
}

}  // namespace sluice::service
