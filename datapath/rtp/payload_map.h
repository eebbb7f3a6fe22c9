// Which RTP payload types a leg negotiated, and what the worker has to know of each: one byte a type.
//
// Few different maps exist in a relay, since most calls negotiate the same codecs; flows share them
// (flow/shared_table.h), so the byte that a packet needs is nearly always in the first cache level.
//
// Clocks. RFC 3550 jitter is measured in units of the payload's clock. Each clock comes with a factor that turns ticks
// of the worker's time counter into its units by one multiplication: units = ticks * factor >> 48.
//
// Threads: built by the control thread, immutable afterwards.

#ifndef SLUICE_DATAPATH_RTP_PAYLOAD_MAP_H_
#define SLUICE_DATAPATH_RTP_PAYLOAD_MAP_H_

#include <array>
#include <cstdint>

namespace sluice::rtp {

enum class PayloadRole : uint8_t {
  kMedia,
  kTelephoneEvent,  // RFC 4733: repeats timestamps, so it is left out of jitter; read for DTMF.
  kComfortNoise     // RFC 3389: sent when it pleases, left out of jitter.
};

class alignas(64) PayloadMap {
 public:
  static constexpr int kMaxClocks = 8;

  // Allows no payload type.
  constexpr PayloadMap() = default;

  // Allows every payload type, with a clock of 8000 Hz.
  static PayloadMap Any(uint64_t ticks_per_second);

  // Allows `number` (0 to 127). False if it would be the ninth different clock rate, or number or clock rate (1 to 2^24
  // Hz) is out of range.
  [[nodiscard]] bool Add(uint8_t number, uint32_t clock_rate, PayloadRole role, uint64_t ticks_per_second);

  bool IsNegotiated(uint8_t number) const { return code_[number] & kNegotiated; }
  bool CountsForJitter(uint8_t number) const { return !(code_[number] & (kEvent | kNoise)); }
  // Negotiated, and neither a telephone event nor comfort noise.
  bool IsMedia(uint8_t number) const { return (code_[number] & (kNegotiated | kEvent | kNoise)) == kNegotiated; }
  bool IsTelephoneEvent(uint8_t number) const { return code_[number] & kEvent; }
  uint32_t ClockRate(uint8_t number) const { return clock_rate_[code_[number] & kClockMask]; }

  // `ticks` in units of the type's clock, modulo 2^32.
  uint32_t ToClock(uint8_t number, uint64_t ticks) const {
    return static_cast<uint32_t>((static_cast<unsigned __int128>(ticks) * factor_[code_[number] & kClockMask]) >> 48);
  }

  friend bool operator==(const PayloadMap&, const PayloadMap&) = default;

  template <typename Hash>
  friend Hash AbslHashValue(Hash hash, const PayloadMap& map) {
    return Hash::combine(std::move(hash), map.code_, map.clock_rate_, map.factor_);
  }

 private:
  static constexpr uint8_t kNegotiated = 0x80;
  static constexpr uint8_t kEvent = 0x40;
  static constexpr uint8_t kNoise = 0x20;
  static constexpr uint8_t kClockMask = 0x07;

  std::array<uint8_t, 128> code_ = {};
  std::array<uint64_t, kMaxClocks> factor_ = {};
  std::array<uint32_t, kMaxClocks> clock_rate_ = {};
};

}  // namespace sluice::rtp

#endif  // SLUICE_DATAPATH_RTP_PAYLOAD_MAP_H_
