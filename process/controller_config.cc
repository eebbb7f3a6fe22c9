#include "process/controller_config.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "process/checks.h"

namespace sluice::process {
namespace {

using config::v1::ControllerConfig;

constexpr uint32_t kMaxShards = 64;
constexpr uint32_t kDefaultMessageBytes = 65535;
constexpr uint32_t kMinMessageBytes = 1024;
constexpr uint32_t kDefaultPartBytes = 16384;
constexpr uint32_t kMinPartBytes = 256;
// RFC 3261 18.1.1.
constexpr uint32_t kDefaultUdpRequestBytes = 1300;
constexpr uint32_t kDefaultFailures = 20;
// Far above what an honest stranger sends, also a site whose phones all come back at once, until the first is
// registered.
constexpr uint32_t kDefaultRequestsPerSecond = 500;
constexpr uint32_t kDefaultBindings = 8;
constexpr uint32_t kMaxBindings = 64;
constexpr uint32_t kDefaultRetryAfter = 5;
constexpr uint32_t kDefaultKeptCalls = 1000;
constexpr uint32_t kDefaultCaptureId = 2001;
constexpr absl::Duration kAdmissionTimeout = absl::Milliseconds(500);
constexpr absl::Duration kShortestAdmissionTimeout = absl::Milliseconds(50);
constexpr absl::Duration kLongestAdmissionTimeout = absl::Seconds(5);
// RFC 4028 5.
constexpr absl::Duration kMinSessionExpires = absl::Seconds(90);

class Checker {
 public:
  Checker(const ConfigFile& file, ControllerConfig& config) : file_(file), config_(config) {}

  absl::Status Check() {
    for (auto check : {&Checker::CheckProcess, &Checker::CheckSip, &Checker::CheckRelays, &Checker::CheckRegistrar,
                       &Checker::CheckCalls, &Checker::CheckAbuse, &Checker::CheckHep, &Checker::CheckAdmission}) {
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
                         "[\"unix:/run/sluice/controller.sock\"]");
    for (int i = 0; i < config_.listen_size(); ++i) {
      if (absl::Status status = CheckGrpcAddress(file_, absl::StrCat("listen[", i, "]"), config_.listen(i));
          !status.ok())
        return status;
    }
    if (!config_.metrics_listen().empty()) {
      if (absl::Status status = CheckHostPort(file_, "metrics_listen", config_.metrics_listen(), false); !status.ok())
        return status;
    }
    if (config_.store().sqlite_file().empty())
      return file_.Error("store.sqlite_file", "is required; allowed: a file, or \":memory:\" to keep nothing");
    if (!config_.store().postgresql().connection().empty() && config_.store().sqlite_file() == ":memory:") {
      return file_.Error("store.postgresql",
                         "wants records that are kept until they are copied; sqlite_file must be a file");
    }
    const absl::Duration keep = ToAbsl(config_.store().keep_records());
    if (keep != absl::ZeroDuration() && keep < absl::Hours(1)) {
      return file_.Error("store.keep_records", "allowed: 1h and more, or 0s for ever");
    }
    auto& store = *config_.mutable_store();
    const bool in_memory = store.sqlite_file() == ":memory:";
    if (!store.has_keep_calls()) store.set_keep_calls(!in_memory);
    if (store.keep_calls() && in_memory) {
      return file_.Error("store.keep_calls", "wants calls that are there after a restart; sqlite_file must be a file");
    }
    return CheckLogLevel(file_, "log_level", config_.log_level());
  }

