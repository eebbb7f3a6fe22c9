// Any datagram as STUN: answered without a crash, shortly and never with more than a request.
#include <cstddef>
#include <cstdint>

#include "signaling/transport/stun.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view datagram(reinterpret_cast<const char*>(data), size);
  for (const char* source : {"198.18.2.9:43518", "[2001:db8::1]:5060"}) {
    const auto answer = sluice::transport::AnswerStun(datagram, *sluice::sip::Endpoint::Parse(source));
    if (!answer.has_value()) continue;
    if (answer->size() > 100 || !sluice::transport::IsStun(*answer)) __builtin_trap();
    // An answer that was a request could go round between two servers for ever.
    if (sluice::transport::AnswerStun(*answer, {}).has_value()) __builtin_trap();
  }
  return 0;
}
