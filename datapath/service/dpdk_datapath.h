// The relay's real datapath: EAL, interfaces, tables and workers, made from options and wired to each other.
//
// What stands here in the order of making is taken down in the opposite order: workers first, then next hops,
// interfaces, tables and EAL, so nobody uses what is gone.
//
// Threads: Start and the destructor from the main thread; else as datapath.h says.

#ifndef SLUICE_DATAPATH_SERVICE_DPDK_DATAPATH_H_
#define SLUICE_DATAPATH_SERVICE_DPDK_DATAPATH_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "datapath/flow/flow_table.h"
#include "datapath/flow/next_hop_table.h"
#include "datapath/io/eal.h"
#include "datapath/io/interface_options.h"
#include "datapath/io/interfaces.h"
#include "datapath/io/kernel_next_hops.h"
#include "datapath/service/datapath.h"
#include "datapath/worker/worker_set.h"

namespace sluice::service {

// As the config says: its defaults are process::ReadRelayConfig's.
struct DpdkDatapathOptions {
  io::EalOptions eal;
  std::vector<io::InterfaceOptions> interfaces;
  uint32_t mbufs = 0;
  uint32_t max_flows = 0;
  absl::Duration max_idle_sleep;
  uint16_t burst = 0;
};

class DpdkDatapath final : public Datapath {
 public:
  // Everything but the workers, which start when the flow table has its local addresses. Errors are one line that says
  // what to do.
  static absl::StatusOr<std::unique_ptr<DpdkDatapath>> Open(const DpdkDatapathOptions& options);
  absl::Status StartWorkers();
  // Ends all packet work. Counters stay readable.
  void StopWorkers();

  flow::FlowTable& table() { return *table_; }
  flow::NextHopResolver& next_hops() { return *next_hops_; }

  session::Moment Now() const override;
  uint64_t ticks_per_second() const override;
  std::vector<worker::WorkerSnapshot> Workers() override;
  std::vector<InterfaceReport> Interfaces() override;
  void DrainEvents(const std::function<void(const flow::FlowEvent&)>& take) override;
  void Service() override;
  worker::Explanation Explain(std::span<const uint8_t> frame) override;
  std::vector<capture::CaptureRing*> CaptureRings() override;

 private:
  DpdkDatapath(absl::Duration max_idle_sleep, uint16_t burst) : max_idle_sleep_(max_idle_sleep), burst_(burst) {}

  const absl::Duration max_idle_sleep_;
  const uint16_t burst_;
  std::unique_ptr<io::Eal> eal_;
  std::unique_ptr<flow::FlowTable> table_;
  std::unique_ptr<flow::NextHopTable> next_hop_table_;
  std::unique_ptr<io::Interfaces> interfaces_;
  std::unique_ptr<io::KernelNextHops> next_hops_;
  std::unique_ptr<worker::WorkerSet> workers_;
};

}  // namespace sluice::service

#endif  // SLUICE_DATAPATH_SERVICE_DPDK_DATAPATH_H_
