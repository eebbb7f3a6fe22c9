// Writes replies of a DNS server, for tests.
#ifndef SLUICE_SIGNALING_DNS_REPLY_WRITER_H_
#define SLUICE_SIGNALING_DNS_REPLY_WRITER_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "signaling/dns/record.h"

namespace sluice::dns {

class ReplyWriter {
 public:
  // A reply to one question; `code` 3: no such name.
  ReplyWriter(uint16_t id, const std::string& name, uint16_t type, uint8_t code = 0)
      : head_(Number16(id) + Number16(static_cast<uint16_t>(0x8180 | code))),
        question_(Name(name) + Number16(type) + Number16(1)) {}

  ReplyWriter& Record(const std::string& owner, uint16_t type, uint32_t lifetime, const std::string& data) {
    ++answers_;
    records_ += Head(owner, type, lifetime) + Number16(static_cast<uint16_t>(data.size())) + data;
    return *this;
  }
  ReplyWriter& Address(const std::string& owner, const std::string& address, uint32_t lifetime = 60) {
    const sip::Endpoint endpoint = *sip::Endpoint::Make(address, 0);
    const size_t size = endpoint.is_v6 ? 16 : 4;
    return Record(owner, endpoint.is_v6 ? 28 : 1, lifetime,
                  std::string(reinterpret_cast<const char*>(endpoint.address.data()), size));
  }
  ReplyWriter& Srv(const std::string& owner, const Service& service, uint32_t lifetime = 60) {
    return Record(
        owner, 33, lifetime,
        Number16(service.priority) + Number16(service.weight) + Number16(service.port) + Name(service.target));
  }
  ReplyWriter& Naptr(const std::string& owner, const ServicePointer& pointer, uint32_t lifetime = 60) {
    return Record(owner, 35, lifetime,
                  Number16(pointer.order) + Number16(pointer.preference) + Text(pointer.flags) + Text(pointer.service) +
                      Text(pointer.regexp) + Name(pointer.replacement));
  }
  ReplyWriter& Alias(const std::string& owner, const std::string& target, uint32_t lifetime = 60) {
    return Record(owner, 5, lifetime, Name(target));
  }
  // What says how long there is nothing.
  ReplyWriter& Nothing(const std::string& zone, uint32_t lifetime, uint32_t minimum) {
    ++authorities_;
    const std::string data =
        Name("ns." + zone) + Name("admin." + zone) + std::string(16, '\0') + Number16(0) + Number16(minimum);
    records_ += Head(zone, 6, lifetime) + Number16(static_cast<uint16_t>(data.size())) + data;
    return *this;
  }

  std::string Bytes() const {
    return head_ + Number16(1) + Number16(answers_) + Number16(authorities_) + Number16(0) + question_ + records_;
  }

  static std::string Number16(uint32_t number) {
    return {static_cast<char>(number >> 8 & 0xff), static_cast<char>(number & 0xff)};
  }
  static std::string Text(const std::string& text) { return std::string(1, static_cast<char>(text.size())) + text; }
  static std::string Name(const std::string& name) {
    std::string bytes;
    for (absl::string_view label : absl::StrSplit(name, '.', absl::SkipEmpty())) {
      absl::StrAppend(&bytes, std::string(1, static_cast<char>(label.size())), label);
    }
    return bytes + '\0';
  }

 private:
  static std::string Head(const std::string& owner, uint16_t type, uint32_t lifetime) {
    return Name(owner) + Number16(type) + Number16(1) + Number16(lifetime >> 16) + Number16(lifetime);
  }

  const std::string head_;
  const std::string question_;
  std::string records_;
  uint16_t answers_ = 0;
  uint16_t authorities_ = 0;
};

}  // namespace sluice::dns

#endif  // SLUICE_SIGNALING_DNS_REPLY_WRITER_H_
