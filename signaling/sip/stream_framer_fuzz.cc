// Any stream: the messages that come out do not depend on where it was broken.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "signaling/sip/stream_framer.h"

using sluice::sip::StreamFramer;

namespace {

std::vector<std::string> Cut(absl::string_view stream, size_t piece) {
  StreamFramer framer(4096);
  std::vector<std::string> items;
  while (true) {
    const StreamFramer::Item item = framer.Next();
    if (item.kind == StreamFramer::Item::kMessage) items.emplace_back(item.bytes);
    if (item.kind == StreamFramer::Item::kPing) items.emplace_back("ping");
    if (item.kind == StreamFramer::Item::kError || (item.kind == StreamFramer::Item::kMore && stream.empty())) {
      return items;
    }
    if (item.kind != StreamFramer::Item::kMore) continue;
    framer.Append(stream.substr(0, piece));
    stream.remove_prefix(std::min(piece, stream.size()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view stream(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string> whole = Cut(stream, 4096);
  if (Cut(stream, 1) != whole || Cut(stream, 7) != whole) std::abort();
  return 0;
}
