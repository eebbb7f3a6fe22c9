// DTMF digits in a stream of RFC 4733 telephone events.
//
// How it works. All packets of one event carry the timestamp of its beginning; the last is sent three times with the E
// bit (RFC 4733 2.5.1.4). A digit is reported once: at its first packet with the E bit, or, if all of those were lost,
// when a packet of the next event arrives.
//
// Threads: the one worker that receives the stream.

#ifndef SLUICE_DATAPATH_RTP_DTMF_RECOGNIZER_H_
#define SLUICE_DATAPATH_RTP_DTMF_RECOGNIZER_H_

#include <cstddef>
#include <cstdint>

namespace sluice::rtp {

struct DtmfDigit {
  // '0' to '9', '*', '#', 'A' to 'D', or '!' for flash (event 16). 0: none.
  char digit = 0;
  // In units of the event's RTP clock, as last heard.
  uint16_t duration = 0;
};

// 8 bytes of state in the flow.
struct DtmfRecognizer {
  // Takes the payload of a telephone-event packet; answers a digit when one is complete. Payloads shorter than 4 bytes
  // and other events are ignored.
  DtmfDigit OnPacket(uint32_t timestamp, const uint8_t* payload, size_t size);

  void Reset() { *this = {}; }

  uint32_t timestamp = 0;
  uint16_t duration = 0;
  uint8_t event = 0;
  uint8_t phase = 0;  // kIdle, kInEvent, kReported.
};
static_assert(sizeof(DtmfRecognizer) == 8);

}  // namespace sluice::rtp

#endif  // SLUICE_DATAPATH_RTP_DTMF_RECOGNIZER_H_
