#include "signaling/sip/header_name.h"

#include <array>
#include <cstddef>
#include <iterator>

#include "absl/strings/match.h"

namespace sluice::sip {
namespace {

enum Shape : uint8_t { kOne, kMany, kFields };

struct Known {
  absl::string_view name;
  char compact;
  // One value only; a list; several fields whose commas do not separate values.
  Shape shape;
};

constexpr Known kKnown[] = {
    {"", 0, kFields},
    {"Accept", 0, kMany},
    {"Accept-Encoding", 0, kMany},
    {"Accept-Language", 0, kMany},
    {"Alert-Info", 0, kMany},
    {"Allow", 0, kMany},
    {"Allow-Events", 'u', kMany},
    {"Authentication-Info", 0, kFields},
    {"Authorization", 0, kFields},
    {"Call-ID", 'i', kOne},
    {"Call-Info", 0, kMany},
    {"Contact", 'm', kMany},
    {"Content-Disposition", 0, kOne},
    {"Content-Encoding", 'e', kMany},
    {"Content-Language", 0, kMany},
    {"Content-Length", 'l', kOne},
    {"Content-Type", 'c', kOne},
    {"CSeq", 0, kOne},
    {"Date", 0, kOne},
    {"Diversion", 0, kMany},
    {"Error-Info", 0, kMany},
    {"Event", 'o', kOne},
    {"Expires", 0, kOne},
    {"From", 'f', kOne},
    {"History-Info", 0, kMany},
    {"Identity", 'y', kFields},
    {"In-Reply-To", 0, kMany},
    {"Max-Breadth", 0, kOne},
    {"Max-Forwards", 0, kOne},
    {"MIME-Version", 0, kOne},
    {"Min-Expires", 0, kOne},
    {"Min-SE", 0, kOne},
    {"Organization", 0, kOne},
    {"P-Asserted-Identity", 0, kMany},
    {"P-Preferred-Identity", 0, kMany},
    {"Path", 0, kMany},
    {"Priority", 0, kOne},
    {"Privacy", 0, kFields},
    {"Proxy-Authenticate", 0, kFields},
    {"Proxy-Authorization", 0, kFields},
    {"Proxy-Require", 0, kMany},
    {"RAck", 0, kOne},
    {"Reason", 0, kMany},
    {"Record-Route", 0, kMany},
    {"Refer-To", 'r', kOne},
    {"Referred-By", 'b', kOne},
    {"Remote-Party-ID", 0, kMany},
    {"Replaces", 0, kOne},
    {"Reply-To", 0, kOne},
    {"Require", 0, kMany},
    {"Retry-After", 0, kOne},
    {"Route", 0, kMany},
    {"RSeq", 0, kOne},
    {"Server", 0, kFields},
    {"Service-Route", 0, kMany},
    {"Session-Expires", 'x', kOne},
    {"Session-ID", 0, kOne},
    {"Subject", 's', kOne},
    {"Subscription-State", 0, kOne},
    {"Supported", 'k', kMany},
    {"Timestamp", 0, kOne},
    {"To", 't', kOne},
    {"Unsupported", 0, kMany},
    {"User-Agent", 0, kFields},
    {"Via", 'v', kMany},
    {"Warning", 0, kMany},
    {"WWW-Authenticate", 0, kFields},
};
static_assert(std::size(kKnown) == static_cast<size_t>(Header::kCount));

constexpr char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// Length, first, middle and last letter tell the known names apart well enough for a table of 256 with short chains.
constexpr size_t HashOf(absl::string_view name) {
  return (name.size() * 31 + static_cast<unsigned char>(Lower(name[0])) * 7 +
          static_cast<unsigned char>(Lower(name[name.size() / 2])) * 3 +
          static_cast<unsigned char>(Lower(name[name.size() - 1])) * 17) &
         255;
}

struct Index {
  std::array<uint8_t, 256> by_hash = {};
  std::array<uint8_t, std::size(kKnown)> next = {};
  std::array<uint8_t, 128> by_letter = {};
};

constexpr Index MakeIndex() {
  Index index;
  for (size_t i = 1; i < std::size(kKnown); ++i) {
    const size_t hash = HashOf(kKnown[i].name);
    index.next[i] = index.by_hash[hash];
    index.by_hash[hash] = static_cast<uint8_t>(i);
    if (kKnown[i].compact != 0) index.by_letter[static_cast<size_t>(kKnown[i].compact)] = static_cast<uint8_t>(i);
  }
  return index;
}

constexpr Index kIndex = MakeIndex();

}  // namespace

absl::string_view HeaderName(Header header) { return kKnown[static_cast<size_t>(header)].name; }

Header ParseHeaderName(absl::string_view name) {
  if (name.empty()) return Header::kOther;
  if (name.size() == 1) {
    const unsigned char letter = static_cast<unsigned char>(Lower(name[0]));
    return letter < 128 ? static_cast<Header>(kIndex.by_letter[letter]) : Header::kOther;
  }
  for (size_t i = kIndex.by_hash[HashOf(name)]; i != 0; i = kIndex.next[i]) {
    if (absl::EqualsIgnoreCase(kKnown[i].name, name)) return static_cast<Header>(i);
  }
  return Header::kOther;
}

bool IsList(Header header) { return kKnown[static_cast<size_t>(header)].shape == kMany; }
bool IsSingle(Header header) { return kKnown[static_cast<size_t>(header)].shape == kOne; }

}  // namespace sluice::sip
