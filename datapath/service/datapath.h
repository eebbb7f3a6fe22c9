// The side of the relay that moves packets, as its services see it: the seam between gRPC and DPDK.
//
// DpdkDatapath is the real one; DatapathFake serves tests without EAL.
//
// Threads: the control thread (control_loop.h), but for Now.

#ifndef SLUICE_DATAPATH_SERVICE_DATAPATH_H_
#define SLUICE_DATAPATH_SERVICE_DATAPATH_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "datapath/capture/capture_ring.h"
#include "datapath/flow/event_ring.h"
#include "datapath/session/moment.h"
#include "datapath/worker/explain.h"
#include "datapath/worker/worker_statistics.h"

namespace sluice::service {

// An interface and its counters since the start.
struct InterfaceReport {
  std::string name;
  std::string device;
  std::string mac_address;
  bool link_up = false;
  uint32_t queues = 0;
  uint64_t received_packets = 0;
  uint64_t received_bytes = 0;
  uint64_t sent_packets = 0;
  uint64_t sent_bytes = 0;
  uint64_t receive_missed = 0;
  uint64_t receive_no_mbuf = 0;
  uint64_t send_errors = 0;
  // Of the exception path.
  uint64_t punted = 0;
  uint64_t punts_limited = 0;
  uint64_t injected = 0;
};

class Datapath {
 public:
  virtual ~Datapath() = default;

  // Both clocks, read now. Any thread.
  virtual session::Moment Now() const = 0;
  virtual uint64_t ticks_per_second() const = 0;

  virtual std::vector<worker::WorkerSnapshot> Workers() = 0;
  virtual std::vector<InterfaceReport> Interfaces() = 0;
  // Takes all that the workers have told so far.
  virtual void DrainEvents(const std::function<void(const flow::FlowEvent&)>& take) = 0;
  // What goes on by itself: routes and neighbours are followed. A few hundred times a second.
  virtual void Service() = 0;
  // What would become of a frame.
  virtual worker::Explanation Explain(std::span<const uint8_t> frame) = 0;
  // The rings of captured frames, one a worker; for the capture thread.
  virtual std::vector<capture::CaptureRing*> CaptureRings() = 0;
};

}  // namespace sluice::service

#endif  // SLUICE_DATAPATH_SERVICE_DATAPATH_H_
