#include "signaling/dns/reply.h"

#include <ares.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace sluice::dns {
namespace {

constexpr uint16_t kCname = 5;
constexpr uint16_t kSoa = 6;
constexpr uint16_t kInternet = 1;
constexpr uint8_t kNoError = 0;
constexpr uint8_t kNameError = 3;
// Where a server does not say how long there is nothing.
constexpr absl::Duration kNothingLifetime = absl::Seconds(30);
// Nobody has more targets than this in earnest.
constexpr size_t kMaxRecords = 64;

// Reads from the front; once something is missing, all that follows is 0 and `ok` is false.
class Reader {
 public:
  explicit Reader(absl::string_view reply) : reply_(reply) {}

  bool ok() const { return ok_; }
  size_t offset() const { return offset_; }

  void Skip(size_t count) { Has(count) ? void(offset_ += count) : Fail(); }
  void Seek(size_t offset) { offset <= reply_.size() ? void(offset_ = offset) : Fail(); }

  uint16_t Read16() {
    if (!Has(2)) return Fail(), 0;
    const auto* const bytes = Bytes();
    offset_ += 2;
    return static_cast<uint16_t>(bytes[0] << 8 | bytes[1]);
  }

  uint32_t Read32() {
    const uint32_t high = Read16();
    return high << 16 | Read16();
  }

  template <size_t kSize>
  void ReadInto(uint8_t* to) {
    if (!Has(kSize)) return Fail();
    std::memcpy(to, Bytes(), kSize);
    offset_ += kSize;
  }

  // A <character-string> (RFC 1035 3.3).
  std::string ReadText() {
    if (!Has(1)) return Fail(), "";
    const size_t size = *Bytes();
    if (!Has(1 + size)) return Fail(), "";
    std::string text(reply_.substr(offset_ + 1, size));
    offset_ += 1 + size;
    return text;
  }

  // Lower case, without the dot at its end. It may be written in part elsewhere in the reply (RFC 1035 4.1.4).
  std::string ReadName() {
    char* text = nullptr;
    long size = 0;
    const auto* const begin = reinterpret_cast<const unsigned char*>(reply_.data());
    if (!ok_ || offset_ >= reply_.size() ||
        ares_expand_name(Bytes(), begin, static_cast<int>(reply_.size()), &text, &size) != ARES_SUCCESS) {
      return Fail(), "";
    }
    std::string name = absl::AsciiStrToLower(text);
    ares_free_string(text);
    offset_ += static_cast<size_t>(size);
    return name;
  }

 private:
  bool Has(size_t count) const { return ok_ && reply_.size() - offset_ >= count; }
  const unsigned char* Bytes() const { return reinterpret_cast<const unsigned char*>(reply_.data()) + offset_; }
  void Fail() { ok_ = false; }

  const absl::string_view reply_;
  size_t offset_ = 0;
  bool ok_ = true;
};

// One record's head; its data begins where the reader stands.
struct Head {
  std::string owner;
  uint16_t type = 0;
  absl::Duration lifetime;
  size_t end = 0;
};

Head ReadHead(Reader& reader) {
  Head head;
  head.owner = reader.ReadName();
  head.type = reader.Read16();
  // Another class than the internet's is a record that nobody here asked for.
  if (reader.Read16() != kInternet) head.type = 0;
  // RFC 2181 8: the topmost bit makes it 0.
  const uint32_t seconds = reader.Read32();
  head.lifetime = absl::Seconds(seconds > INT32_MAX ? 0 : seconds);
  const uint16_t length = reader.Read16();
  head.end = reader.offset() + length;
  return head;
}

void ReadRecord(Reader& reader, RecordType type, Records& records) {
  switch (type) {
    case RecordType::kA: {
      sip::Endpoint address;
      reader.ReadInto<4>(address.address.data());
      records.addresses.push_back(address);
      return;
    }
    case RecordType::kAaaa: {
      sip::Endpoint address;
      address.is_v6 = true;
      reader.ReadInto<16>(address.address.data());
      records.addresses.push_back(address);
      return;
    }
    case RecordType::kSrv: {
      Service service;
      service.priority = reader.Read16();
      service.weight = reader.Read16();
      service.port = reader.Read16();
      service.target = reader.ReadName();
      records.services.push_back(std::move(service));
      return;
    }
    case RecordType::kNaptr: {
      ServicePointer pointer;
      pointer.order = reader.Read16();
      pointer.preference = reader.Read16();
      pointer.flags = reader.ReadText();
      pointer.service = reader.ReadText();
      pointer.regexp = reader.ReadText();
      pointer.replacement = reader.ReadName();
      records.pointers.push_back(std::move(pointer));
      return;
    }
  }
}

}  // namespace

absl::StatusOr<Records> ReadReply(absl::string_view reply, RecordType type) {
  Reader reader(reply);
  reader.Skip(2);
  const uint8_t code = reader.Read16() & 0xf;
  const uint16_t questions = reader.Read16();
  const uint16_t answers = reader.Read16();
  const uint16_t authorities = reader.Read16();
  reader.Skip(2);
  std::string name = reader.ReadName();
  reader.Skip(4);
  if (!reader.ok() || questions != 1) return absl::InvalidArgumentError("a DNS reply without its question");
  if (code != kNoError && code != kNameError) return absl::UnavailableError(absl::StrCat("DNS error ", code));

  Records records;
  absl::Duration lifetime = absl::InfiniteDuration();
  for (int i = 0; i < answers && reader.ok(); ++i) {
    const Head head = ReadHead(reader);
    if (head.owner == name && head.type == kCname) {
      name = reader.ReadName();
      lifetime = std::min(lifetime, head.lifetime);
    } else if (head.owner == name && head.type == static_cast<uint16_t>(type)) {
      ReadRecord(reader, type, records);
      lifetime = std::min(lifetime, head.lifetime);
      if (records.size() >= kMaxRecords) break;
    }
    reader.Seek(head.end);
  }
  if (records.empty()) {
    lifetime = kNothingLifetime;
    for (int i = 0; i < authorities && reader.ok(); ++i) {
      const Head head = ReadHead(reader);
      if (head.type == kSoa) {
        reader.ReadName();
        reader.ReadName();
        // Serial, refresh, retry and expire are between servers; the last counts (RFC 2308 5).
        reader.Skip(16);
        lifetime = std::min(head.lifetime, absl::Seconds(reader.Read32()));
      }
      reader.Seek(head.end);
    }
  }
  if (!reader.ok()) return absl::InvalidArgumentError("a DNS reply that ends too early");
  records.lifetime = lifetime;
  return records;
}

}  // namespace sluice::dns
