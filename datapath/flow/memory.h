// Where tables take their memory from.
//
// The default maps pages from the kernel, huge ones if there are; the relay gives one that takes from DPDK's heap.
// Memory is zeroed and never moves.
//
// Threads: the control thread.

#ifndef SLUICE_DATAPATH_FLOW_MEMORY_H_
#define SLUICE_DATAPATH_FLOW_MEMORY_H_

#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace sluice::flow {

class Memory {
 public:
  virtual ~Memory() = default;

  // Zeroed memory, aligned to `alignment` (a power of two up to 4096). Null if there is none. `name` is for people.
  virtual void* Allocate(std::string_view name, size_t bytes, size_t alignment) = 0;
  // Gives back what Allocate answered, with the same size.
  virtual void Free(void* memory, size_t bytes) = 0;
};

// Pages from the kernel: of 2 MiB if `huge_pages` and reserved ones are left, ordinary ones otherwise. Lives for the
// whole process.
Memory& PageMemory(bool huge_pages);

// A fixed-size array of T in a Memory. Empty if there was no memory. A T of all zero bytes is a valid one: nothing is
// constructed, so pages that are never used are never touched.
template <typename T>
class MemoryArray {
  static_assert(std::is_trivially_destructible_v<T>);

 public:
  MemoryArray() = default;
  MemoryArray(Memory& memory, std::string_view name, size_t size)
      : memory_(&memory),
        data_(static_cast<T*>(memory.Allocate(name, size * sizeof(T), alignof(T)))),
        size_(data_ != nullptr ? size : 0) {}
  MemoryArray(MemoryArray&& other) noexcept { *this = static_cast<MemoryArray&&>(other); }
  MemoryArray& operator=(MemoryArray&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~MemoryArray() {
    if (data_ != nullptr) memory_->Free(data_, size_ * sizeof(T));
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }
  T& operator[](size_t index) { return data_[index]; }
  const T& operator[](size_t index) const { return data_[index]; }

 private:
  Memory* memory_ = nullptr;
  T* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace sluice::flow

#endif  // SLUICE_DATAPATH_FLOW_MEMORY_H_
