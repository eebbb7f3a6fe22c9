// Quiescent-state-based reclamation: when may something that workers read be reused?
//
// How it works. A worker reports once a poll iteration that it holds no reference (Quiescent): it copies the global
// token to a place of its own. The control thread unpublishes something, starts a grace period (a higher token), and
// may reuse it once every online worker has shown that token or a higher one. A worker that sleeps or stops goes
// offline and is not waited for.
//
// Memory order. Quiescent loads the token with acquire: what was unpublished before the token rose is not found by
// later look-ups. It stores its own place with release: its earlier reads are over when the control thread sees the
// value. Online has to be sequentially consistent: either the control thread sees the worker online, or the worker sees
// the risen token and repeats.
//
// Threads: Online, Offline and Quiescent from the worker's own thread. All else from one control thread at a time.

#ifndef SLUICE_DATAPATH_FLOW_QSBR_H_
#define SLUICE_DATAPATH_FLOW_QSBR_H_

#include <array>
#include <atomic>
#include <cstdint>

namespace sluice::flow {

class Qsbr {
 public:
  static constexpr unsigned kMaxWorkers = 128;
  using Token = uint64_t;

  // Worker `worker` (below kMaxWorkers) may hold references from now on.
  void Online(unsigned worker) {
    std::atomic<Token>& place = places_[worker].seen;
    Token token = token_.load(std::memory_order_seq_cst);
    while (true) {
      place.exchange(token, std::memory_order_seq_cst);
      const Token again = token_.load(std::memory_order_seq_cst);
      if (again == token) return;
      token = again;
    }
  }

  // Worker `worker` holds no reference and looks nothing up until it is online again.
  void Offline(unsigned worker) { places_[worker].seen.store(kOffline, std::memory_order_release); }

  // Worker `worker`, which is online, holds no reference at this moment.
  void Quiescent(unsigned worker) {
    const Token token = token_.load(std::memory_order_acquire);
    places_[worker].seen.store(token, std::memory_order_release);
  }

  // Call after unpublishing. The grace period is over when HasPassed(token).
  Token StartGracePeriod() { return token_.fetch_add(1, std::memory_order_seq_cst) + 1; }

  bool HasPassed(Token token) const {
    for (const Place& place : places_) {
      const Token seen = place.seen.load(std::memory_order_seq_cst);
      if (seen != kOffline && seen < token) return false;
    }
    return true;
  }

 private:
  static constexpr Token kOffline = 0;

  struct alignas(64) Place {
    std::atomic<Token> seen{kOffline};
  };

  alignas(64) std::atomic<Token> token_{1};
  std::array<Place, kMaxWorkers> places_;
};

}  // namespace sluice::flow

#endif  // SLUICE_DATAPATH_FLOW_QSBR_H_
