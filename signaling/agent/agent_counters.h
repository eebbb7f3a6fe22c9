// What one shard has counted. Written by the shard's thread only, read by anybody; relaxed order is enough, since
// nothing else hangs on the figures.
#ifndef SLUICE_SIGNALING_AGENT_AGENT_COUNTERS_H_
#define SLUICE_SIGNALING_AGENT_AGENT_COUNTERS_H_

#include <array>
#include <atomic>
#include <cstdint>

#include "signaling/agent/call_control.h"
#include "signaling/agent/message_counters.h"
#include "signaling/sip/transaction_layer.h"

namespace sluice::agent {

class AgentCounters {
 public:
  MessageCounters& received() { return received_; }
  MessageCounters& sent() { return sent_; }

  void CallStarted() {
    Add(calls_started_);
    Add(calls_);
  }
  // One that an earlier run of the controller has begun.
  void CallRestored() {
    Add(calls_restored_);
    Add(calls_);
  }
  void CallAnswered() { Add(calls_answered_); }
  void CallEnded() { calls_.fetch_sub(1, std::memory_order_relaxed); }
  // `status`: 300 to 699.
  void CallRefused(uint32_t status);
  // Takes over what the transaction layer has counted.
  void Publish(const sip::TransactionStatistics& transactions);

  uint64_t calls() const { return calls_.load(std::memory_order_relaxed); }

  // All but start_time.
  void AddTo(SignalingStatistics& statistics) const;

 private:
  static constexpr uint32_t kFirstRefusal = 300;
  static constexpr uint32_t kLastRefusal = 699;

  static void Add(std::atomic<uint64_t>& counter) { counter.fetch_add(1, std::memory_order_relaxed); }

  MessageCounters received_;
  MessageCounters sent_;
  std::atomic<uint64_t> calls_ = 0;
  std::atomic<uint64_t> calls_started_ = 0;
  std::atomic<uint64_t> calls_answered_ = 0;
  std::atomic<uint64_t> calls_restored_ = 0;
  std::array<std::atomic<uint64_t>, kLastRefusal - kFirstRefusal + 1> refused_ = {};
  std::atomic<uint64_t> transactions_ = 0;
  std::atomic<uint64_t> retransmissions_received_ = 0;
  std::atomic<uint64_t> retransmissions_sent_ = 0;
  std::atomic<uint64_t> malformed_ = 0;
  std::atomic<uint64_t> stray_responses_ = 0;
  std::atomic<uint64_t> stray_acks_ = 0;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_AGENT_COUNTERS_H_
