// sluice-controller: wires config, store, fleet, shards, gRPC and metrics together, and waits for signals.

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "process/checks.h"
#include "process/config_file.h"
#include "process/controller_config.h"
#include "process/grpc_server.h"
#include "process/logging.h"
#include "process/metrics_endpoint.h"
#include "process/program.h"
#include "process/stop_signal.h"
#include "process/systemd_notify.h"
#include "signaling/admission/grpc_admission.h"
#include "signaling/agent/shards.h"
#include "signaling/cluster/redis_cluster.h"
#include "signaling/fleet/grpc_fleet.h"
#include "signaling/hep/exporter.h"
#include "signaling/routing/plan.h"
#include "signaling/service/allocator.h"
#include "signaling/service/cluster_config.h"
#include "signaling/service/controller_metrics.h"
#include "signaling/service/controller_options.h"
#include "signaling/service/controller_service.h"
#include "signaling/service/export_config.h"
#include "signaling/service/routing_config.h"
#include "signaling/service/store_claim.h"
#include "signaling/service/trunk_tls_config.h"
#include "signaling/store/postgres_records.h"
#include "signaling/store/record_forwarder.h"
#include "signaling/store/sqlite_store.h"
#include "signaling/transport/sockaddr.h"
#include "signaling/transport/tls_context.h"
#include "sluice/config/v1/controller_config.pb.h"
#include "spdlog/spdlog.h"

