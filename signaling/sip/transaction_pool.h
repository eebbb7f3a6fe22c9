// The transactions of a shard, in places that are used again.
//
// A transaction stays where it is until it is released, so tables and timers point to it. Its id names the place and
// how often the place was taken, so the id of a released transaction finds nothing.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_SIP_TRANSACTION_POOL_H_
#define SLUICE_SIGNALING_SIP_TRANSACTION_POOL_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "signaling/sip/hop.h"
#include "signaling/sip/invite_client.h"
#include "signaling/sip/invite_server.h"
#include "signaling/sip/method.h"
#include "signaling/sip/non_invite_client.h"
#include "signaling/sip/non_invite_server.h"
#include "signaling/sip/timer_wheel.h"

namespace sluice::sip {

using TransactionMachine = std::variant<std::monostate, InviteServer, NonInviteServer, InviteClient, NonInviteClient>;

// One transaction: a state machine and what it needs to do its steps.
struct Transaction : WheelTimer {
  uint64_t id = 0;
  TransactionMachine machine;
  Hop hop;
  Method method = Method::kOther;
  // What the machine sends again: the request, the last response, the ACK of a failure.
  std::string kept;

  // Of servers: under what requests find it, and under what the ACK of its 2xx does.
  std::string key;
  std::string ack_key;

  // Of clients: the number in the branch.
  uint64_t branch = 0;
  // Of clients whose request went by a stream because it is large: the way by UDP, which `kept` is made for.
  std::unique_ptr<Hop> datagram_hop;
  // The CANCEL of an INVITE of ours: no events.
  bool silent = false;
  // Of INVITE clients: a CANCEL ready to be sent, also the pattern of the ACK; empty once neither can be needed.
  std::string cancel;
  bool cancel_wanted = false;
  bool cancel_sent = false;
  // Of INVITE clients in Accepted: one a To tag.
  struct Fork {
    std::string to_tag;
    // What the user acknowledged it with; empty: nothing yet.
    std::string ack;
    Hop hop;
  };
  std::vector<Fork> forks;
};

class TransactionPool {
 public:
  explicit TransactionPool(size_t capacity) : capacity_(capacity) {}

  size_t size() const { return size_; }

  // Null: all of `capacity` are in use.
  Transaction* Take();
  // Null: no such transaction any more.
  Transaction* Find(uint64_t id);
  // Its timer must not be set.
  void Release(Transaction& transaction);

  // An id that no transaction has.
  uint64_t MakeUnusedId() { return (uint64_t{++unused_ids_} << 32) | kNoPlace; }

 private:
  static constexpr uint32_t kNoPlace = 0xffffffff;

  // Emptied by being made anew, so nothing of the last user can be left over.
  struct Place {
    uint32_t uses = 0;
    std::optional<Transaction> transaction;
  };

  const size_t capacity_;
  size_t size_ = 0;
  uint32_t unused_ids_ = 0;
  std::deque<Place> places_;
  std::vector<uint32_t> free_;
};

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_TRANSACTION_POOL_H_
