// How many requests an address may send from which nobody has shown yet who he is. What comes beyond is to be dropped
// unread, so that a flood costs little more than its way through the kernel.
//
// Known, and without a limit, is an address for an hour after somebody there has shown himself (Trust): by a digest, as
// a trunk, as another controller, or by the secrets of a dialog or of a transaction of ours. So a site with very many
// phones behind one address is limited until the first of them has registered, and never again while they are used. An
// IPv6 source counts with its /64, which is one site's.
//
// Bounded: addresses share 65536 places, by a hash that nobody can guess. Two strangers at one place share the limit,
// and of two known addresses the one that was seen before becomes a stranger until it shows itself again.
//
// Threads: any, without locks but for the report.
#ifndef SLUICE_SIGNALING_TRANSPORT_SOURCE_LIMITER_H_
#define SLUICE_SIGNALING_TRANSPORT_SOURCE_LIMITER_H_

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "absl/strings/string_view.h"
#include "signaling/sip/hop.h"

namespace sluice::transport {

struct SourceLimits {
  // Of an address that is not known; as many at once after a second of silence. 0: no limit.
  uint32_t requests_per_second = 0;
  // Hears, once in 10 s at most, of an address that sends more. On the thread that calls Admit.
  std::function<void(absl::string_view line)> report = [](absl::string_view) {};
};

class SourceLimiter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit SourceLimiter(const SourceLimits& limits);

  // A request has come from there. False: it is one too many.
  bool Admit(const sip::Endpoint& source, Time now);
  // Somebody there has shown who he is.
  void Trust(const sip::Endpoint& source, Time now);

 private:
  static constexpr size_t kPlaces = 65536;

  struct Places {
    // When the next request of strangers is due, ns of the clock.
    std::array<std::atomic<int64_t>, kPlaces> due = {};
    // Who is known, a hash in the upper half, and since when, seconds of the clock, in the lower.
    std::array<std::atomic<uint64_t>, kPlaces> known = {};
  };

  // Of the address, under the secret.
  uint64_t HashOf(const sip::Endpoint& source) const;
  void Report(const sip::Endpoint& source, Time now);

  const SourceLimits limits_;
  const uint64_t secret_;
  // Null: no limit.
  const std::unique_ptr<Places> places_;
  std::atomic<int64_t> next_report_ = 0;
};

}  // namespace sluice::transport

#endif  // SLUICE_SIGNALING_TRANSPORT_SOURCE_LIMITER_H_
