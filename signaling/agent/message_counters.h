// How many SIP messages a shard has received and sent, by method and status.
//
// A fixed set of counters: a peer that invents methods or status codes cannot make it grow.
//
// Threads: counted on the shard's thread, read from any; relaxed order is enough, since nothing else hangs on the
// figures.
#ifndef SLUICE_SIGNALING_AGENT_MESSAGE_COUNTERS_H_
#define SLUICE_SIGNALING_AGENT_MESSAGE_COUNTERS_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"

namespace sluice::agent {

class MessageCounters {
 public:
  void CountRequest(absl::string_view method);
  // `method` is that of the CSeq.
  void CountResponse(uint32_t status, absl::string_view method);

  // Adds "INVITE", "200 INVITE", "OTHER", …: those that are not 0.
  void AddTo(std::map<std::string, uint64_t>& counts) const;

 private:
  static constexpr size_t kMethods = 15;
  static constexpr uint32_t kMinStatus = 100;
  static constexpr uint32_t kMaxStatus = 699;

  static size_t MethodIndex(absl::string_view method);

  std::array<std::atomic<uint64_t>, kMethods> requests_ = {};
  // By status and method; the last row takes statuses that are none.
  std::array<std::array<std::atomic<uint64_t>, kMethods>, kMaxStatus - kMinStatus + 2> responses_ = {};
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_MESSAGE_COUNTERS_H_
