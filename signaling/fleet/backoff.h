// How long to wait before the next try: 100 ms at first, longer by a half each time, at most 1 s, each a tenth up or
// down at random so that the controllers of a relay do not all come back at once. Pure: randomness is passed in.
#ifndef SLUICE_SIGNALING_FLEET_BACKOFF_H_
#define SLUICE_SIGNALING_FLEET_BACKOFF_H_

#include "absl/time/time.h"

namespace sluice::fleet {

class Backoff {
 public:
  static constexpr absl::Duration kFirst = absl::Milliseconds(100);
  static constexpr absl::Duration kLongest = absl::Seconds(1);

  // `random` is in [0, 1).
  absl::Duration Next(double random);
  // After a success: begins anew.
  void Reset() { next_ = kFirst; }
  // Nothing has failed since the last success.
  bool fresh() const { return next_ == kFirst; }

 private:
  absl::Duration next_ = kFirst;
};

}  // namespace sluice::fleet

#endif  // SLUICE_SIGNALING_FLEET_BACKOFF_H_
