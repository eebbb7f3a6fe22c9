// A datapath without packets: it counts what it is told to, hands out the events that a test pushes, and tells the time
// of the system.
//
// Threads: Push from the test's, all else as datapath.h says.

#ifndef SLUICE_DATAPATH_SERVICE_DATAPATH_FAKE_H_
#define SLUICE_DATAPATH_SERVICE_DATAPATH_FAKE_H_

#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "datapath/service/datapath.h"

namespace sluice::service {

class DatapathFake final : public Datapath {
 public:
  static constexpr uint64_t kTicksPerSecond = 1'000'000'000;

  void Push(const flow::FlowEvent& event) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    events_.push_back(event);
  }
  // The one worker's ring of captured frames.
  capture::CaptureRing& captures() { return captures_; }

  session::Moment Now() const override {
    const absl::Time now = absl::Now();
    return {now, static_cast<uint64_t>(absl::ToUnixNanos(now))};
  }
  uint64_t ticks_per_second() const override { return kTicksPerSecond; }
  std::vector<worker::WorkerSnapshot> Workers() override {
    worker::WorkerSnapshot worker(kTicksPerSecond);
    worker.cpu = 3;
    worker.received = 10;
    worker.forwarded = 7;
    worker.drops[static_cast<size_t>(packet::DropReason::kNoFlow)] = 3;
    worker.cycles = 100;
    worker.busy_cycles = 25;
    return {worker};
  }
  std::vector<InterfaceReport> Interfaces() override {
    InterfaceReport report;
    report.name = "eth1";
    report.received_packets = 10;
    return {report};
  }
  void DrainEvents(const std::function<void(const flow::FlowEvent&)>& take) override ABSL_LOCKS_EXCLUDED(mutex_) {
    std::vector<flow::FlowEvent> events;
    {
      absl::MutexLock lock(&mutex_);
      events.swap(events_);
    }
    for (const flow::FlowEvent& event : events) take(event);
  }
  void Service() override {}
  worker::Explanation Explain(std::span<const uint8_t> frame) override {
    worker::Explanation explanation;
    explanation.steps = {"a frame of " + std::to_string(frame.size()) + " bytes"};
    explanation.verdict = packet::DropReason::kNoFlow;
    return explanation;
  }
  std::vector<capture::CaptureRing*> CaptureRings() override { return {&captures_}; }

 private:
  capture::CaptureRing captures_{64};
  absl::Mutex mutex_;
  std::vector<flow::FlowEvent> events_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sluice::service

#endif  // SLUICE_DATAPATH_SERVICE_DATAPATH_FAKE_H_
