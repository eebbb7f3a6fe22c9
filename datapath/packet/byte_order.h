// Integers in network byte order.
//
// A BigEndian<T> is the bytes as they are on the wire, with alignment 1, so header structs need no packing and may lie
// at any address. It does not convert implicitly in either direction: what is host order and what is network order is
// visible at each use.
//
// Threads: values.

#ifndef SLUICE_DATAPATH_PACKET_BYTE_ORDER_H_
#define SLUICE_DATAPATH_PACKET_BYTE_ORDER_H_

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace sluice::packet {

static_assert(std::endian::native == std::endian::little, "the raw accessors assume a little-endian host");

// Reverses the bytes of `value`.
template <typename T>
constexpr T SwapBytes(T value) {
  static_assert(std::is_unsigned_v<T>);
  if constexpr (sizeof(T) == 2) return __builtin_bswap16(value);
  if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
  if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
  return value;
}

template <typename T>
class BigEndian {
 public:
  constexpr BigEndian() = default;
  explicit constexpr BigEndian(T host) { FromRawInPlace(SwapBytes(host)); }

  // Takes bytes that are in network order already, for example of a sockaddr.
  static constexpr BigEndian FromRaw(T raw) {
    BigEndian result;
    result.FromRawInPlace(raw);
    return result;
  }

  constexpr T ToHost() const { return SwapBytes(raw()); }

  // The bytes as this host loads them: for comparison and for checksums, which do not mind the order.
  constexpr T raw() const { return std::bit_cast<T>(bytes_); }

  friend constexpr bool operator==(const BigEndian& a, const BigEndian& b) { return a.raw() == b.raw(); }

 private:
  struct Bytes {
    uint8_t byte[sizeof(T)];
  };
  constexpr void FromRawInPlace(T raw) { bytes_ = std::bit_cast<Bytes>(raw); }

  Bytes bytes_ = {};
};

// A field of a packet where it lies. Of a whole header that is copied to look at some of it, gcc keeps the copy.
template <typename T>
T Load(const uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

using BigEndian16 = BigEndian<uint16_t>;
using BigEndian32 = BigEndian<uint32_t>;

static_assert(sizeof(BigEndian32) == 4 && alignof(BigEndian32) == 1);

}  // namespace sluice::packet

#endif  // SLUICE_DATAPATH_PACKET_BYTE_ORDER_H_
