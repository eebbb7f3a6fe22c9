#ifndef SLUICE_DATAPATH_CAPTURE_CAPTURE_RING_H_
#define SLUICE_DATAPATH_CAPTURE_CAPTURE_RING_H_

// Frames on their way from one worker to the capture's writer.
//
// A ring of whole frames with one producer (a worker) and one consumer (the writer thread). A worker copies a frame
// into the next free slot, or counts it as dropped when there is none: media never waits for a disk. Slots are as
// large as the largest frame that a relay carries, so a copy is one memcpy and a frame is never cut short.
//
// Threads: Push from the one worker, Pop from the one writer, dropped() from anywhere.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

namespace sluice::capture {

// Longest frame that is captured whole: Ethernet with one VLAN tag and an MTU of 1 500, rounded up.
inline constexpr size_t kMaxFrameBytes = 2024;

struct CapturedFrame {
  uint64_t ticks = 0;       // When it was received, in the worker's clock.
  uint32_t capture_id = 0;  // Which capture it belongs to.
  uint8_t leg = 0;          // 0: A, 1: B.
  bool sent = false;        // False: as it came from the leg's peer. True: as it was sent to it.
  uint16_t bytes_used = 0;
  uint8_t bytes[kMaxFrameBytes];

  std::span<const uint8_t> frame() const { return {bytes, bytes_used}; }
};

class CaptureRing {
 public:
  // `slots` is a power of two.
  explicit CaptureRing(size_t slots) : mask_(slots - 1), slots_(std::make_unique<CapturedFrame[]>(slots)) {}

  // Copies a frame into the ring. False, and counted, when the writer is behind or the frame is too long.
  bool Push(uint32_t capture_id, uint8_t leg, bool sent, uint64_t ticks, std::span<const uint8_t> frame) {
    const uint64_t head = head_.load(std::memory_order_relaxed);
    // Acquire pairs with the release in Pop: a slot that we see freed was read to its end.
    if (head - tail_.load(std::memory_order_acquire) > mask_ || frame.size() > kMaxFrameBytes) {
      dropped_.store(dropped_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      return false;
    }
    CapturedFrame& slot = slots_[head & mask_];
    slot.ticks = ticks;
    slot.capture_id = capture_id;
    slot.leg = leg;
    slot.sent = sent;
    slot.bytes_used = static_cast<uint16_t>(frame.size());
    std::memcpy(slot.bytes, frame.data(), frame.size());
    // Release publishes the slot's content with the new head.
    head_.store(head + 1, std::memory_order_release);
    return true;
  }

  // Calls `take(const CapturedFrame&)` for up to `most` frames; returns how many there were.
  template <typename Take>
  size_t Pop(size_t most, Take&& take) {
    const uint64_t tail = tail_.load(std::memory_order_relaxed);
    // Acquire pairs with the release in Push: the content of the slots below head is there.
    const uint64_t head = head_.load(std::memory_order_acquire);
    const size_t count = head - tail < most ? head - tail : most;
    for (size_t i = 0; i < count; ++i) {
      take(static_cast<const CapturedFrame&>(slots_[(tail + i) & mask_]));
      tail_.store(tail + i + 1, std::memory_order_release);
    }
    return count;
  }

  // Frames that found no place, since the ring was made.
  uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  const uint64_t mask_;
  const std::unique_ptr<CapturedFrame[]> slots_;
  alignas(64) std::atomic<uint64_t> head_{0};
  std::atomic<uint64_t> dropped_{0};
  alignas(64) std::atomic<uint64_t> tail_{0};
};

}  // namespace sluice::capture

#endif  // SLUICE_DATAPATH_CAPTURE_CAPTURE_RING_H_
