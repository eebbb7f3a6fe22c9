#include "signaling/service/allocator.h"

#include <gperftools/malloc_extension_c.h>
#include <malloc.h>

// The program is linked with tcmalloc; tests, which have sanitizers, are not.
#pragma weak MallocExtension_GetNumericProperty
#pragma weak MallocExtension_ReleaseToSystem

namespace sluice::service {
namespace {

constexpr size_t kReleasedPart = 16;

// Whether it is tcmalloc that has the property.
bool Read(const char* property, size_t& value) {
  return MallocExtension_GetNumericProperty != nullptr && MallocExtension_GetNumericProperty(property, &value) != 0;
}

}  // namespace

size_t AllocatedBytes() {
  size_t bytes = 0;
  if (Read("generic.current_allocated_bytes", bytes)) return bytes;
  const struct mallinfo2 memory = mallinfo2();
  return memory.uordblks + memory.hblkhd;
}

void ReleaseSpareMemory() {
  size_t spare = 0;
  if (!Read("tcmalloc.pageheap_free_bytes", spare) || spare <= kReservedBytes) return;
  MallocExtension_ReleaseToSystem((spare - kReservedBytes) / kReleasedPart);
}

}  // namespace sluice::service
