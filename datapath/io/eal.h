// DPDK's environment (EAL), started once in the life of a process.
//
// How it works. Each worker CPU gets an lcore of its own, pinned to it: lcore 1 for the first worker, 2 for the second.
// Lcore 0 is the thread that calls Start; it and every thread it makes later stay on the control CPUs. (EAL's usual
// way, a core mask, pins the calling thread to one CPU, and all threads made after inherit that.)
//
// Memory is either hugepages, taken without any file (`--in-memory`), or ordinary pages (`--no-huge`). Nothing is left
// in the file system either way, so a process that was killed hinders nobody. Several processes run side by side; each
// has a file prefix of its own.
//
// DPDK's messages of level warning and worse go to the process' log; Start quotes the last one in its error.
//
// Threads: Start and the destructor from the main thread; memory() from the control thread; the rest is constant.

#ifndef SLUICE_DATAPATH_IO_EAL_H_
#define SLUICE_DATAPATH_IO_EAL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "datapath/flow/memory.h"

namespace sluice::io {

struct EalOptions {
  // One worker each, in this order. At least one.
  std::vector<unsigned> worker_cpus;
  // For all other threads. Empty: all that this process may use and no worker has; all, if that leaves none.
  std::vector<unsigned> control_cpus;
  bool hugepages = false;
  // 0: 256 without hugepages, 1024 with.
  unsigned memory_mib = 0;
  // The PCI devices that EAL may take, as "0000:3b:00.0". Others are not touched, whatever they are bound to.
  std::vector<std::string> pci_addresses;
  // More arguments of EAL, after ours.
  std::vector<std::string> arguments;
};

// A worker's place: where to launch it.
struct WorkerCore {
  unsigned lcore = 0;  // For rte_eal_remote_launch.
  unsigned cpu = 0;
  int numa_node = 0;
};

class Eal {
 public:
  // Errors are one line that says what to do: INVALID_ARGUMENT for a CPU that is not there, RESOURCE_EXHAUSTED for too
  // few hugepages, FAILED_PRECONDITION if it was started before in this process, INTERNAL with EAL's own words
  // otherwise.
  static absl::StatusOr<std::unique_ptr<Eal>> Start(const EalOptions& options);

  // Workers have been stopped and devices closed before.
  ~Eal();
  Eal(const Eal&) = delete;
  Eal& operator=(const Eal&) = delete;

  const std::vector<WorkerCore>& workers() const { return workers_; }
  const std::vector<unsigned>& control_cpus() const { return control_cpus_; }
  bool hugepages() const { return hugepages_; }

  // For the flow table and other large things: DPDK's heap on the first worker's NUMA node with hugepages, ordinary
  // pages of the kernel without.
  flow::Memory& memory() const { return *memory_; }

 private:
  Eal() = default;

  std::vector<WorkerCore> workers_;
  std::vector<unsigned> control_cpus_;
  bool hugepages_ = false;
  std::unique_ptr<flow::Memory> heap_;
  flow::Memory* memory_ = nullptr;
};

}  // namespace sluice::io

#endif  // SLUICE_DATAPATH_IO_EAL_H_
