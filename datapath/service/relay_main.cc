// sluice-relay: reads its config, makes the parts, wires them, and waits for a signal.
//
// Exit statuses: 0 stopped in an orderly way, 1 something on this machine is in the way, 2 wrong command line or
// config.

#include <unistd.h>

#include <cstdio>
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
#include "process/command_line.h"
#include "process/grpc_server.h"
#include "process/logging.h"
#include "process/metrics_endpoint.h"
#include "process/relay_config.h"
#include "process/stop_signal.h"
#include "process/systemd_notify.h"
#include "spdlog/spdlog.h"

namespace sluice::service {
namespace {

constexpr char kProgram[] = "sluice-relay";
constexpr char kAdmission[] = "sluice.relay.v1.Admission";
constexpr int kMachine = 1;
constexpr int kConfig = 2;
constexpr absl::Duration kGrace = absl::Seconds(1);

int Fail(int status, const absl::Status& error) {
  std::fprintf(stderr, "%s: %s\n", kProgram, std::string(error.message()).c_str());
  return status;
}

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
  const std::string instance_id = absl::StrCat(absl::Hex(absl::ToUnixMicros(absl::Now())), "-", getpid());
  absl::StatusOr<std::unique_ptr<DpdkDatapath>> datapath = DpdkDatapath::Open(ToDatapathOptions(config));
  if (!datapath.ok()) return Fail(kMachine, datapath.status());
  flow::FlowTable& table = (*datapath)->table();
  absl::StatusOr<std::unique_ptr<session::SessionModel>> model = session::SessionModel::Create(
      ToModelOptions(config, instance_id), table, (*datapath)->next_hops(), (*datapath)->Now());
  if (!model.ok()) return Fail(kMachine, model.status());
  if (absl::Status status = (*datapath)->StartWorkers(); !status.ok()) return Fail(kMachine, status);

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
  if (!server.ok()) return Fail(kMachine, server.status());
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
    if (!endpoint.ok()) return Fail(kMachine, endpoint.status());
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
  return 0;
}

int Main(const std::vector<std::string>& arguments) {
  const absl::StatusOr<process::CommandLine> line = process::ParseCommandLine(arguments);
  if (!line.ok()) {
    return Fail(kConfig,
                absl::InvalidArgumentError(absl::StrCat(line.status().message(), "; ", process::Usage(kProgram))));
  }
  switch (line->mode) {
    case process::CommandLine::Mode::kVersion:
      std::printf("%s %s\n", kProgram, std::string(process::kVersion).c_str());
      return 0;
    case process::CommandLine::Mode::kHelp:
      std::printf("%s\n", process::Usage(kProgram).c_str());
      return 0;
    default:
      break;
  }
  const absl::StatusOr<config::v1::RelayConfig> config = process::ReadRelayConfig(line->config);
  if (!config.ok()) return Fail(kConfig, config.status());
  if (line->mode == process::CommandLine::Mode::kCheck) {
    std::printf("%s is right\n", line->config.c_str());
    return 0;
  }
  process::StopSignal::Block();
  process::StartLogging(kProgram, config->log_level());
  return Run(line->config, *config);
}

}  // namespace
}  // namespace sluice::service

int main(int argc, char** argv) { return sluice::service::Main({argv + 1, argv + argc}); }
