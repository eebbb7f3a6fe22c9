// Who sends a stream: the source address and port that the source policy has taken, and the SSRC.
//
// Threads: written by the one worker that receives the stream. While nobody is taken, packets of several sources may
// arrive at several workers (RSS spreads sources); the worker that takes a source claims the lock word by
// compare-and-swap first, so there is one winner. Others read.

#ifndef SLUICE_DATAPATH_RTP_STREAM_IDENTITY_H_
#define SLUICE_DATAPATH_RTP_STREAM_IDENTITY_H_

#include <atomic>
#include <cstdint>

#include "datapath/packet/endpoint.h"
#include "datapath/packet/ip_address.h"
#include "datapath/rtp/single_writer.h"

namespace sluice::rtp {

enum class LockState : uint8_t {
  kOpen,     // Nobody has been taken.
  kClaimed,  // A worker is writing the source that it took: an instant.
  kLocked
};

struct StreamIdentity {
  // The lock word: port, generation and state. A lock counts only if its generation is that of the flow entry: so
  // control opens a lock again by publishing an entry with another generation, without writing here.
  static constexpr uint32_t LockWord(uint16_t port, uint8_t generation, LockState state) {
    return port | static_cast<uint32_t>(generation) << 16 | static_cast<uint32_t>(state) << 24;
  }

  // Whether the stream is locked to just this source. One comparison of the word and one of the address.
  bool IsLockedTo(const packet::IpAddress& address, uint16_t port, uint8_t generation) const {
    // Acquire: the address was written before the word.
    return lock.load(std::memory_order_acquire) == LockWord(port, generation, LockState::kLocked) &&
           address_high.Load() == address.raw_high() && address_low.Load() == address.raw_low();
  }

  bool IsLocked(uint8_t generation) const {
    return (lock.load(std::memory_order_acquire) >> 16) == (LockWord(0, generation, LockState::kLocked) >> 16);
  }

  // The locked source; port 0 if nobody is locked in any generation. Exact unless a new lock is being taken at this
  // instant.
  packet::Endpoint source() const {
    const uint32_t word = lock.load(std::memory_order_acquire);
    if (word >> 24 != static_cast<uint32_t>(LockState::kLocked)) return {};
    return {packet::IpAddress::FromRaw(address_high.Load(), address_low.Load()), static_cast<uint16_t>(word)};
  }

  // Before the flow is published only.
  void Reset() {
    address_high.Store(0);
    address_low.Store(0);
    lock.store(0, std::memory_order_relaxed);
    ssrc.Store(0);
  }

  SingleWriter<uint64_t> address_high;
  SingleWriter<uint64_t> address_low;
  std::atomic<uint32_t> lock{0};
  SingleWriter<uint32_t> ssrc;  // As last received from the locked source.
};

static_assert(sizeof(StreamIdentity) == 24);

}  // namespace sluice::rtp

#endif  // SLUICE_DATAPATH_RTP_STREAM_IDENTITY_H_
