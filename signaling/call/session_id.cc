#include "signaling/call/session_id.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "signaling/sip/parameters.h"
#include "signaling/sip/text.h"

namespace sluice::call {
namespace {

constexpr size_t kHalf = 16;

std::string Text(const SessionUuid& uuid) {
  return absl::StrCat(absl::Hex(uuid.high, absl::kZeroPad16), absl::Hex(uuid.low, absl::kZeroPad16));
}

}  // namespace

SessionUuid SessionUuid::OfRandom(uint64_t high, uint64_t low) {
  return {(high & ~uint64_t{0xf000}) | 0x4000, (low & ~(uint64_t{3} << 62)) | uint64_t{1} << 63};
}

std::optional<SessionUuid> SessionUuid::Parse(absl::string_view text) {
  SessionUuid uuid;
  if (text.size() != 2 * kHalf || !sip::IsAll(text, sip::kHexCharacter) ||
      !absl::SimpleHexAtoi(text.substr(0, kHalf), &uuid.high) || !absl::SimpleHexAtoi(text.substr(kHalf), &uuid.low)) {
    return std::nullopt;
  }
  return uuid;
}

std::optional<SessionId> SessionId::Parse(absl::string_view value) {
  const size_t end = value.find(';');
  const std::optional<SessionUuid> local = SessionUuid::Parse(sip::Trim(value.substr(0, end)));
  if (!local) return std::nullopt;
  SessionId id = {*local, std::nullopt};
  const absl::string_view parameters = end == absl::string_view::npos ? absl::string_view() : value.substr(end);
  if (const auto remote = sip::FindParameter(parameters, "remote")) id.remote = SessionUuid::Parse(*remote);
  return id;
}

std::string SessionId::ToString() const {
  std::string text = Text(local);
  if (remote) absl::StrAppend(&text, ";remote=", Text(*remote));
  return text;
}

}  // namespace sluice::call
