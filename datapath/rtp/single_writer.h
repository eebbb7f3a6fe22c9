// Numbers that one thread writes and others read.
//
// Every access is relaxed, so reads and writes compile to plain moves; a reader sees some recent value and never a torn
// one. Add is a load and a store, not a read-modify-write: with two writers counts would be lost, hence the name.
// SharedCounter is for the rare ones with several writers.

#ifndef SLUICE_DATAPATH_RTP_SINGLE_WRITER_H_
#define SLUICE_DATAPATH_RTP_SINGLE_WRITER_H_

#include <atomic>

namespace sluice::rtp {

template <typename T>
class SingleWriter {
 public:
  T Load() const { return value_.load(std::memory_order_relaxed); }
  void Store(T value) { value_.store(value, std::memory_order_relaxed); }
  [[gnu::always_inline]] void Add(T amount) { Store(static_cast<T>(Load() + amount)); }

 private:
  std::atomic<T> value_{};
};

// A counter that several workers may increment: of packets that belong to nobody's stream, which RSS may bring to any
// worker.
template <typename T>
class SharedCounter {
 public:
  T Load() const { return value_.load(std::memory_order_relaxed); }
  void Reset() { value_.store(0, std::memory_order_relaxed); }
  void Increment() { value_.fetch_add(1, std::memory_order_relaxed); }

 private:
  std::atomic<T> value_{};
};

}  // namespace sluice::rtp

#endif  // SLUICE_DATAPATH_RTP_SINGLE_WRITER_H_
