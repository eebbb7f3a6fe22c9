#include "datapath/rtp/dtmf_recognizer.h"

namespace sluice::rtp {
namespace {

constexpr char kDigits[] = "0123456789*#ABCD!";
constexpr uint8_t kEvents = sizeof(kDigits) - 1;

enum Phase : uint8_t { kIdle, kInEvent, kReported };

}  // namespace

DtmfDigit DtmfRecognizer::OnPacket(uint32_t packet_timestamp, const uint8_t* payload, size_t size) {
  // RFC 4733 2.3: event, E bit, R bit, volume, duration.
  if (size < 4 || payload[0] >= kEvents) return {};
  const uint8_t packet_event = payload[0];
  const bool is_end = payload[1] & 0x80;
  const uint16_t packet_duration = static_cast<uint16_t>(payload[2] << 8 | payload[3]);
  DtmfDigit digit;
  const bool is_same = phase != kIdle && packet_timestamp == timestamp && packet_event == event;
  if (!is_same) {
    // A late packet of an event before this one is nothing new.
    if (phase != kIdle && static_cast<int32_t>(packet_timestamp - timestamp) < 0) return {};
    if (phase == kInEvent) digit = {kDigits[event], duration};
    timestamp = packet_timestamp;
    event = packet_event;
    duration = packet_duration;
    phase = kInEvent;
    // Two digits at once (all ends of the one before and all but the end of this one were lost): this one follows with
    // its next end packet.
    if (digit.digit != 0) return digit;
  }
  if (packet_duration > duration) duration = packet_duration;
  if (is_end && phase == kInEvent) {
    phase = kReported;
    digit = {kDigits[event], duration};
  }
  return digit;
}

}  // namespace sluice::rtp
