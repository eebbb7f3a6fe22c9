#include "datapath/io/eal.h"

#include <rte_config.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "datapath/io/dpdk_memory.h"
#include "datapath/io/eal_log.h"
#include "datapath/io/hugepages.h"

namespace sluice::io {
namespace {

constexpr unsigned kMainLcore = 0;

std::set<unsigned> UsableCpus() {
  cpu_set_t cpus;
  std::set<unsigned> usable;
  if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0) return usable;
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &cpus)) usable.insert(cpu);
  }
  return usable;
}

absl::Status CheckCpus(absl::string_view key, const std::vector<unsigned>& cpus, const std::set<unsigned>& usable) {
  std::set<unsigned> seen;
  for (const unsigned cpu : cpus) {
    if (!usable.contains(cpu)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "datapath.", key, ": CPU ", cpu, " is not there; this process may use ", absl::StrJoin(usable, ",")));
    }
    if (!seen.insert(cpu).second) {
      return absl::InvalidArgumentError(absl::StrCat("datapath.", key, ": CPU ", cpu, " is named twice"));
    }
  }
  return absl::OkStatus();
}

// Those that are not a worker's; all, if there is no other.
std::vector<unsigned> CpusBesideWorkers(const std::set<unsigned>& usable, const std::vector<unsigned>& workers) {
  std::vector<unsigned> others;
  std::copy_if(usable.begin(), usable.end(), std::back_inserter(others),
               [&](unsigned cpu) { return std::find(workers.begin(), workers.end(), cpu) == workers.end(); });
  if (others.empty()) others.assign(usable.begin(), usable.end());
  return others;
}

std::vector<std::string> Arguments(const EalOptions& options, const std::vector<unsigned>& control_cpus,
                                   unsigned memory_mib) {
  std::string lcores = absl::StrCat(kMainLcore, "@(", absl::StrJoin(control_cpus, ","), ")");
  for (size_t worker = 0; worker < options.worker_cpus.size(); ++worker) {
    absl::StrAppend(&lcores, ",", worker + 1, "@", options.worker_cpus[worker]);
  }
  std::vector<std::string> arguments = {
      "sluice",
      absl::StrCat("--lcores=", lcores),
      absl::StrCat("--main-lcore=", kMainLcore),
      // Two processes with the same prefix would take each other for primary and secondary.
      absl::StrCat("--file-prefix=sluice-", getpid()),
      "--no-telemetry",
      "--log-level=*:warning",
      absl::StrCat("-m", memory_mib),
  };
  if (options.pci_addresses.empty()) arguments.push_back("--no-pci");
  for (const std::string& address : options.pci_addresses) arguments.push_back(absl::StrCat("--allow=", address));
  if (options.hugepages) {
    arguments.push_back("--in-memory");
  } else {
    // --no-huge does not go with --in-memory in this DPDK.
    arguments.push_back("--no-huge");
    arguments.push_back("--no-shconf");
  }
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  return arguments;
}

absl::Status Initialise(std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const int taken = rte_eal_init(static_cast<int>(arguments.size()), argv.data());
  const int error = rte_errno;
  // EAL made a folder for files that we told it not to write. It goes unless `arguments` asked for one after all.
  if (const char* folder = rte_eal_get_runtime_dir(); folder != nullptr) rmdir(folder);
  if (taken >= 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("DPDK does not start: ", strerror(error), TakeEalComplaint(),
                                          "; arguments: ", absl::StrJoin(arguments, " ")));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Eal>> Eal::Start(const EalOptions& options) {
  static std::atomic<bool> started = false;
  const std::set<unsigned> usable = UsableCpus();
  if (options.worker_cpus.empty()) return absl::InvalidArgumentError("datapath.worker_cpus: at least one is needed");
  if (options.worker_cpus.size() >= RTE_MAX_LCORE) {
    return absl::InvalidArgumentError(absl::StrCat("datapath.worker_cpus: at most ", RTE_MAX_LCORE - 1));
  }
  if (auto status = CheckCpus("worker_cpus", options.worker_cpus, usable); !status.ok()) return status;
  if (auto status = CheckCpus("control_cpus", options.control_cpus, usable); !status.ok()) return status;
  const unsigned memory_mib = options.memory_mib != 0 ? options.memory_mib : options.hugepages ? 1024 : 256;
  if (options.hugepages) {
    if (auto status = CheckHugepages(memory_mib); !status.ok()) return status;
  }
  if (started.exchange(true)) return absl::FailedPreconditionError("DPDK starts once in the life of a process");

  // Not make_unique: the constructor is private.
  std::unique_ptr<Eal> eal(new Eal());
  eal->hugepages_ = options.hugepages;
  eal->control_cpus_ =
      options.control_cpus.empty() ? CpusBesideWorkers(usable, options.worker_cpus) : options.control_cpus;
  CaptureEalLog();
  const QuotesEalLog quotes;
  if (auto status = Initialise(Arguments(options, eal->control_cpus_, memory_mib)); !status.ok()) return status;
  for (size_t worker = 0; worker < options.worker_cpus.size(); ++worker) {
    const unsigned lcore = static_cast<unsigned>(worker) + 1;
    eal->workers_.push_back({lcore, options.worker_cpus[worker], static_cast<int>(rte_lcore_to_socket_id(lcore))});
  }
  if (options.hugepages) {
    eal->heap_ = std::make_unique<DpdkMemory>(eal->workers_.front().numa_node);
    eal->memory_ = eal->heap_.get();
  } else {
    eal->memory_ = &flow::PageMemory(false);
  }
  return eal;
}

Eal::~Eal() {
  if (memory_ != nullptr) rte_eal_cleanup();
}

}  // namespace sluice::io
