// What the four state machines of RFC 3261 17 have in common: the base times, their two deadlines, and the steps that
// they ask of the transaction layer.
//
// The machines are pure: events and the time go in, steps come out. They know neither messages nor the wire.
#ifndef SLUICE_SIGNALING_SIP_TRANSACTION_TIMERS_H_
#define SLUICE_SIGNALING_SIP_TRANSACTION_TIMERS_H_

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"

namespace sluice::sip {

// RFC 3261 17.1.1.1.
struct TransactionTimers {
  absl::Duration t1 = absl::Milliseconds(500);
  absl::Duration t2 = absl::Seconds(4);
  absl::Duration t4 = absl::Seconds(5);
};

// Bits of what is to be done, in this order.
using Steps = uint8_t;
inline constexpr Steps kNoStep = 0;
// Put the kept message on the wire: the request, the last response.
inline constexpr Steps kSendKept = 1;
// A response of 300 and above to INVITE is to be acknowledged.
inline constexpr Steps kSendAck = 2;
// The transaction is over; nothing of it is kept.
inline constexpr Steps kEnd = 4;
// Tell the user of the message that made this step.
inline constexpr Steps kTell = 8;
// Tell the user that what was waited for has not come.
inline constexpr Steps kTellMissing = 16;

// When a machine wants to be called: for the next retransmission and for the end of its state.
struct Deadlines {
  absl::Time retransmit = absl::InfiniteFuture();
  absl::Time end = absl::InfiniteFuture();
  absl::Duration interval;

  absl::Time next() const { return std::min(retransmit, end); }

  void StartRetransmitting(absl::Duration first, absl::Time now) {
    interval = first;
    retransmit = now + first;
  }
  // The next retransmission is twice as far away, at most `limit`.
  void Double(absl::Duration limit, absl::Time now) {
    interval = std::min(interval * 2, limit);
    retransmit = now + interval;
  }
  void StopRetransmitting() { retransmit = absl::InfiniteFuture(); }
};

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_TRANSACTION_TIMERS_H_
