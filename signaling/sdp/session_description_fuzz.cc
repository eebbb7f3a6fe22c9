// Any bytes as an SDP body: what is read is written back as it came, and an anchored one can be read again and names
// the relay everywhere.

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "signaling/sdp/session_description.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::sdp;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  absl::StatusOr<SessionDescription> description = SessionDescription::Parse(text);
  if (!description.ok()) return 0;
  if (description->ToString() != text) std::abort();

  const size_t count = description->media().size();
  std::vector<std::optional<RelayAddress>> relay(count);
  for (size_t i = 0; i < count; ++i) {
    if (i % 3 != 2) relay[i] = RelayAddress{i % 2 == 1, i % 2 == 1 ? "2001:db8::99" : "198.18.0.99", 20000, 20003};
  }
  std::vector<bool> on_hold;
  for (const Media& media : description->media()) {
    on_hold.push_back(media.connection && media.connection->IsUnspecified());
  }
  description->Anchor(relay);
  description->SetOrigin({"-", 1, 2, false, "198.18.0.99"});
  const absl::StatusOr<SessionDescription> again =
      SessionDescription::Parse(description->ToString(), {.bytes = 100000, .lines = 1000});
  if (!again.ok() || again->media().size() != count) std::abort();
  for (size_t i = 0; i < count; ++i) {
    const Media& media = again->media()[i];
    if (media.port != (relay[i] ? relay[i]->port : 0)) std::abort();
    if (relay[i] && !on_hold[i] && media.connection->address != relay[i]->address) std::abort();
  }
  return 0;
}
