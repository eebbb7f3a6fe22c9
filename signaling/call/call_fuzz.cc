// Any bytes as the choices of a simulation: the call keeps its promises (call_simulation.h).

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "signaling/call/call_simulation.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  size_t used = 0;
  const auto next = [&]() -> uint8_t { return used < size ? data[used++] : 0; };
  const std::string broken = sluice::call::SimulateCall(next, static_cast<int>(size / 3)).broken;
  if (broken.empty()) return 0;
  std::fprintf(stderr, "%s\n", broken.c_str());
  std::abort();
}
