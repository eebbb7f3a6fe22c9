#include "signaling/agent/message_counters.h"

#include <iterator>

#include "absl/strings/str_cat.h"

namespace sluice::agent {
namespace {

constexpr absl::string_view kMethodNames[] = {"INVITE",    "ACK",    "BYE",     "CANCEL", "REGISTER",
                                              "OPTIONS",   "PRACK",  "UPDATE",  "INFO",   "MESSAGE",
                                              "SUBSCRIBE", "NOTIFY", "PUBLISH", "REFER",  "OTHER"};

}  // namespace

size_t MessageCounters::MethodIndex(absl::string_view method) {
  static_assert(std::size(kMethodNames) == kMethods);
  for (size_t i = 0; i + 1 < kMethods; ++i) {
    if (kMethodNames[i] == method) return i;
  }
  return kMethods - 1;
}

void MessageCounters::CountRequest(absl::string_view method) {
  requests_[MethodIndex(method)].fetch_add(1, std::memory_order_relaxed);
}

void MessageCounters::CountResponse(uint32_t status, absl::string_view method) {
  const size_t row = status >= kMinStatus && status <= kMaxStatus ? status - kMinStatus : kMaxStatus - kMinStatus + 1;
  responses_[row][MethodIndex(method)].fetch_add(1, std::memory_order_relaxed);
}

void MessageCounters::AddTo(std::map<std::string, uint64_t>& counts) const {
  for (size_t method = 0; method < kMethods; ++method) {
    const uint64_t count = requests_[method].load(std::memory_order_relaxed);
    if (count != 0) counts[std::string(kMethodNames[method])] += count;
  }
  for (size_t row = 0; row < responses_.size(); ++row) {
    for (size_t method = 0; method < kMethods; ++method) {
      const uint64_t count = responses_[row][method].load(std::memory_order_relaxed);
      if (count == 0) continue;
      const uint32_t status = static_cast<uint32_t>(row) + kMinStatus;
      counts[absl::StrCat(status > kMaxStatus ? "OTHER" : absl::StrCat(status), " ", kMethodNames[method])] += count;
    }
  }
}

}  // namespace sluice::agent