  absl::Status CheckSip() {
    auto& sip = *config_.mutable_sip();
    if (sip.realm().empty())
      return file_.Error("sip.realm", "is required; allowed: the domain that phones register with");
    for (char c : sip.realm()) {
      if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20)
        return file_.Error("sip.realm", "has a character that a quoted string cannot carry");
    }
    if (sip.listeners().empty())
      return file_.Error("sip.listeners",
                         "is required; allowed: a list such as [{transport: "
                         "udp, address: \"0.0.0.0:5060\"}]");
    for (int i = 0; i < sip.listeners_size(); ++i) {
      if (absl::Status status = CheckListener(absl::StrCat("sip.listeners[", i, "]"), sip.listeners(i)); !status.ok())
        return status;
    }
    if (sip.shards() == 0) sip.set_shards(1);
    if (sip.shards() > kMaxShards)
      return file_.Error("sip.shards", absl::StrCat("is too many; allowed: 1 to ", kMaxShards));
    if (sip.user_agent().empty()) sip.set_user_agent("Sluice");
    if (sip.max_message_bytes() == 0) sip.set_max_message_bytes(kDefaultMessageBytes);
    if (sip.max_message_bytes() < kMinMessageBytes || sip.max_message_bytes() > kDefaultMessageBytes) {
      return file_.Error("sip.max_message_bytes",
                         absl::StrCat("allowed: ", kMinMessageBytes, " to ", kDefaultMessageBytes));
    }
    if (sip.max_header_bytes() == 0) sip.set_max_header_bytes(kDefaultPartBytes);
    if (sip.max_sdp_bytes() == 0) sip.set_max_sdp_bytes(kDefaultPartBytes);
    if (sip.max_udp_request_bytes() == 0) sip.set_max_udp_request_bytes(kDefaultUdpRequestBytes);
    const std::pair<const char*, uint32_t> parts[] = {{"sip.max_header_bytes", sip.max_header_bytes()},
                                                      {"sip.max_sdp_bytes", sip.max_sdp_bytes()},
                                                      {"sip.max_udp_request_bytes", sip.max_udp_request_bytes()}};
    for (const auto& [key, bytes] : parts) {
      if (bytes < kMinPartBytes || bytes > kDefaultMessageBytes)
        return file_.Error(key, absl::StrCat("allowed: ", kMinPartBytes, " to ", kDefaultMessageBytes));
    }
    if (!sip.has_nonce_lifetime()) *sip.mutable_nonce_lifetime() = ToProto(absl::Seconds(60));
    if (ToAbsl(sip.nonce_lifetime()) < absl::Seconds(1))
      return file_.Error("sip.nonce_lifetime", "is too short; allowed: 1s and more");
    if (sip.tls_client().certificate_file().empty() != sip.tls_client().private_key_file().empty())
      return file_.Error("sip.tls_client", "certificate_file and private_key_file are set together or not at all");
    return CheckDigestAlgorithms();
  }

  absl::Status CheckDigestAlgorithms() {
    auto& sip = *config_.mutable_sip();
    if (sip.digest_algorithms().empty()) {
      for (const char* algorithm : {"SHA-256", "MD5"}) sip.add_digest_algorithms(algorithm);
    }
    std::set<std::string> seen;
    for (int i = 0; i < sip.digest_algorithms_size(); ++i) {
      const std::string key = absl::StrCat("sip.digest_algorithms[", i, "]");
      const std::string& algorithm = sip.digest_algorithms(i);
      if (algorithm != "MD5" && algorithm != "SHA-256" && algorithm != "SHA-512-256") {
        return file_.Error(key, absl::StrCat("is '", algorithm, "'; allowed: MD5, SHA-256, SHA-512-256"));
      }
      if (!seen.insert(algorithm).second) return file_.Error(key, absl::StrCat("'", algorithm, "' stands twice"));
    }
    return absl::OkStatus();
  }

  absl::Status CheckListener(const std::string& key, const config::v1::SipListener& listener) {
    if (listener.transport() == config::v1::SIP_TRANSPORT_UNSPECIFIED)
      return file_.Error(key + ".transport", "is required; allowed: udp, tcp, tls, ws, wss");
    if (absl::Status status = CheckHostPort(file_, key + ".address", listener.address(), false); !status.ok())
      return status;
    // All but UDP are TCP beneath, and the kernel would give each connection to any of them.
    const absl::string_view port_of = listener.transport() == config::v1::SIP_TRANSPORT_UDP ? "udp" : "tcp";
    if (!listeners_.insert(absl::StrCat(port_of, " ", listener.address())).second)
      return file_.Error(key + ".address", "stands twice; tcp, tls, ws and wss each want a port of their own");
    if (!listener.advertised_address().empty()) {
      if (absl::Status status = CheckHostPort(file_, key + ".advertised_address", listener.advertised_address(), true);
          !status.ok())
        return status;
    }
    const bool secure =
        listener.transport() == config::v1::SIP_TRANSPORT_TLS || listener.transport() == config::v1::SIP_TRANSPORT_WSS;
    if (secure && (listener.certificate_file().empty() || listener.private_key_file().empty())) {
      return file_.Error(key, "tls and wss want certificate_file and private_key_file");
    }
    if (!secure && (!listener.certificate_file().empty() || !listener.private_key_file().empty() ||
                    !listener.client_ca_file().empty())) {
      return file_.Error(key, "certificate_file, private_key_file and client_ca_file are for tls and wss only");
    }
    if (listener.client_certificates_optional() && listener.client_ca_file().empty())
      return file_.Error(key + ".client_certificates_optional",
                         "wants client_ca_file: whose certificates are believed");
    return absl::OkStatus();
  }

