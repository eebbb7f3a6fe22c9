#include "datapath/flow/memory.h"

#include <sys/mman.h>

namespace sluice::flow {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

size_t RoundUp(size_t bytes) { return (bytes + kHugePage - 1) / kHugePage * kHugePage; }

class Pages final : public Memory {
 public:
  explicit Pages(bool huge_pages) : huge_pages_(huge_pages) {}

  // Lengths are rounded up to huge pages in either case, so that Free needs not know which it was.
  void* Allocate(std::string_view, size_t bytes, size_t) override {
    const size_t length = RoundUp(bytes);
    if (length == 0) return nullptr;
    constexpr int kProtection = PROT_READ | PROT_WRITE;
    constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS;
    void* memory = MAP_FAILED;
    if (huge_pages_) memory = mmap(nullptr, length, kProtection, kFlags | MAP_HUGETLB, -1, 0);
    if (memory == MAP_FAILED) {
      memory = mmap(nullptr, length, kProtection, kFlags | MAP_NORESERVE, -1, 0);
      if (memory == MAP_FAILED) return nullptr;
      // Only a wish: transparent huge pages, where the kernel has them.
      if (huge_pages_) madvise(memory, length, MADV_HUGEPAGE);
    }
    return memory;
  }

  void Free(void* memory, size_t bytes) override { munmap(memory, RoundUp(bytes)); }

 private:
  bool huge_pages_;
};

}  // namespace

Memory& PageMemory(bool huge_pages) {
  static Pages ordinary(false);
  static Pages huge(true);
  return huge_pages ? huge : ordinary;
}

}  // namespace sluice::flow
