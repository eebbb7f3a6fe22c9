// What a standing session costs in memory, all of it: what this room allocates and what its flows take of their pools.

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <new>
#include <string>

#include "absl/strings/str_cat.h"
#include "datapath/session/session_test_bed.h"

namespace {

std::atomic<int64_t> allocated{0};

void Free(void* memory) {
  allocated -= static_cast<int64_t>(malloc_usable_size(memory));
  std::free(memory);
}

}  // namespace

// Every allocation of the process is counted with what the allocator really took for it.
void* operator new(size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  allocated += static_cast<int64_t>(malloc_usable_size(memory));
  return memory;
}
void operator delete(void* memory) noexcept { Free(memory); }
void operator delete(void* memory, size_t) noexcept { Free(memory); }

namespace sluice::session {
namespace {

// Entry 64, state 64, detail 192, slot 8 (flow/flow_state.h).
constexpr int64_t kBytesAFlow = 64 + sizeof(flow::FlowState) + sizeof(flow::FlowDetail) + 8;
// What malloc keeps beside each block is not in its usable size.
constexpr int64_t kBlocksASession = 5;
constexpr int64_t kBlockHeader = 8;

class SessionMemory : public SessionTest {
 protected:
  SessionMemory() {
    flow_options_.max_flows = 65536;
    options_.networks[0].first_port = options_.networks[1].first_port = 1024;
    options_.networks[0].last_port = options_.networks[1].last_port = 65535;
    // Its ring is the same for any number of sessions.
    options_.kept_events = 1;
  }
};

TEST_F(SessionMemory, ASessionOfOneStreamWithFourFlowsFitsIn2KiB) {
  constexpr int kSessions = 10000;
  ASSERT_TRUE(Create(TestSpec("warm-up")).ok());
  const int64_t before = allocated;
  for (int i = 0; i < kSessions; ++i) {
    SessionSpec spec = TestSpec(absl::StrCat("8f14e45f-ceea-467f-a8b3-", 100000000000 + i));
    spec.label = absl::StrCat("b5bb9d8014a0f9b1d61e", 100000 + i, "@198.18.1.2");
    ASSERT_TRUE(Create(spec).ok());
  }
  const int64_t model = (allocated - before) / kSessions + kBlocksASession * kBlockHeader;
  const int64_t all = model + 4 * kBytesAFlow;
  std::cout << "a session: " << model << " bytes in the model, " << 4 * kBytesAFlow << " in four flows, " << all
            << " in all\n";
  EXPECT_GT(model, 200);
  EXPECT_LE(all, 2048);
}

}  // namespace
}  // namespace sluice::session
