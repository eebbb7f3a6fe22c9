// sluice-relay: reads its config, makes the parts, wires them, and waits for a signal.

#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "datapath/service/capture_service.h"
#include "datapath/service/control_loop.h"
#include "datapath/service/dpdk_datapath.h"
#include "datapath/service/relay_metrics.h"
#include "datapath/service/relay_options.h"
#include "datapath/service/relay_report.h"
#include "datapath/service/relay_service.h"
#include "datapath/service/session_service.h"
#include "datapath/session/session_model.h"
#include "process/grpc_server.h"
#include "process/logging.h"
#include "process/metrics_endpoint.h"
#include "process/program.h"
#include "process/relay_config.h"
#include "process/stop_signal.h"
#include "process/systemd_notify.h"
#include "spdlog/spdlog.h"

namespace sluice::service {
namespace {

constexpr char kProgram[] = "sluice-relay";
constexpr char kAdmission[] = "sluice.relay.v1.Admission";
constexpr absl::Duration kGrace = absl::Seconds(1);

int Fail(const absl::Status& error) { return process::Fail(kProgram, process::kMachine, error.message()); }

void LogIfWrong(const absl::Status& status) {
  if (!status.ok()) spdlog::warn("{}", std::string(status.message()));
}

// Takes over the keys of the config that may change, if the file is right.
void Reload(const std::string& path, ControlLoop& loop, session::SessionModel& model) {
  LogIfWrong(process::NotifyReloading());
  const absl::StatusOr<config::v1::RelayConfig> config = process::ReadRelayConfig(path);
  if (config.ok()) {
    process::SetLogLevel(config->log_level());
    LogIfWrong(loop.Run([&](const session::Moment&) { model.Configure(ToSettings(config->sessions())); }));
    spdlog::info("config {} is taken over, as far as it may change at run time", path);
  } else {
    spdlog::error("config is left as it was: {}", std::string(config.status().message()));
  }
}

int Run(const std::string& path, const config::v1::RelayConfig& config) {
  process::StopSignal::Block();
  process::StartLogging(kProgram, config.log_level());
  const std::string instance_id = absl::StrCat(absl::Hex(absl::ToUnixMicros(absl::Now())), "-", getpid());
  absl::StatusOr<std::unique_ptr<DpdkDatapath>> datapath = DpdkDatapath::Open(ToDatapathOptions(config));
  if (!datapath.ok()) return Fail(datapath.status());
  flow::FlowTable& table = (*datapath)->table();
  absl::StatusOr<std::unique_ptr<session::SessionModel>> model = session::SessionModel::Create(
      ToModelOptions(config, instance_id), table, (*datapath)->next_hops(), (*datapath)->Now());
  if (!model.ok()) return Fail(model.status());
  if (absl::Status status = (*datapath)->StartWorkers(); !status.ok()) return Fail(status);

  RelayReport report({config.name(), std::string(process::kVersion), instance_id, absl::Now()}, **datapath, table,
                     **model);
  ControlLoop loop(**datapath, table, **model);
  CaptureService captures(config.sessions().capture_folder(), **datapath, **model, loop);
  SessionService session_service(loop, **model);
  process::GrpcServer* admission = nullptr;
  RelayService relay_service(loop, **model, **datapath, report, captures, [&](bool admit) {
    if (admission != nullptr) admission->SetServing(kAdmission, admit);
    spdlog::info(admit ? "takes new sessions again" : "drains: takes no new sessions");
  });
  absl::StatusOr<std::unique_ptr<process::GrpcServer>> server =
      process::GrpcServer::Start({config.listen().begin(), config.listen().end()}, {&session_service, &relay_service});
  if (!server.ok()) return Fail(server.status());
  // Drains come over gRPC; the control thread sees this as soon as it runs one that was posted after.
  LogIfWrong(loop.Run([&](const session::Moment&) { admission = server->get(); }));
  (*server)->SetServing(kAdmission, true);

  std::unique_ptr<process::MetricsEndpoint> metrics;
  if (!config.metrics_listen().empty()) {
    absl::StatusOr<std::unique_ptr<process::MetricsEndpoint>> endpoint =
        process::MetricsEndpoint::Start(config.metrics_listen(), [&] {
          relay::v1::Relay relay;
          relay::v1::WatchStatsResponse statistics;
          LogIfWrong(loop.Run([&](const session::Moment& now) {
            report.ToProto(now, relay);
            report.ToProto(now, statistics);
          }));
          return RelayMetrics(relay, statistics);
        });
    if (!endpoint.ok()) return Fail(endpoint.status());
    metrics = *std::move(endpoint);
  }

  const std::string serves = absl::StrCat("serves on ", absl::StrJoin((*server)->addresses(), ", "));
  spdlog::info("relay {} {} {}", config.name(), std::string(process::kVersion), serves);
  LogIfWrong(process::NotifyReady(serves));
  for (process::Signal signal = process::Signal::kNone; signal != process::Signal::kStop;
       signal = process::StopSignal::Wait(absl::InfiniteDuration())) {
    if (signal != process::Signal::kReload) continue;
    Reload(path, loop, **model);
    LogIfWrong(process::NotifyReady(serves));
  }
  spdlog::info("stops with {} sessions", table.flows() == 0 ? "no" : "its");
  LogIfWrong(process::NotifyStopping());
  metrics.reset();
  (*server)->Stop(kGrace);
  (*datapath)->StopWorkers();
  return process::kDone;
}

}  // namespace
}  // namespace sluice::service

int main(int argc, char** argv) {
  using namespace sluice;
  return process::RunProgram(service::kProgram, {argv + 1, argv + argc}, process::ReadRelayConfig, service::Run);
}