  absl::Status CheckRelays() {
    if (config_.relays().empty())
      return file_.Error("relays",
                         "is required; allowed: a list such as [{name: "
                         "relay-1, address: \"unix:/run/sluice/relay.sock\"}]");
    std::set<std::string> names;
    std::set<std::string> addresses;
    for (int i = 0; i < config_.relays_size(); ++i) {
      const std::string key = absl::StrCat("relays[", i, "]");
      const auto& relay = config_.relays(i);
      if (absl::Status status = CheckName(file_, key + ".name", relay.name()); !status.ok()) return status;
      if (absl::Status status = CheckGrpcAddress(file_, key + ".address", relay.address()); !status.ok()) return status;
      if (!names.insert(relay.name()).second)
        return file_.Error(key + ".name", absl::StrCat("'", relay.name(), "' stands twice"));
      if (!addresses.insert(relay.address()).second)
        return file_.Error(key + ".address", absl::StrCat("'", relay.address(), "' stands twice"));
    }
    return absl::OkStatus();
  }

  absl::Status CheckRegistrar() {
    auto& registrar = *config_.mutable_registrar();
    if (!registrar.has_min_expires()) *registrar.mutable_min_expires() = ToProto(absl::Seconds(60));
    if (!registrar.has_max_expires()) *registrar.mutable_max_expires() = ToProto(absl::Seconds(3600));
    if (!registrar.has_default_expires()) {
      *registrar.mutable_default_expires() = ToProto(std::min(absl::Seconds(3600), ToAbsl(registrar.max_expires())));
    }
    const absl::Duration least = ToAbsl(registrar.min_expires());
    const absl::Duration most = ToAbsl(registrar.max_expires());
    const absl::Duration usual = ToAbsl(registrar.default_expires());
    if (least < absl::Seconds(1) || least > most)
      return file_.Error("registrar.min_expires", "allowed: 1s to max_expires");
    if (usual < least || usual > most)
      return file_.Error("registrar.default_expires", "allowed: min_expires to max_expires");
    const absl::Duration keepalive = ToAbsl(registrar.keepalive_interval());
    if (keepalive != absl::ZeroDuration() && keepalive < absl::Seconds(5))
      return file_.Error("registrar.keepalive_interval", "allowed: 5s and more, or 0s for never");
    if (registrar.max_bindings() == 0) registrar.set_max_bindings(kDefaultBindings);
    if (registrar.max_bindings() > kMaxBindings)
      return file_.Error("registrar.max_bindings", absl::StrCat("is too many; allowed: 1 to ", kMaxBindings));
    return absl::OkStatus();
  }

  absl::Status CheckCalls() {
    auto& calls = *config_.mutable_calls();
    if (!calls.has_ring_timeout()) *calls.mutable_ring_timeout() = ToProto(absl::Seconds(180));
    if (ToAbsl(calls.ring_timeout()) < absl::Seconds(1))
      return file_.Error("calls.ring_timeout", "is too short; allowed: 1s and more");
    if (!calls.has_session_expires()) *calls.mutable_session_expires() = ToProto(absl::Seconds(1800));
    const absl::Duration session = ToAbsl(calls.session_expires());
    if (session != absl::ZeroDuration() && session < kMinSessionExpires) {
      return file_.Error("calls.session_expires", "is too short (RFC 4028); allowed: 90s and more, or 0s for none");
    }
    if (!calls.has_probe_interval()) *calls.mutable_probe_interval() = ToProto(absl::Seconds(300));
    const absl::Duration probe = ToAbsl(calls.probe_interval());
    if (probe != absl::ZeroDuration() && probe < absl::Seconds(10))
      return file_.Error("calls.probe_interval", "is too short; allowed: 10s and more, or 0s for never");
    if (calls.retry_after_seconds() == 0) calls.set_retry_after_seconds(kDefaultRetryAfter);
    if (calls.kept_calls() == 0) calls.set_kept_calls(kDefaultKeptCalls);
    return absl::OkStatus();
  }

