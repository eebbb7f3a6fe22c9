// What the controller asks of its allocator, tcmalloc. Without it, as under sanitizers, it is glibc's.
//
// Threads: any.
#ifndef SLUICE_SIGNALING_SERVICE_ALLOCATOR_H_
#define SLUICE_SIGNALING_SERVICE_ALLOCATOR_H_

#include <cstddef>

namespace sluice::service {

// Bytes that are allocated and not freed: unlike the resident set, without what was freed and may be used again.
size_t AllocatedBytes();

// How much memory stays free in whole pages for the calls to come: some 4 000 of them.
inline constexpr size_t kReservedBytes = 32 << 20;

// Gives the system a sixteenth of what is free beyond that; to be called once a second. tcmalloc does so only while
// memory is freed, so a peak of calls would keep its pages for as long as nothing happens.
void ReleaseSpareMemory();

}  // namespace sluice::service

#endif  // SLUICE_SIGNALING_SERVICE_ALLOCATOR_H_
