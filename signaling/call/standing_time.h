// Times of sluice.state.v1: nanoseconds since 1970; 0: infinitely far away.
#ifndef SLUICE_SIGNALING_CALL_STANDING_TIME_H_
#define SLUICE_SIGNALING_CALL_STANDING_TIME_H_

#include <cstdint>

#include "absl/time/time.h"

namespace sluice::call {

inline int64_t NanosOf(absl::Time time) {
  const bool is_never = time == absl::InfiniteFuture() || time == absl::InfinitePast();
  return is_never ? 0 : absl::ToUnixNanos(time);
}

// `never`: what 0 stands for.
inline absl::Time TimeOf(int64_t nanos, absl::Time never) { return nanos == 0 ? never : absl::FromUnixNanos(nanos); }

}  // namespace sluice::call

#endif  // SLUICE_SIGNALING_CALL_STANDING_TIME_H_
