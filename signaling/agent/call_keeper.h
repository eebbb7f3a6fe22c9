// Gives the state of answered calls to the store, so that they outlive the controller.
//
// How it works. A call that may have changed is kept a second later: by then many have changed once more, or are over,
// and those cost nothing. One in which something is under way at that moment (a request, say) is looked at again a
// second later; what was kept of it before stays meanwhile. The end of a call that was kept is told to the store behind
// its record, so that after a crash in between it has its record and is not restored.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_AGENT_CALL_KEEPER_H_
#define SLUICE_SIGNALING_AGENT_CALL_KEEPER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "signaling/agent/call_book.h"
#include "signaling/store/store.h"
#include "signaling/transport/network.h"
#include "sluice/state/v1/standing_call.pb.h"

namespace sluice::agent {

// Where a relay behind a static NAT receives: the address that peers are told, and its own.
using TranslatedAddresses = std::vector<std::pair<std::string, std::string>>;

class CallKeeper {
 public:
  // Both outlive the keeper. `keeps` false: nothing is kept.
  CallKeeper(store::Store& store, transport::Network& network, bool keeps)
      : store_(store), network_(network), keeps_(keeps) {}

  bool keeps() const { return keeps_; }

  // `call` has been answered, and may have changed.
  void Note(BookedCall& call, absl::Time now) {
    if (keeps_ && call.live->waiting == 0) Wait(call, now);
  }
  // `call` goes on from an earlier run, as the store knows it.
  void NoteRestored(BookedCall& call);
  // `call` begins to end; the store is not told yet.
  void Drop(BookedCall& call);
  // The record of `call` has been written.
  void Forget(const BookedCall& call);

  // Keeps what is due.
  void Advance(absl::Time now);
  absl::Time NextDeadline() const { return waiting_.empty() ? absl::InfiniteFuture() : waiting_.front().due; }
  // Keeps all that waits and can be kept, because the controller is about to stop.
  void KeepAll(absl::Time now);

  // The store has a state of the call, and the call goes on.
  bool IsKept(const BookedCall& call) const { return call.kept && call.summary.state == CallState::kAnswered; }
  size_t kept_calls() const { return kept_calls_; }

  void NoteAddresses(const std::string& relay, const TranslatedAddresses& addresses);
  // The relay's own address for the one that peers are told.
  const std::string& OwnAddress(const std::string& relay, const std::string& told) const;

 private:
  struct Waiting {
    absl::Time due;
    // Null: it has ended.
    BookedCall* call = nullptr;
  };

  void Wait(BookedCall& call, absl::Time now);
  // Takes the first one off the list and keeps it, or puts it back.
  void KeepFirst(absl::Time now);
  bool Keep(BookedCall& call);
  // What the state says by numbers and addresses that mean something in this run only.
  void Explain(state::v1::StandingCall& state) const;

  store::Store& store_;
  transport::Network& network_;
  const bool keeps_;
  // In order. LiveCall::waiting is the place of a call: that of the first one is taken_ + 1.
  std::deque<Waiting> waiting_;
  uint64_t taken_ = 0;
  size_t kept_calls_ = 0;
  // By relay and the address that peers are told; empty where no relay is behind a NAT.
  absl::flat_hash_map<std::pair<std::string, std::string>, std::string> own_addresses_;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_CALL_KEEPER_H_
