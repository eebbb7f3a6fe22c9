#include "datapath/session/session.h"

#include "absl/strings/match.h"

namespace sluice::session {
namespace {

// RFC 3551 table 4 and 5: what the fixed numbers mean where nothing was negotiated.
std::string_view StaticEncodingOf(uint8_t number) {
  switch (number) {
    case 0:
      return "PCMU";
    case 3:
      return "GSM";
    case 4:
      return "G723";
    case 8:
      return "PCMA";
    case 9:
      return "G722";
    case 18:
      return "G729";
    default:
      return "";
  }
}

}  // namespace

std::string_view CodecSet::EncodingOf(uint8_t number) const {
  if (types.empty()) return StaticEncodingOf(number);
  for (const PayloadType& type : types) {
    if (type.number == number) return type.encoding.empty() ? StaticEncodingOf(number) : type.encoding;
  }
  return "";
}

CodecSet MakeCodecSet(const std::vector<PayloadType>& types, uint64_t ticks_per_second) {
  CodecSet set;
  set.types = types;
  if (types.empty()) {
    set.map = rtp::PayloadMap::Any(ticks_per_second);
    return set;
  }
  for (const PayloadType& type : types) {
    auto role = rtp::PayloadRole::kMedia;
    if (absl::EqualsIgnoreCase(type.encoding, "telephone-event")) {
      role = rtp::PayloadRole::kTelephoneEvent;
      set.event_clock_rate = type.clock_rate;
    } else if (absl::EqualsIgnoreCase(type.encoding, "CN")) {
      role = rtp::PayloadRole::kComfortNoise;
    }
    // Check(SessionSpec) has seen that it fits.
    const bool added = set.map.Add(type.number, type.clock_rate, role, ticks_per_second);
    static_cast<void>(added);
  }
  return set;
}

}  // namespace sluice::session
