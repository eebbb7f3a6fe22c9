#include "signaling/sip/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace sluice::sip {
namespace {

uint64_t TickAt(absl::Time time) { return static_cast<uint64_t>(std::max<int64_t>(absl::ToUnixMillis(time), 0)); }

// The first tick that is not before `time`.
uint64_t TickFrom(absl::Time time) { return TickAt(time + absl::Milliseconds(1) - absl::Nanoseconds(1)); }

}  // namespace

TimerWheel::TimerWheel() {
  const auto close = [](WheelTimer& head) { head.previous_ = head.next_ = &head; };
  for (auto& level : slots_) std::for_each(level.begin(), level.end(), close);
  close(due_);
}

void TimerWheel::Unlink(WheelTimer& timer) {
  timer.previous_->next_ = timer.next_;
  timer.next_->previous_ = timer.previous_;
  timer.previous_ = timer.next_ = nullptr;
}

void TimerWheel::Insert(WheelTimer& timer) {
  WheelTimer* head = &due_;
  if (timer.tick_ > present_) {
    const size_t level = static_cast<size_t>((std::bit_width(timer.tick_ ^ present_) - 1) / kBits);
    const size_t slot = (timer.tick_ >> (level * kBits)) % kSlots;
    head = &slots_[level][slot];
    occupied_[level] |= uint64_t{1} << slot;
  }
  timer.previous_ = head->previous_;
  timer.next_ = head;
  head->previous_->next_ = &timer;
  head->previous_ = &timer;
}

void TimerWheel::Set(WheelTimer& timer, absl::Time when) {
  Cancel(timer);
  if (when == absl::InfiniteFuture()) return;
  timer.tick_ = TickFrom(when);
  Insert(timer);
}

void TimerWheel::Cancel(WheelTimer& timer) {
  if (timer.is_set()) Unlink(timer);
}

bool TimerWheel::FindNextSlot(NextSlot& next) const {
  for (size_t level = 0; level < kLevels; ++level) {
    while (occupied_[level] != 0) {
      const size_t slot = static_cast<size_t>(std::countr_zero(occupied_[level]));
      const WheelTimer& head = slots_[level][slot];
      if (head.next_ == &head) {
        // All of its timers were cancelled.
        occupied_[level] &= ~(uint64_t{1} << slot);
        continue;
      }
      // The digits above this level are those of the present, the ones below are zero.
      const size_t shift = level * kBits;
      const uint64_t above = shift + kBits < 64 ? present_ >> (shift + kBits) << (shift + kBits) : 0;
      next = {level, slot, above | (uint64_t{slot} << shift)};
      return true;
    }
  }
  return false;
}

WheelTimer* TimerWheel::PopDue(absl::Time now) {
  const uint64_t now_tick = TickAt(now);
  NextSlot next;
  while (due_.next_ == &due_) {
    if (!FindNextSlot(next) || next.tick > now_tick) {
      present_ = std::max(present_, now_tick);
      return nullptr;
    }
    present_ = next.tick;
    occupied_[next.level] &= ~(uint64_t{1} << next.slot);
    WheelTimer& head = slots_[next.level][next.slot];
    while (head.next_ != &head) {
      WheelTimer& timer = *head.next_;
      Unlink(timer);
      Insert(timer);
    }
  }
  WheelTimer* timer = due_.next_;
  Unlink(*timer);
  return timer;
}

absl::Time TimerWheel::NextDeadline() const {
  if (due_.next_ != &due_) return absl::FromUnixMillis(static_cast<int64_t>(present_));
  NextSlot next;
  return FindNextSlot(next) ? absl::FromUnixMillis(static_cast<int64_t>(next.tick)) : absl::InfiniteFuture();
}

}  // namespace sluice::sip
