#include "signaling/service/controller_options.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "process/checks.h"
#include "signaling/service/sip_protocol.h"
#include "signaling/sip/digest.h"
#include "signaling/sip/text.h"
#include "signaling/transport/sockaddr.h"

namespace sluice::service {

using config::v1::ControllerConfig;
using process::ToAbsl;

namespace {

// A host and nothing else; empty if `text` is none.
std::string HostOf(const std::string& text) {
  const std::optional<sip::HostPort> host_port = sip::ParseHostPort(text);
  return host_port.has_value() ? std::string(host_port->host) : "";
}

// The host of our own URIs: the realm if it is one ("ASG Switch" is none), else how the first listener is called that
// is called anything. Empty: none of them is, and a phone's own words stand.
std::string OwnHost(const config::v1::SipConfig& sip) {
  if (std::string host = HostOf(sip.realm()); !host.empty()) return host;
  for (const config::v1::SipListener& listener : sip.listeners()) {
    if (!listener.advertised_address().empty()) return HostOf(listener.advertised_address());
    const std::optional<sip::Endpoint> address = sip::Endpoint::Parse(listener.address());
    if (address.has_value() && !transport::IsUnspecified(*address)) return HostOf(listener.address());
  }
  return "";
}

// How tools that look for open servers call themselves.
constexpr const char* kScanners[] = {"friendly-scanner", "sipvicious", "sipcli", "sip-scan", "sipsak", "sundayddr",
                                     "VaxSIPUserAgent",  "pplsip",     "smap",   "iWar",     "sipptk", "SIPPTS"};

std::shared_ptr<const call::CallOptions> ToCallOptions(const ControllerConfig& config) {
  auto options = std::make_shared<call::CallOptions>();
  options->domain = OwnHost(config.sip());
  options->user_agent = config.sip().user_agent();
  options->ring_timeout = ToAbsl(config.calls().ring_timeout());
  options->session_expires = ToAbsl(config.calls().session_expires());
  options->max_duration = ToAbsl(config.calls().max_duration());
  options->probe_interval = ToAbsl(config.calls().probe_interval());
  options->retry_after_seconds = config.calls().retry_after_seconds();
  options->follows_redirections = config.calls().follow_redirections();
  options->passes_refer = config.calls().pass_transfers();
  for (const std::string& name : config.sip().blocked_headers()) {
    options->blocked_headers.insert(absl::AsciiStrToLower(name));
  }
  return options;
}

agent::AdmissionPolicy ToAdmissionPolicy(const ControllerConfig& config) {
  // A reload does not end what asks.
  if (!config.has_admission()) return {};
  return {.timeout = ToAbsl(config.admission().timeout()),
          .allows_on_failure = config.admission().on_failure() == config::v1::ADMISSION_FAILURE_ALLOW};
}

}  // namespace

agent::PresentOptions ToPresentOptions(const ControllerConfig& config, std::shared_ptr<const routing::Plan> plan) {
  const auto& limits = config.calls().account_limits();
  return {.calls = ToCallOptions(config),
          .plan = std::move(plan),
          .account_limits = {.calls = limits.calls(), .calls_per_second = limits.calls_per_second()},
          .admission = ToAdmissionPolicy(config)};
}

std::optional<admission::GrpcAdmissionOptions> ToAdmissionOptions(const ControllerConfig& config) {
  if (!config.has_admission()) return std::nullopt;
  admission::GrpcAdmissionOptions options;
  options.address = config.admission().address();
  options.controller = config.name();
  return options;
}

agent::ShardsOptions ToShardsOptions(const ControllerConfig& config, std::shared_ptr<const routing::Plan> plan) {
  agent::ShardsOptions options;
  options.shards = config.sip().shards();

  agent::AgentOptions& agent = options.agent;
  agent.authentication.realm = config.sip().realm();
  agent.authentication.algorithms.clear();
  for (const std::string& name : config.sip().digest_algorithms()) {
    if (const auto algorithm = sip::ParseDigestAlgorithm(name); algorithm.has_value()) {
      agent.authentication.algorithms.push_back(*algorithm);
    }
  }
  agent.authentication.nonce_lifetime = ToAbsl(config.sip().nonce_lifetime());
  agent.authentication.failures_until_wait = config.abuse().failures();
  agent.authentication.longest_wait = ToAbsl(config.abuse().longest_wait());
  agent.registrar = {.min_expires = ToAbsl(config.registrar().min_expires()),
                     .max_expires = ToAbsl(config.registrar().max_expires()),
                     .default_expires = ToAbsl(config.registrar().default_expires()),
                     .max_bindings = config.registrar().max_bindings()};
  agent.keepalive_interval = ToAbsl(config.registrar().keepalive_interval());
  agent.transactions.max_datagram_request_bytes = config.sip().max_udp_request_bytes();
  agent.transactions.message_limits.message_bytes = config.sip().max_message_bytes();
  agent.transactions.message_limits.field_bytes = config.sip().max_header_bytes();
  agent.present = ToPresentOptions(config, std::move(plan));
  agent.max_sdp_bytes = config.sip().max_sdp_bytes();
  const auto& scanners = config.abuse().refused_user_agents();
  agent.refused_user_agents.assign(scanners.begin(), scanners.end());
  if (scanners.empty()) agent.refused_user_agents.assign(std::begin(kScanners), std::end(kScanners));
  agent.networks = {config.calls().caller_network(), config.calls().callee_network()};
  agent.domains.push_back(config.sip().realm());
  agent.domains.insert(agent.domains.end(), config.sip().domains().begin(), config.sip().domains().end());
  agent.server = config.sip().user_agent();
  agent.keeps_calls = config.store().keep_calls();
  agent.retry_after_seconds = config.calls().retry_after_seconds();
  agent.kept_calls = std::max<size_t>(1, config.calls().kept_calls() / options.shards);

  for (const config::v1::SipListener& listener : config.sip().listeners()) {
    options.transport.listeners.push_back(
        {.protocol = ToProtocol(listener.transport()),
         .address = *sip::Endpoint::Parse(listener.address()),
         .advertised = listener.advertised_address(),
         .tls = {.certificate_file = listener.certificate_file(),
                 .private_key_file = listener.private_key_file(),
                 .ca_file = listener.client_ca_file()},
         .client_certificates_are_optional = listener.client_certificates_optional()});
  }
  const config::v1::TlsClientConfig& client = config.sip().tls_client();
  options.dns.servers.assign(config.dns().servers().begin(), config.dns().servers().end());
  options.tls_client = {client.certificate_file(), client.private_key_file(), client.ca_file()};
  options.strangers.requests_per_second = config.abuse().requests_per_second();
  options.transport.udp.max_message_bytes = config.sip().max_message_bytes();
  options.transport.streams.max_message_bytes = config.sip().max_message_bytes();
  return options;
}

fleet::FleetOptions ToFleetOptions(const ControllerConfig& config, uint64_t epoch) {
  fleet::FleetOptions options;
  options.writer = config.name();
  options.epoch = epoch;
  for (const config::v1::RelayTarget& relay : config.relays()) {
    options.relays.push_back({relay.name(), relay.address()});
  }
  return options;
}

}  // namespace sluice::service