namespace sluice::service {
namespace {

constexpr char kProgram[] = "sluice-controller";

// How long calls have to end, clients of the gRPC services to finish, and records to reach the disk.
constexpr absl::Duration kCallsLimit = absl::Seconds(5);
constexpr absl::Duration kClientsLimit = absl::Seconds(1);
constexpr absl::Duration kDiskLimit = absl::Seconds(2);
constexpr absl::Duration kLeaveLimit = absl::Seconds(2);
// How often there is something else to do than to wait for signals: memory that is to spare.
constexpr absl::Duration kReleasePeriod = absl::Seconds(1);

int Fail(const absl::Status& error) { return process::Fail(kProgram, process::kMachine, error.message()); }

// systemd that cannot be told is worth a line and no more.
void Warn(const absl::Status& status) {
  if (!status.ok()) spdlog::warn("{}", std::string(status.message()));
}

struct Settings {
  config::v1::ControllerConfig config;
  std::shared_ptr<const routing::Plan> plan;
  transport::TrunkTlsContexts trunk_tls;
  Exports exports;
  std::optional<cluster::RedisClusterOptions> cluster;
};

absl::StatusOr<Settings> ReadSettings(const std::string& file) {
  Settings settings;
  const auto read_rest = [&](const process::ConfigFile& read, const config::v1::ControllerConfig& config) {
    absl::StatusOr<std::shared_ptr<const routing::Plan>> plan = ReadPlan(read, config);
    if (!plan.ok()) return plan.status();
    settings.plan = *std::move(plan);
    absl::StatusOr<transport::TrunkTlsContexts> trunk_tls = ReadTrunkTls(read, config);
    if (!trunk_tls.ok()) return trunk_tls.status();
    settings.trunk_tls = *std::move(trunk_tls);
    absl::StatusOr<Exports> exports = ReadExports(read, config);
    if (!exports.ok()) return exports.status();
    settings.exports = *std::move(exports);
    auto cluster = ReadCluster(read, config);
    if (!cluster.ok()) return cluster.status();
    settings.cluster = *std::move(cluster);
    return absl::OkStatus();
  };
  absl::StatusOr<config::v1::ControllerConfig> config = process::ReadControllerConfig(file, read_rest);
  if (!config.ok()) return config.status();
  settings.config = *std::move(config);
  return settings;
}

void Reload(const std::string& file, agent::Shards& shards) {
  Warn(process::NotifyReloading());
  const absl::StatusOr<Settings> settings = ReadSettings(file);
  if (settings.ok()) {
    shards.SetPresentOptions(ToPresentOptions(settings->config, settings->plan), settings->trunk_tls);
    process::SetLogLevel(settings->config.log_level());
    spdlog::info(
        "reloaded {}: log_level, sip.blocked_headers, calls, admission, trunks and routes take effect for new calls",
        file);
  } else {
    spdlog::error("{}; nothing has changed", std::string(settings.status().message()));
  }
}

void ReloadCertificates(agent::Shards& shards) {
  if (const absl::Status status = shards.ReloadTls(); !status.ok()) {
    spdlog::error("{}; connections go on with the certificates of before", std::string(status.message()));
  }
}

std::string Serving(const agent::Shards& shards, const process::GrpcServer& server) {
  std::vector<std::string> places;
  for (const transport::Listener& listener : shards.listeners()) {
    places.push_back(absl::StrCat(transport::TransportName(listener.protocol), ":", listener.address.ToString()));
  }
  return absl::StrCat("serves SIP on ", absl::StrJoin(places, ", "), " and gRPC on ",
                      absl::StrJoin(server.addresses(), ", "));
}

// `calls`: "calls from before the start", say.
void TellOfRestoration(const agent::Restoration& restoration, const std::string& calls) {
  const size_t all = restoration.restored + restoration.lost;
  if (restoration.restored > 0) spdlog::info("goes on with {} of {} {}", restoration.restored, all, calls);
  if (restoration.lost > 0) {
    spdlog::warn("{} of {} {} cannot go on and are recorded as ended; the first is {}", restoration.lost, all, calls,
                 restoration.reason);
  }
}

void WarnOf(absl::string_view line) { spdlog::warn("{}", std::string(line)); }

// Copies call records to PostgreSQL, where the config says so.
std::unique_ptr<store::RecordForwarder> StartForwarder(const Exports& exports, store::Store& store) {
  if (!exports.postgresql.has_value()) return nullptr;
  return std::make_unique<store::RecordForwarder>(store, std::make_unique<store::PostgresRecords>(*exports.postgresql),
                                                  store::ForwarderOptions{.report = WarnOf});
}

// Null where this is the only controller. It joins later.
std::unique_ptr<cluster::RedisCluster> MakeCluster(const Settings& settings) {
  if (!settings.cluster.has_value()) return nullptr;
  cluster::RedisClusterOptions options = *settings.cluster;
  options.home = cluster::HomeOf(settings.config.store().sqlite_file());
  options.report = WarnOf;
  return std::make_unique<cluster::RedisCluster>(std::move(options));
}

// Null where nobody is asked.
std::unique_ptr<admission::GrpcAdmission> MakeAdmission(const config::v1::ControllerConfig& config) {
  std::optional<admission::GrpcAdmissionOptions> options = ToAdmissionOptions(config);
  if (!options.has_value()) return nullptr;
  options->report = WarnOf;
  return std::make_unique<admission::GrpcAdmission>(*std::move(options));
}

int Run(const std::string& file, const Settings& settings) {
  const config::v1::ControllerConfig& config = settings.config;
  process::StartLogging(kProgram, config.log_level());

  const absl::StatusOr<StoreClaim> claim = StoreClaim::Take(config.store().sqlite_file());
  if (!claim.ok()) return Fail(claim.status());
  // The store writes to it until it is closed.
  const std::unique_ptr<cluster::RedisCluster> cluster = MakeCluster(settings);
  const absl::Duration keep = process::ToAbsl(config.store().keep_records());
  absl::StatusOr<std::unique_ptr<store::Store>> store =
      store::OpenSqliteStore({.file = config.store().sqlite_file(),
                              .keep_records = keep == absl::ZeroDuration() ? absl::InfiniteDuration() : keep,
                              .records_are_copied = settings.exports.postgresql.has_value(),
                              .shared = cluster.get(),
                              .report = WarnOf});
  if (!store.ok()) return Fail(store.status());
  if (cluster != nullptr) {
    if (const absl::Status status = cluster->Start(**store); !status.ok()) return Fail(status);
  }
  const absl::Cleanup stop_cluster = [&] {
    if (cluster != nullptr) cluster->Stop();
  };
  const std::unique_ptr<store::RecordForwarder> forwarder = StartForwarder(settings.exports, **store);
  std::unique_ptr<hep::Exporter> hep;
  if (settings.exports.hep.has_value()) {
    absl::StatusOr<std::unique_ptr<hep::Exporter>> exporter = hep::Exporter::Open(*settings.exports.hep);
    if (!exporter.ok()) return Fail(exporter.status());
    hep = *std::move(exporter);
  }
  fleet::FleetOptions fleet_options = ToFleetOptions(config, (*store)->Epoch());
  fleet_options.adopts_late = cluster != nullptr;
  auto fleet = std::make_unique<fleet::GrpcFleet>(std::move(fleet_options));
  const std::unique_ptr<admission::GrpcAdmission> admission = MakeAdmission(config);
  agent::ShardsOptions shards_options = ToShardsOptions(config, settings.plan);
  shards_options.strangers.report = WarnOf;
  shards_options.trunk_tls = settings.trunk_tls;
  shards_options.on_takeover = [](const std::string& name, const agent::Restoration& restoration) {
    TellOfRestoration(restoration, absl::StrCat("calls of ", name));
  };
  std::string successor;
  absl::Notification ousted;
  shards_options.on_ousted = [&](const std::string& name) {
    successor = name;
    ousted.Notify();
    process::StopSignal::Raise();
  };
  absl::StatusOr<std::unique_ptr<agent::Shards>> shards =
      agent::Shards::Start(shards_options, *fleet, **store, hep.get(), cluster.get(), admission.get());
  if (!shards.ok()) return Fail(shards.status());
  ControllerService service(**shards, **store, *fleet, config.sip().realm());
  absl::StatusOr<std::unique_ptr<process::GrpcServer>> server =
      process::GrpcServer::Start({config.listen().begin(), config.listen().end()}, {&service});
  if (!server.ok()) return Fail(server.status());
  std::unique_ptr<process::MetricsEndpoint> metrics;
  if (!config.metrics_listen().empty()) {
    auto endpoint = process::MetricsEndpoint::Start(config.metrics_listen(), [&] {
      OptionalStatistics optional;
      if (hep != nullptr) optional.hep = hep->Statistics();
      if (forwarder != nullptr) optional.forwarder = forwarder->Statistics();
      if (cluster != nullptr) optional.cluster = cluster->Statistics();
      if (admission != nullptr) optional.admission = admission->Statistics();
      return ControllerMetrics((*shards)->Statistics(), (*store)->Statistics(), fleet->ListRelays(), optional);
    });
    if (!endpoint.ok()) return Fail(endpoint.status());
    metrics = *std::move(endpoint);
  }

  // Not before all of our own is right, so that a start that fails says that and nothing of relays.
  fleet->Start();
  TellOfRestoration((*shards)->restoration(), "calls from before the start");
  const std::string serving = Serving(**shards, **server);
  spdlog::info("{}", serving);
  Warn(process::NotifyReady(serving));

  while (true) {
    const process::Signal signal = process::StopSignal::Wait(kReleasePeriod);
    if (signal == process::Signal::kNone) ReleaseSpareMemory();
    if (signal == process::Signal::kStop) break;
    if (signal == process::Signal::kReload) {
      ReloadCertificates(**shards);
      Reload(file, **shards);
      Warn(process::NotifyReady(serving));
    }
  }

  Warn(process::NotifyStopping());
  if (ousted.HasBeenNotified()) {
    // No call is ended, and nothing is said about any: they are somebody else's.
    metrics.reset();
    (*server)->Stop(kClientsLimit);
    if (const absl::Status status = (*store)->Flush(kDiskLimit); !status.ok()) {
      spdlog::error("{}", std::string(status.message()));
    }
    return Fail(
        absl::AbortedError(absl::StrCat("cluster: ", successor, " has taken over the calls of this controller, ",
                                        "which had not said for too long that it lives; start it again")));
  }
  spdlog::info(config.store().keep_calls() ? "stops: no new calls, those that are answered go on after a restart"
                                           : "stops: no new calls, those that exist are ended");
  metrics.reset();
  (*server)->Stop(kClientsLimit);
  if (!(*shards)->Stop(kCallsLimit))
    spdlog::warn("some calls had not ended after {}", absl::FormatDuration(kCallsLimit));
  if (const absl::Status status = (*store)->Flush(kDiskLimit); !status.ok()) {
    spdlog::error("{}", std::string(status.message()));
  }
  if (cluster != nullptr && !cluster->Leave(kLeaveLimit)) {
    spdlog::warn("cluster: cannot hand over; another controller takes the calls over when it notices");
  }
  spdlog::info("stopped");
  return process::kDone;
}

}  // namespace
}  // namespace sluice::service

int main(int argc, char** argv) {
  using namespace sluice;
  // Each thread that waits for gRPC looks at its own connections. By default one looks at all of them and hands over
  // what came for others, and what relays send would wake up two threads.
  setenv("GRPC_POLL_STRATEGY", "poll", 0);
  // Debian's Abseil looks for deadlocks at each lock of a mutex, of its own and of gRPC's.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  // Before any thread is made, so that all of them inherit the mask.
  process::StopSignal::Block();
  return process::RunProgram(service::kProgram, {argv + 1, argv + argc}, service::ReadSettings, service::Run);
}
