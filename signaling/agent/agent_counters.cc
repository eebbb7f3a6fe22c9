#include "signaling/agent/agent_counters.h"

#include <algorithm>

namespace sluice::agent {
namespace {

uint64_t Read(const std::atomic<uint64_t>& counter) { return counter.load(std::memory_order_relaxed); }

}  // namespace

void AgentCounters::CallRefused(uint32_t status) {
  Add(refused_[std::clamp(status, kFirstRefusal, kLastRefusal) - kFirstRefusal]);
}

void AgentCounters::Publish(const sip::TransactionStatistics& transactions) {
  transactions_.store(transactions.transactions, std::memory_order_relaxed);
  retransmissions_received_.store(transactions.retransmissions_received, std::memory_order_relaxed);
  retransmissions_sent_.store(transactions.retransmissions_sent, std::memory_order_relaxed);
  malformed_.store(transactions.malformed, std::memory_order_relaxed);
  stray_responses_.store(transactions.stray_responses, std::memory_order_relaxed);
  stray_acks_.store(transactions.stray_acks, std::memory_order_relaxed);
}

void AgentCounters::AddTo(SignalingStatistics& statistics) const {
  statistics.calls += Read(calls_);
  statistics.transactions += Read(transactions_);
  statistics.calls_started += Read(calls_started_);
  statistics.calls_answered += Read(calls_answered_);
  statistics.calls_restored += Read(calls_restored_);
  received_.AddTo(statistics.received_messages);
  sent_.AddTo(statistics.sent_messages);
  statistics.retransmissions_received += Read(retransmissions_received_);
  statistics.retransmissions_sent += Read(retransmissions_sent_);
  statistics.dropped_messages["malformed"] += Read(malformed_);
  statistics.dropped_messages["stray_response"] += Read(stray_responses_);
  statistics.dropped_messages["stray_ack"] += Read(stray_acks_);
  for (uint32_t status = kFirstRefusal; status <= kLastRefusal; ++status) {
    const uint64_t count = Read(refused_[status - kFirstRefusal]);
    if (count != 0) statistics.refused_calls[status] += count;
  }
}

}  // namespace sluice::agent
