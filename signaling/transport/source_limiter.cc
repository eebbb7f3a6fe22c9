#include "signaling/transport/source_limiter.h"

#include <algorithm>
#include <random>
#include <string>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"

namespace sluice::transport {
namespace {

using std::chrono::duration_cast;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr int64_t kSecond = 1'000'000'000;
constexpr uint32_t kKnownFor = 3600;
constexpr size_t kBytesOfV6Site = 8;

int64_t NanosecondsOf(SourceLimiter::Time time) { return duration_cast<nanoseconds>(time.time_since_epoch()).count(); }
// From 1 on: 0 is a place that nobody has.
uint32_t SecondsOf(SourceLimiter::Time time) {
  return static_cast<uint32_t>(duration_cast<seconds>(time.time_since_epoch()).count()) + 1;
}

uint64_t NewSecret() {
  std::random_device random;
  return uint64_t{random()} << 32 | random();
}

}  // namespace

SourceLimiter::SourceLimiter(const SourceLimits& limits)
    : limits_(limits),
      secret_(NewSecret()),
      places_(limits.requests_per_second == 0 ? nullptr : std::make_unique<Places>()) {}

uint64_t SourceLimiter::HashOf(const sip::Endpoint& source) const {
  const size_t size = source.is_v6 ? kBytesOfV6Site : 4;
  return absl::HashOf(secret_, absl::string_view(reinterpret_cast<const char*>(source.address.data()), size));
}

bool SourceLimiter::Admit(const sip::Endpoint& source, Time now) {
  if (places_ == nullptr) return true;
  const uint64_t hash = HashOf(source);
  const uint64_t known = places_->known[hash % kPlaces].load(std::memory_order_relaxed);
  if (known >> 32 == hash >> 32 && SecondsOf(now) - static_cast<uint32_t>(known) < kKnownFor) return true;

  // Each request moves the time at which the next one is due; as long as that is less than a second away, there is
  // room. Two threads that move it at once may lose one of the moves, which does no harm.
  std::atomic<int64_t>& due = places_->due[hash % kPlaces];
  const int64_t at = NanosecondsOf(now);
  const int64_t next = std::max(due.load(std::memory_order_relaxed), at) + kSecond / limits_.requests_per_second;
  if (next - at <= kSecond) {
    due.store(next, std::memory_order_relaxed);
    return true;
  }
  Report(source, now);
  return false;
}

void SourceLimiter::Trust(const sip::Endpoint& source, Time now) {
  if (places_ == nullptr) return;
  const uint64_t hash = HashOf(source);
  std::atomic<uint64_t>& place = places_->known[hash % kPlaces];
  const uint64_t known = (hash >> 32 << 32) | SecondsOf(now);
  // A line of memory that is not written does not move between cores.
  if (place.load(std::memory_order_relaxed) != known) place.store(known, std::memory_order_relaxed);
}

void SourceLimiter::Report(const sip::Endpoint& source, Time now) {
  const int64_t at = NanosecondsOf(now);
  int64_t next = next_report_.load(std::memory_order_relaxed);
  if (at < next || !next_report_.compare_exchange_strong(next, at + 10 * kSecond)) return;
  limits_.report(absl::StrCat("sip: ", source.Address(), " sends more than ", limits_.requests_per_second,
                              " requests a second and has not shown who it is; what is too much is dropped "
                              "(abuse.requests_per_second)"));
}

}  // namespace sluice::transport
