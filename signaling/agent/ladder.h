// The SIP messages of one call in the order in which they happened, for people who want to see what went on.
//
// Small, because every standing call has one: first lines are kept, whole messages are in the shard's TraceRing as long
// as that has room for them. A message that is byte for byte one that went the same way before is marked as a
// retransmission. Of a call with very many messages the first and the last ones are kept.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_AGENT_LADDER_H_
#define SLUICE_SIGNALING_AGENT_LADDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/agent/call_control.h"
#include "signaling/agent/trace_ring.h"
#include "signaling/sip/hop.h"

namespace sluice::agent {

class Ladder {
 public:
  static constexpr size_t kMaxMessages = 128;

  void Add(TraceRing& ring, absl::Time time, LadderPeer peer, bool received, const sip::Hop& hop,
           absl::string_view message);

  // The messages of `earlier` before those of this one.
  void Prepend(Ladder earlier);

  std::vector<LadderEntry> Entries(const TraceRing& ring, bool include_messages) const;
  bool empty() const { return messages_.empty(); }

 private:
  struct Message {
    // Nanoseconds since 1970.
    int64_t time;
    uint64_t position;
    uint32_t size;
    // Of the whole message, to find retransmissions.
    uint32_t hash;
    // Where in first_lines_, and how long.
    uint16_t first_line;
    uint16_t first_line_size;
    // Index into hops_.
    uint8_t hop;
    LadderPeer peer;
    bool received;
    bool retransmission;
  };
  static_assert(sizeof(Message) == 32);
  struct PeerHop {
    sip::Protocol protocol;
    sip::Endpoint remote;
    bool operator==(const PeerHop&) const = default;
  };

  uint8_t HopIndex(const PeerHop& hop);
  absl::string_view FirstLineOf(const Message& message) const {
    return absl::string_view(first_lines_.data() + message.first_line, message.first_line_size);
  }
  void Append(Message message, absl::string_view first_line);
  // Takes out the message in the middle, of too many.
  void EraseMiddle();

  // These grow by little at a time: a call soon has the messages that it then stands with.
  std::vector<Message> messages_;
  // Of all messages, one behind the other: a string for each would take three times the room.
  std::vector<char> first_lines_;
  // A call has few: mostly one a leg.
  std::vector<PeerHop> hops_;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_LADDER_H_
