// A call under any sequence of events: messages that are lost, doubled, reordered, late or wrong, a relay that answers
// as it likes, timers at any time, an operator, and a controller that restarts and goes on with what it has kept. Then
// the world becomes orderly and waits.
//
// What must hold whatever happened: one final answer to each request and none to others, one media request at a time,
// DeleteMedia exactly if there was CreateMedia, ACK and CANCEL only for INVITEs that were sent, one Ended, nothing
// behind it, and no call that is still there when everybody has answered and every timer has run out. A call that is
// made of what was kept has the same to keep.
#ifndef SLUICE_SIGNALING_CALL_CALL_SIMULATION_H_
#define SLUICE_SIGNALING_CALL_CALL_SIMULATION_H_

#include <cstdint>
#include <functional>
#include <string>

namespace sluice::call {

struct SimulationResult {
  // Empty: nothing.
  std::string broken;
  // Of the controller.
  int restarts = 0;
  // How often a side was asked whether it is there.
  int probes = 0;
};

// `next` gives the choices; after `events` of them the world becomes orderly.
SimulationResult SimulateCall(const std::function<uint8_t()>& next, int events);

}  // namespace sluice::call

#endif  // SLUICE_SIGNALING_CALL_CALL_SIMULATION_H_
