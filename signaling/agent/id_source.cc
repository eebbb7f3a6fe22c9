#include "signaling/agent/id_source.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "signaling/transport/shard_of.h"

namespace sluice::agent {
namespace {

constexpr size_t kIdBytes = 16;
constexpr size_t kTagDigits = 16;
constexpr size_t kRunDigits = 4;
constexpr absl::string_view kHexDigits = "0123456789abcdef";

}  // namespace

void SystemRandom(absl::Span<uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t size = getrandom(bytes.data(), bytes.size(), 0);
    // Interrupted by a signal is the only way to fail; without randomness nothing safe can be done.
    if (size < 0 && errno != EINTR) std::abort();
    if (size > 0) bytes.remove_prefix(static_cast<size_t>(size));
  }
}

IdSource::IdSource(size_t shard, size_t shards, RandomFunction random)
    : shard_(shard), shards_(shards), random_(std::move(random)), used_(stock_.size()) {}

void IdSource::Take(absl::Span<uint8_t> bytes) {
  if (stock_.size() - used_ < bytes.size()) {
    random_(absl::MakeSpan(stock_));
    used_ = 0;
  }
  const auto from = stock_.begin() + static_cast<ptrdiff_t>(used_);
  std::copy(from, from + static_cast<ptrdiff_t>(bytes.size()), bytes.begin());
  used_ += bytes.size();
}

std::string IdSource::NewCallId() {
  // One try in as many as there are shards falls on this one.
  while (true) {
    std::string id = NewHex(2 * kIdBytes);
    if (IsOwn(id)) return id;
  }
}

bool IdSource::IsOwn(absl::string_view sip_call_id) const { return transport::ShardOf(sip_call_id, shards_) == shard_; }

std::string IdSource::NewCallName(absl::Time now) {
  const std::string second = absl::StrCat(absl::Hex(static_cast<uint32_t>(absl::ToUnixSeconds(now)), absl::kZeroPad8));
  while (true) {
    std::string name = absl::StrCat(second, NewHex(2 * kIdBytes - second.size()));
    if (IsOwn(name)) return name;
  }
}

std::string IdSource::NewHex(size_t digits) {
  std::array<uint8_t, kIdBytes> bytes;
  Take(absl::MakeSpan(bytes));
  std::string hex =
      absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  hex.resize(std::min(digits, hex.size()));
  return hex;
}

std::string IdSource::NewDialogTag(uint16_t run) {
  std::string tag = NewHex(kTagDigits);
  if (run == 0) return tag;
  for (size_t i = kRunDigits; i-- > 0; run >>= 4) tag[i] = kHexDigits[run & 0xf];
  return tag;
}

uint16_t IdSource::RunOf(absl::string_view dialog_tag) {
  if (dialog_tag.size() != kTagDigits) return 0;
  uint16_t run = 0;
  for (const char c : dialog_tag.substr(0, kRunDigits)) {
    const size_t digit = kHexDigits.find(c);
    if (digit == absl::string_view::npos) return 0;
    run = static_cast<uint16_t>(run << 4 | digit);
  }
  return run;
}

uint64_t IdSource::NewNumber() {
  std::array<uint8_t, 8> bytes;
  Take(absl::MakeSpan(bytes));
  uint64_t number = 0;
  for (const uint8_t byte : bytes) number = number << 8 | byte;
  return number;
}

}  // namespace sluice::agent
