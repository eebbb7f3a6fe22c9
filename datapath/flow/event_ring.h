// What a worker has to tell the control thread: a ring of small events, one a worker.
//
// How it works. Single producer, single consumer, fixed capacity. A full ring loses the new event and counts it; media
// never waits. An event names its flow by state index and carries the generation of the entry that the worker saw, so
// the control thread can tell events that an update has overtaken. A state index is reused only after a grace period,
// and the worker pushes before it reports quiescent: so a control thread that drains the rings before it collects never
// takes an old flow's event for a new one's.
//
// Threads: Push from the worker, Pop from the control thread, lost() from any.

#ifndef SLUICE_DATAPATH_FLOW_EVENT_RING_H_
#define SLUICE_DATAPATH_FLOW_EVENT_RING_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "datapath/flow/flow_entry.h"
#include "datapath/packet/endpoint.h"

namespace sluice::flow {

enum class FlowEventKind : uint8_t {
  kSourceLocked,   // `source` was taken.
  kSourceRefused,  // `source` was refused: told once a generation.
  kFirstPacket,    // The first packet that was accepted from the locked source.
  kDtmf            // `digit`, `duration`.
};

struct FlowEvent {
  FlowEventKind kind = FlowEventKind::kSourceLocked;
  uint8_t generation = 0;
  char digit = 0;
  uint16_t duration = 0;  // In units of the telephone-event clock.
  StateIndex state = kNoState;
  uint64_t ticks = 0;
  packet::Endpoint source;
  uint32_t ssrc = 0;
};

class EventRing {
 public:
  // `capacity` is rounded up to a power of two.
  explicit EventRing(size_t capacity);

  // False if the ring is full: the event is lost and counted.
  bool Push(const FlowEvent& event) {
    const uint64_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_seen_ > mask_) {
      // Acquire: the consumer has read the place before it moved on.
      head_seen_ = head_.load(std::memory_order_acquire);
      if (tail - head_seen_ > mask_) {
        lost_.store(lost_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        return false;
      }
    }
    events_[tail & mask_] = event;
    tail_.store(tail + 1, std::memory_order_release);  // The event is complete before it shows.
    return true;
  }

  // False if the ring is empty.
  bool Pop(FlowEvent& event) {
    const uint64_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return false;
    event = events_[head & mask_];
    head_.store(head + 1, std::memory_order_release);
    return true;
  }

  uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }
  size_t capacity() const { return mask_ + 1; }

 private:
  std::vector<FlowEvent> events_;
  uint64_t mask_;
  // Producer's line.
  alignas(64) std::atomic<uint64_t> tail_{0};
  uint64_t head_seen_ = 0;
  std::atomic<uint64_t> lost_{0};
  // Consumer's line.
  alignas(64) std::atomic<uint64_t> head_{0};
};

}  // namespace sluice::flow

#endif  // SLUICE_DATAPATH_FLOW_EVENT_RING_H_
