// Any bytes as the reply of a DNS server: read without a crash.
#include <cstddef>
#include <cstdint>

#include "signaling/dns/reply.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view reply(reinterpret_cast<const char*>(data), size);
  using sluice::dns::RecordType;
  for (const auto type : {RecordType::kA, RecordType::kAaaa, RecordType::kSrv, RecordType::kNaptr}) {
    const auto records = sluice::dns::ReadReply(reply, type);
    if (records.ok() && records->lifetime < absl::ZeroDuration()) __builtin_trap();
  }
  return 0;
}
