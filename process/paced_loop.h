// How a thread that serves events waits for them: woken by each while they are rare, looking for them once a turn while
// they are not. To be woken costs more than most of what there is to do, so many events a turn are much cheaper, and
// an event after a pause is still served at once.
#ifndef SLUICE_PROCESS_PACED_LOOP_H_
#define SLUICE_PROCESS_PACED_LOOP_H_

#include <chrono>
#include <thread>

namespace sluice::process {

struct SteadyPace {
  using Time = std::chrono::steady_clock::time_point;
  Time Now() { return std::chrono::steady_clock::now(); }
  void SleepUntil(Time time) { std::this_thread::sleep_until(time); }
};

// `wait` serves the next event, however long that takes to come; false: end. `poll` serves what is there, and tells
// whether that was anything. An event is served at most `turn` after it came.
template <typename Wait, typename Poll, typename Pace = SteadyPace>
void RunPaced(std::chrono::microseconds turn, Wait wait, Poll poll, Pace pace = {}) {
  auto idle_since = pace.Now();
  while (wait()) {
    auto begin = pace.Now();
    bool busy = begin - idle_since < turn;
    poll();
    while (busy) {
      pace.SleepUntil(begin + turn);
      begin = pace.Now();
      busy = poll();
    }
    idle_since = pace.Now();
  }
}

}  // namespace sluice::process

#endif  // SLUICE_PROCESS_PACED_LOOP_H_
