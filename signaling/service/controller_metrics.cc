#include "signaling/service/controller_metrics.h"

#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "process/metrics_endpoint.h"
#include "signaling/service/allocator.h"

namespace sluice::service {
namespace {

using process::AddSample;
using process::CounterFamily;
using process::GaugeFamily;
using prometheus::MetricFamily;

class Families {
 public:
  void Counter(const std::string& name, const std::string& help, uint64_t value) {
    AddSample(Add(CounterFamily(name, help)), static_cast<double>(value));
  }
  void Gauge(const std::string& name, const std::string& help, double value) {
    AddSample(Add(GaugeFamily(name, help)), value);
  }
  MetricFamily& Add(MetricFamily family) {
    families_.push_back(std::move(family));
    return families_.back();
  }
  std::vector<MetricFamily> Take() { return std::move(families_); }

 private:
  std::vector<MetricFamily> families_;
};

// "INVITE" is a request, "200 INVITE" a response.
void AddMessages(Families& families, const agent::SignalingStatistics& signaling) {
  MetricFamily requests =
      CounterFamily("sluice_sip_requests_total", "SIP requests by method, without retransmissions.");
  MetricFamily responses = CounterFamily("sluice_sip_responses_total", "SIP responses by status and method.");
  for (const auto& [direction, messages] :
       {std::pair<std::string, const std::map<std::string, uint64_t>&>("received", signaling.received_messages),
        {"sent", signaling.sent_messages}}) {
    for (const auto& [name, count] : messages) {
      const std::vector<std::string> words = absl::StrSplit(name, ' ');
      if (words.size() == 1) {
        AddSample(requests, static_cast<double>(count), {{"direction", direction}, {"method", words[0]}});
      } else {
        AddSample(responses, static_cast<double>(count),
                  {{"direction", direction}, {"method", words[1]}, {"status", words[0]}});
      }
    }
  }
  families.Add(std::move(requests));
  families.Add(std::move(responses));
  MetricFamily& again =
      families.Add(CounterFamily("sluice_sip_retransmissions_total", "SIP messages that were sent again."));
  AddSample(again, static_cast<double>(signaling.retransmissions_received), {{"direction", "received"}});
  AddSample(again, static_cast<double>(signaling.retransmissions_sent), {{"direction", "sent"}});
  MetricFamily& dropped =
      families.Add(CounterFamily("sluice_sip_dropped_total", "SIP messages and datagrams that were dropped."));
  for (const auto& [reason, count] : signaling.dropped_messages) {
    AddSample(dropped, static_cast<double>(count), {{"reason", reason}});
  }
}

void AddCalls(Families& families, const agent::SignalingStatistics& signaling) {
  families.Gauge("sluice_controller_start_time_seconds", "When the controller started, Unix time.",
                 absl::ToDoubleSeconds(signaling.start_time - absl::UnixEpoch()));
  families.Gauge("sluice_allocated_bytes", "Memory that the process has allocated and not freed.",
                 static_cast<double>(AllocatedBytes()));
  families.Gauge("sluice_calls", "Calls that exist now.", static_cast<double>(signaling.calls));
  families.Gauge("sluice_draining", "1 while the controller takes no new calls.", signaling.draining ? 1 : 0);
  families.Counter("sluice_calls_started_total", "Calls that were begun.", signaling.calls_started);
  families.Counter("sluice_calls_answered_total", "Calls that were answered.", signaling.calls_answered);
  families.Counter("sluice_calls_restored_total",
                   "Calls of an earlier run, or of another controller, that go on with this one.",
                   signaling.calls_restored);
  MetricFamily& refused =
      families.Add(CounterFamily("sluice_calls_refused_total", "Calls that ended without an answer, by SIP status."));
  for (const auto& [status, count] : signaling.refused_calls) {
    AddSample(refused, static_cast<double>(count), {{"status", absl::StrCat(status)}});
  }
  families.Gauge("sluice_sip_transactions", "SIP transactions that exist now.",
                 static_cast<double>(signaling.transactions));
}

void AddTrunks(Families& families, const std::vector<agent::TrunkSummary>& trunks) {
  MetricFamily calls = GaugeFamily("sluice_trunk_calls", "Calls from and to the trunk that exist now.");
  MetricFamily refused = CounterFamily("sluice_trunk_calls_refused_total", "Calls that the trunk's limits refused.");
  MetricFamily registered = GaugeFamily("sluice_trunk_registered", "1 while we are registered at the trunk.");
  for (const agent::TrunkSummary& trunk : trunks) {
    const process::MetricLabels labels = {{"trunk", trunk.name}};
    AddSample(calls, static_cast<double>(trunk.usage.calls), labels);
    AddSample(refused, static_cast<double>(trunk.usage.refused), labels);
    if (trunk.registration.state == agent::TrunkBook::State::kNone) continue;
    AddSample(registered, trunk.registration.state == agent::TrunkBook::State::kRegistered ? 1 : 0, labels);
  }
  for (MetricFamily* family : {&calls, &refused, &registered}) families.Add(std::move(*family));
}

void AddStore(Families& families, const store::StoreStatistics& store) {
  families.Gauge("sluice_accounts", "Accounts.", static_cast<double>(store.accounts));
  families.Gauge("sluice_bindings", "Contacts that are registered.", static_cast<double>(store.bindings));
  families.Counter("sluice_call_records_written_total", "Call records on disk.", store.records_written);
  families.Gauge("sluice_call_records_waiting", "Call records that wait for the disk.",
                 static_cast<double>(store.records_waiting));
  families.Counter("sluice_call_records_dropped_total", "Call records that were given up because too many waited.",
                   store.records_dropped);
  families.Counter("sluice_call_records_expired_total", "Call records that were deleted for their age.",
                   store.records_expired);
  families.Gauge("sluice_calls_kept", "Calls whose state is on disk, or in Redis, so that they outlive the controller.",
                 static_cast<double>(store.standing_calls));
  families.Gauge("sluice_calls_kept_waiting", "Calls whose latest state, or end, waits for the disk or for Redis.",
                 static_cast<double>(store.standing_calls_waiting));
  families.Counter("sluice_store_failed_writes_total", "Batches that the disk refused; they are tried again.",
                   store.failed_writes);
}

void AddRelays(Families& families, const std::vector<fleet::RelayInfo>& relays) {
  constexpr std::pair<fleet::RelayHealth, const char*> kHealths[] = {{fleet::RelayHealth::kConnecting, "connecting"},
                                                                     {fleet::RelayHealth::kHealthy, "healthy"},
                                                                     {fleet::RelayHealth::kDraining, "draining"},
                                                                     {fleet::RelayHealth::kDown, "down"}};
  MetricFamily by_health = GaugeFamily("sluice_relays", "Relays of the config by health.");
  MetricFamily healthy = GaugeFamily("sluice_relay_healthy", "1 while the relay takes new sessions.");
  MetricFamily sessions =
      GaugeFamily("sluice_relay_sessions_wanted", "Sessions that this controller wants on the relay.");
  MetricFamily restarts = CounterFamily("sluice_relay_restarts_total", "Restarts of the relay that were seen.");
  MetricFamily failed =
      CounterFamily("sluice_relay_failed_writes_total", "Writes that the relay refused or did not answer.");
  for (const auto& [health, name] : kHealths) {
    double count = 0;
    for (const fleet::RelayInfo& relay : relays) count += relay.health == health ? 1 : 0;
    AddSample(by_health, count, {{"health", name}});
  }
  for (const fleet::RelayInfo& relay : relays) {
    const process::MetricLabels labels = {{"relay", relay.name}};
    AddSample(healthy, relay.health == fleet::RelayHealth::kHealthy ? 1 : 0, labels);
    AddSample(sessions, static_cast<double>(relay.sessions), labels);
    AddSample(restarts, static_cast<double>(relay.restarts), labels);
    AddSample(failed, static_cast<double>(relay.failed_writes), labels);
  }
  for (MetricFamily* family : {&by_health, &healthy, &sessions, &restarts, &failed}) families.Add(std::move(*family));
}

void AddExports(Families& families, const OptionalStatistics& exports) {
  if (exports.hep.has_value()) {
    families.Counter("sluice_hep_sent_total", "HEP packets that were sent to the collector.", exports.hep->sent);
    families.Counter("sluice_hep_dropped_total",
                     "HEP packets that were dropped: too many waited, or the collector refused them.",
                     exports.hep->dropped);
  }
  if (exports.forwarder.has_value()) {
    families.Counter("sluice_call_records_copied_total", "Call records that were copied to PostgreSQL.",
                     exports.forwarder->copied);
    families.Counter("sluice_call_records_copy_failures_total",
                     "Batches that PostgreSQL did not take; they are tried again.", exports.forwarder->failures);
    families.Counter("sluice_call_records_refused_total",
                     "Call records that PostgreSQL cannot hold; they stay in the store.", exports.forwarder->refused);
  }
}

void AddCluster(Families& families, const cluster::ClusterStatistics& cluster) {
  families.Gauge("sluice_cluster_connected", "1 while Redis serves this controller.", cluster.is_connected ? 1 : 0);
  families.Gauge("sluice_cluster_controllers", "Controllers of the cluster that live, by what Redis said last.",
                 static_cast<double>(cluster.controllers));
  families.Counter("sluice_cluster_takeovers_total", "Controllers that were gone and whose calls came here.",
                   cluster.takeovers);
  families.Counter("sluice_cluster_calls_taken_over_total", "Calls of controllers that were gone.",
                   cluster.calls_taken_over);
  families.Gauge("sluice_cluster_bindings_waiting", "Accounts whose bindings the others have not been told yet.",
                 static_cast<double>(cluster.bindings_waiting));
  families.Counter("sluice_cluster_failures_total", "What Redis did not do; it is tried again.", cluster.failures);
}

void AddAdmission(Families& families, const admission::AdmissionStatistics& admission) {
  families.Counter("sluice_admission_asked_total", "Calls to trunks that the operator's service was to decide.",
                   admission.asked);
  MetricFamily& verdicts = families.Add(CounterFamily("sluice_admission_verdicts_total", "Its verdicts."));
  AddSample(verdicts, static_cast<double>(admission.admitted), {{"verdict", "admitted"}});
  AddSample(verdicts, static_cast<double>(admission.refused), {{"verdict", "refused"}});
  MetricFamily& failures =
      families.Add(CounterFamily("sluice_admission_failures_total", "Calls that it has not decided, by reason."));
  for (const auto& [reason, count] : {std::pair{"timeout", admission.timeouts},
                                      {"unavailable", admission.unavailable},
                                      {"error", admission.errors},
                                      {"too_many", admission.too_many}}) {
    AddSample(failures, static_cast<double>(count), {{"reason", reason}});
  }
  AddSample(families.Add(CounterFamily("sluice_admission_verdict_seconds_total", "What all verdicts took together.")),
            absl::ToDoubleSeconds(admission.verdict_time));
  families.Gauge("sluice_admission_waiting", "Calls that wait for a verdict now.", static_cast<double>(admission.open));
}

}  // namespace

std::vector<MetricFamily> ControllerMetrics(const agent::SignalingStatistics& signaling,
                                            const store::StoreStatistics& store,
                                            const std::vector<fleet::RelayInfo>& relays,
                                            const OptionalStatistics& optional) {
  Families families;
  AddCalls(families, signaling);
  AddMessages(families, signaling);
  AddTrunks(families, signaling.trunks);
  AddStore(families, store);
  AddRelays(families, relays);
  AddExports(families, optional);
  if (optional.cluster.has_value()) AddCluster(families, *optional.cluster);
  if (optional.admission.has_value()) AddAdmission(families, *optional.admission);
  return families.Take();
}

}  // namespace sluice::service
