#include "signaling/agent/ladder.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/hash/hash.h"
#include "signaling/transport/sockaddr.h"

namespace sluice::agent {
namespace {

constexpr size_t kMaxFirstLine = 256;
// Of two ladders that are joined.
static_assert(2 * Ladder::kMaxMessages * kMaxFirstLine <= 65536);

// Room for `more` beyond what is needed now, instead of as much again as there is.
template <typename T>
void Reserve(std::vector<T>& vector, size_t needed, size_t more) {
  if (needed > vector.capacity()) vector.reserve(needed + more);
}

absl::string_view FirstLine(absl::string_view message) {
  message = message.substr(0, kMaxFirstLine);
  const auto end = std::find_if(message.begin(), message.end(), [](char c) { return c == '\r' || c == '\n'; });
  return message.substr(0, static_cast<size_t>(end - message.begin()));
}

}  // namespace

void Ladder::Add(TraceRing& ring, absl::Time time, LadderPeer peer, bool received, const sip::Hop& hop,
                 absl::string_view message) {
  const auto size = static_cast<uint32_t>(message.size());
  const auto hash = static_cast<uint32_t>(absl::HashOf(message));
  const bool retransmission = std::any_of(messages_.begin(), messages_.end(), [&](const Message& earlier) {
    return earlier.hash == hash && earlier.size == size && earlier.received == received && earlier.peer == peer;
  });
  if (messages_.size() >= kMaxMessages) EraseMiddle();
  Append({.time = absl::ToUnixNanos(time),
          .position = ring.Append(message),
          .size = size,
          .hash = hash,
          .first_line = 0,
          .first_line_size = 0,
          .hop = HopIndex({hop.protocol, hop.remote}),
          .peer = peer,
          .received = received,
          .retransmission = retransmission},
         FirstLine(message));
}

void Ladder::Append(Message message, absl::string_view first_line) {
  message.first_line = static_cast<uint16_t>(first_lines_.size());
  message.first_line_size = static_cast<uint16_t>(first_line.size());
  Reserve(first_lines_, first_lines_.size() + first_line.size(), kMaxFirstLine / 4);
  first_lines_.insert(first_lines_.end(), first_line.begin(), first_line.end());
  Reserve(messages_, messages_.size() + 1, 3);
  messages_.push_back(message);
}

void Ladder::EraseMiddle() {
  const auto middle = messages_.begin() + kMaxMessages / 2;
  const Message erased = *middle;
  const auto line = first_lines_.begin() + erased.first_line;
  first_lines_.erase(line, line + erased.first_line_size);
  messages_.erase(middle);
  for (Message& message : messages_) {
    if (message.first_line > erased.first_line) message.first_line -= erased.first_line_size;
  }
}

void Ladder::Prepend(Ladder earlier) {
  for (Message message : messages_) {
    message.hop = earlier.HopIndex(hops_[message.hop]);
    earlier.Append(message, FirstLineOf(message));
  }
  *this = std::move(earlier);
  while (messages_.size() > kMaxMessages) EraseMiddle();
}

std::vector<LadderEntry> Ladder::Entries(const TraceRing& ring, bool include_messages) const {
  std::vector<LadderEntry> entries;
  entries.reserve(messages_.size());
  for (const Message& message : messages_) {
    const PeerHop& hop = hops_[message.hop];
    entries.push_back({.time = absl::FromUnixNanos(message.time),
                       .peer = message.peer,
                       .received = message.received,
                       .retransmission = message.retransmission,
                       .first_line = std::string(FirstLineOf(message)),
                       .peer_endpoint = hop.remote.ToString(),
                       .transport = transport::TransportName(hop.protocol),
                       .message = include_messages ? ring.Read(message.position, message.size) : ""});
  }
  return entries;
}

uint8_t Ladder::HopIndex(const PeerHop& hop) {
  const auto found = std::find(hops_.begin(), hops_.end(), hop);
  if (found != hops_.end()) return static_cast<uint8_t>(found - hops_.begin());
  // A call whose peer moves about without end shows its latest places under the last index.
  if (hops_.size() > kMaxMessages) {
    hops_.back() = hop;
  } else {
    hops_.push_back(hop);
  }
  return static_cast<uint8_t>(hops_.size() - 1);
}

}  // namespace sluice::agent
