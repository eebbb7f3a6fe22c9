// Timers for many sessions, each of which is looked at rarely.
//
// How it works. A ring of slots, each a list of the timers that are due within its 250 ms; a timer further away than
// the ring reaches waits in the last slot and goes round again. Timers are part of what they belong to, so arming
// allocates nothing and costs the same however many there are. A timer never fires early; late by up to one slot.
//
// Threads: one control thread at a time. Time is passed in.

#ifndef SLUICE_DATAPATH_SESSION_TIMER_WHEEL_H_
#define SLUICE_DATAPATH_SESSION_TIMER_WHEEL_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace sluice::session {

class TimerWheel {
 public:
  static constexpr absl::Duration kSlot = absl::Milliseconds(250);

  // A place in the wheel. Disarmed before it is destroyed.
  class Timer {
   public:
    Timer() = default;
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

   private:
    friend class TimerWheel;
    Timer* previous_ = nullptr;
    Timer* next_ = nullptr;
    int64_t due_ = 0;  // In slots since 1970.
  };

  explicit TimerWheel(absl::Time now) : now_(SlotOf(now)) {
    for (Timer& head : slots_) head.previous_ = head.next_ = &head;
  }

  // In place of what was armed before. In the past: at the next Advance.
  void Arm(Timer& timer, absl::Time due) {
    Disarm(timer);
    timer.due_ = SlotOf(due) + 1;
    if (timer.due_ <= now_) timer.due_ = now_ + 1;
    Insert(timer);
  }

  void Disarm(Timer& timer) {
    if (timer.next_ == nullptr) return;
    timer.previous_->next_ = timer.next_;
    timer.next_->previous_ = timer.previous_;
    timer.previous_ = timer.next_ = nullptr;
  }

  // Calls `fire(timer)` for each that is due at `now`; it is disarmed then, and `fire` may arm or destroy it.
  template <typename Fire>
  void Advance(absl::Time now, Fire&& fire) {
    const int64_t until = SlotOf(now);
    // After a long pause one round meets every slot.
    if (until - now_ > static_cast<int64_t>(kSlots)) now_ = until - static_cast<int64_t>(kSlots);
    while (now_ < until) {
      ++now_;
      // Those that go round again are put behind a mark, so that each is met once.
      Timer& head = slots_[static_cast<size_t>(now_) % kSlots];
      Timer pending;
      if (head.next_ == &head) continue;
      pending.next_ = head.next_;
      pending.previous_ = head.previous_;
      pending.next_->previous_ = &pending;
      pending.previous_->next_ = &pending;
      head.previous_ = head.next_ = &head;
      while (pending.next_ != &pending) {
        Timer& timer = *pending.next_;
        Disarm(timer);
        if (timer.due_ > now_) {
          Insert(timer);
        } else {
          fire(timer);
        }
      }
    }
  }

 private:
  static constexpr size_t kSlots = 512;

  static int64_t SlotOf(absl::Time time) { return absl::ToUnixNanos(time) / absl::ToInt64Nanoseconds(kSlot); }

  void Insert(Timer& timer) {
    const int64_t last = now_ + static_cast<int64_t>(kSlots) - 1;
    Timer& head = slots_[static_cast<size_t>(timer.due_ < last ? timer.due_ : last) % kSlots];
    timer.previous_ = head.previous_;
    timer.next_ = &head;
    head.previous_->next_ = &timer;
    head.previous_ = &timer;
  }

  std::array<Timer, kSlots> slots_;
  int64_t now_;
};

}  // namespace sluice::session

#endif  // SLUICE_DATAPATH_SESSION_TIMER_WHEEL_H_