  absl::Status CheckAbuse() {
    auto& abuse = *config_.mutable_abuse();
    for (int i = 0; i < abuse.refused_user_agents_size(); ++i) {
      if (abuse.refused_user_agents(i).empty())
        return file_.Error(absl::StrCat("abuse.refused_user_agents[", i, "]"),
                           "is empty; allowed: what a User-Agent begins with");
    }
    if (abuse.failures() == 0) abuse.set_failures(kDefaultFailures);
    if (!abuse.has_requests_per_second()) abuse.set_requests_per_second(kDefaultRequestsPerSecond);
    if (!abuse.has_longest_wait()) *abuse.mutable_longest_wait() = ToProto(absl::Seconds(300));
    if (ToAbsl(abuse.longest_wait()) < absl::Seconds(1))
      return file_.Error("abuse.longest_wait", "is too short; allowed: 1s and more");
    return absl::OkStatus();
  }

  absl::Status CheckHep() {
    auto& hep = *config_.mutable_hep();
    if (!hep.collector().empty()) {
      if (absl::Status status = CheckHostPort(file_, "hep.collector", hep.collector(), false); !status.ok())
        return status;
    }
    if (hep.capture_id() == 0) hep.set_capture_id(kDefaultCaptureId);
    for (int i = 0; i < hep.content_size(); ++i) {
      if (hep.content(i) != "sip" && hep.content(i) != "quality") {
        return file_.Error(absl::StrCat("hep.content[", i, "]"),
                           absl::StrCat("is '", hep.content(i), "'; allowed: sip, quality"));
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckAdmission() {
    if (!config_.has_admission()) return absl::OkStatus();
    auto& admission = *config_.mutable_admission();
    if (absl::Status status = CheckGrpcAddress(file_, "admission.address", admission.address()); !status.ok())
      return status;
    if (!admission.has_timeout()) *admission.mutable_timeout() = ToProto(kAdmissionTimeout);
    const absl::Duration timeout = ToAbsl(admission.timeout());
    if (timeout < kShortestAdmissionTimeout || timeout > kLongestAdmissionTimeout)
      return file_.Error("admission.timeout", "allowed: 50ms to 5s; a caller waits for so long before it rings");
    if (admission.on_failure() == config::v1::ADMISSION_FAILURE_UNSPECIFIED)
      admission.set_on_failure(config::v1::ADMISSION_FAILURE_REFUSE);
    return absl::OkStatus();
  }

  const ConfigFile& file_;
  ControllerConfig& config_;
  std::set<std::string> listeners_;
};

absl::StatusOr<ControllerConfig> Checked(const absl::StatusOr<ConfigFile>& file, ControllerConfig& config,
                                         const ControllerCheck& further) {
  if (!file.ok()) return file.status();
  if (absl::Status status = Checker(*file, config).Check(); !status.ok()) return status;
  if (further) {
    if (absl::Status status = further(*file, config); !status.ok()) return status;
  }
  return std::move(config);
}

}  // namespace

absl::StatusOr<ControllerConfig> ReadControllerConfig(const std::string& path, const ControllerCheck& further) {
  ControllerConfig config;
  return Checked(ConfigFile::Read(path, config), config, further);
}

absl::StatusOr<ControllerConfig> ReadControllerConfigText(absl::string_view text, const std::string& path,
                                                          const ControllerCheck& further) {
  ControllerConfig config;
  return Checked(ConfigFile::ReadText(text, path, config), config, further);
}

}  // namespace sluice::process
