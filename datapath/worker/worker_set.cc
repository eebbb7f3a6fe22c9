#include "datapath/worker/worker_set.h"

#include <rte_launch.h>

#include <bit>

#include "absl/strings/str_cat.h"
#include "datapath/flow/qsbr.h"

namespace sluice::worker {
namespace {

constexpr absl::Duration kMaxIdleSleep = absl::Milliseconds(1);

absl::Status Check(const WorkerSetOptions& options) {
  if (options.cores.empty() || options.cores.size() > flow::Qsbr::kMaxWorkers) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.cores.size(), " workers, allowed are 1 to ", flow::Qsbr::kMaxWorkers));
  }
  if (options.max_idle_sleep < absl::ZeroDuration() || options.max_idle_sleep > kMaxIdleSleep) {
    return absl::InvalidArgumentError(absl::StrCat("max_idle_sleep is ", absl::FormatDuration(options.max_idle_sleep),
                                                   ", allowed is 0 to ", absl::FormatDuration(kMaxIdleSleep)));
  }
  if (options.burst == 0 || options.burst > kMaxBurst) {
    return absl::InvalidArgumentError(absl::StrCat("burst is ", options.burst, ", allowed are 1 to ", kMaxBurst));
  }
  if (!std::has_single_bit(options.capture_ring_slots)) {
    return absl::InvalidArgumentError(
        absl::StrCat("capture_ring_slots is ", options.capture_ring_slots, ", allowed are powers of two"));
  }
  for (const io::Port& port : options.ports) {
    if (port.tx_queues < options.cores.size()) {
      return absl::InvalidArgumentError(absl::StrCat("port ", port.id, " has ", port.tx_queues,
                                                     " transmit queues, which is too few for ", options.cores.size(),
                                                     " workers"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<WorkerSet>> WorkerSet::Start(const WorkerSetOptions& options, flow::FlowTable& flows,
                                                            flow::NextHopTable& next_hops) {
  if (absl::Status status = Check(options); !status.ok()) return status;
  std::unique_ptr<WorkerSet> set(new WorkerSet);
  for (const io::WorkerCore& core : options.cores) {
    WorkerOptions worker;
    worker.index = static_cast<unsigned>(set->workers_.size());
    worker.workers = static_cast<unsigned>(options.cores.size());
    worker.cpu = core.cpu;
    worker.ports = options.ports;
    worker.max_idle_sleep_ns = static_cast<uint64_t>(absl::ToInt64Nanoseconds(options.max_idle_sleep));
    worker.burst = options.burst;
    worker.event_ring_capacity = options.event_ring_capacity;
    worker.capture_ring_slots = options.capture_ring_slots;
    set->workers_.push_back(std::make_unique<Worker>(worker, flows, next_hops));
  }
  for (size_t i = 0; i < options.cores.size(); ++i) {
    const auto run = [](void* worker) {
      static_cast<Worker*>(worker)->Run();
      return 0;
    };
    const unsigned lcore = options.cores[i].lcore;
    if (rte_eal_remote_launch(run, set->workers_[i].get(), lcore) != 0) {
      return absl::InternalError(absl::StrCat("cannot start a worker on CPU ", options.cores[i].cpu, " (lcore ", lcore,
                                              "): it runs something else"));
    }
    set->lcores_.push_back(lcore);
  }
  return set;
}

WorkerSet::~WorkerSet() { Stop(); }

void WorkerSet::Stop() {
  for (const auto& worker : workers_) worker->Stop();
  for (const unsigned lcore : lcores_) rte_eal_wait_lcore(lcore);
  lcores_.clear();
}

std::vector<WorkerSnapshot> WorkerSet::Snapshot() {
  std::vector<WorkerSnapshot> snapshots;
  snapshots.reserve(workers_.size());
  for (const auto& worker : workers_) snapshots.push_back(worker->Snapshot());
  return snapshots;
}

}  // namespace sluice::worker
