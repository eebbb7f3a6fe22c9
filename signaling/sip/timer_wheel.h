// Many timers over one clock: setting, moving and cancelling cost the same whatever their number is.
//
// How it works. A tick is a millisecond. The wheel has levels of 64 slots; a slot of level n spans 64^n ticks. A timer
// lies in the level of the highest digit (base 64) in which its tick differs from the present one, so each level holds
// only what comes later than all below it, and eleven levels reach over all of time without wrapping. When the present
// enters a slot of a higher level, its timers are laid into lower ones. A bitmap a level finds the next slot.
//
// Timers are members of what they belong to, linked into the slots; the wheel allocates nothing. They never fire early,
// and up to a tick late.
//
// Threads: one at a time.
#ifndef SLUICE_SIGNALING_SIP_TIMER_WHEEL_H_
#define SLUICE_SIGNALING_SIP_TIMER_WHEEL_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace sluice::sip {

// One timer. Must be cancelled before it goes away.
class WheelTimer {
 public:
  WheelTimer() = default;
  WheelTimer(const WheelTimer&) = delete;
  WheelTimer& operator=(const WheelTimer&) = delete;

  bool is_set() const { return next_ != nullptr; }

 private:
  friend class TimerWheel;

  // Slots are rings with a head that is no timer.
  WheelTimer* previous_ = nullptr;
  WheelTimer* next_ = nullptr;
  uint64_t tick_ = 0;
};

class TimerWheel {
 public:
  TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Sets or moves `timer`. Times that have passed are due at once; InfiniteFuture cancels.
  void Set(WheelTimer& timer, absl::Time when);
  // Nothing happens if it is not set.
  void Cancel(WheelTimer& timer);

  // Takes a timer that is due at `now` off the wheel, in order of time; null if there is none.
  WheelTimer* PopDue(absl::Time now);

  // When to call PopDue again: never later than the next timer, and earlier where timers move between levels.
  // InfiniteFuture: no timer is set.
  absl::Time NextDeadline() const;

 private:
  static constexpr int kBits = 6;
  static constexpr size_t kSlots = 1 << kBits;
  static constexpr size_t kLevels = 11;

  // The first slot that has timers and when the present enters it.
  struct NextSlot {
    size_t level = 0;
    size_t slot = 0;
    uint64_t tick = 0;
  };
  bool FindNextSlot(NextSlot& next) const;
  void Insert(WheelTimer& timer);
  void Unlink(WheelTimer& timer);

  std::array<std::array<WheelTimer, kSlots>, kLevels> slots_;
  // Bit n: slot n may have timers.
  mutable std::array<uint64_t, kLevels> occupied_ = {};
  WheelTimer due_;
  // All ticks up to this one have been handled.
  uint64_t present_ = 0;
};

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_TIMER_WHEEL_H_
