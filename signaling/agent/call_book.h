// The calls of one shard: those that exist and the latest that have ended, by every name that they are looked for:
// their own, that of a dialog, that of a leg.
//
// An ended call loses its machine and its dialogs at once. Its summary and ladder stay for operators until newer ended
// calls need the room; its legs stay as long, so that the ACK of a refusal still finds its ladder.
//
// Every name stands once, with its call; the tables point to it.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_AGENT_CALL_BOOK_H_
#define SLUICE_SIGNALING_AGENT_CALL_BOOK_H_

#include <array>
#include <cstdint>
#include <deque>
#include <forward_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/agent/call_control.h"
#include "signaling/agent/call_limiter.h"
#include "signaling/agent/ladder.h"
#include "signaling/agent/tried_server.h"
#include "signaling/call/call.h"
#include "signaling/routing/trunk.h"
#include "signaling/sip/transaction_layer.h"
#include "signaling/store/call_record.h"
#include "sluice/relay/v1/session_service.pb.h"

namespace sluice::agent {

// What a call needs while it exists.
struct LiveCall {
  static constexpr size_t kTimers = static_cast<size_t>(call::CallTimer::kProbe) + 1;

  // A request that the machine sent.
  struct SentRequest {
    call::RequestNumber number = 0;
    sip::ClientTransactionId transaction = 0;
  };
  // Whom a leg is to reach.
  struct Called {
    std::string number;
    std::string account;
  };
  // How a leg has ended ahead of the call; `time` 0: it has not.
  struct LegEnd {
    // Microseconds since 1970, which take half of what absl::Time does.
    int64_t time = 0;
    uint16_t cause = 0;
    store::EndedBy by = store::EndedBy::kUnknown;
  };
  // Of a callee, or of who has taken the caller's place: also what its record (store::LegRecord) is made of.
  struct Leg {
    std::string sip_call_id;
    std::string peer;
    std::string user_agent = {};
    // Null: whom the caller has called.
    std::unique_ptr<const Called> called;
    // As LegEnd::time.
    int64_t start = 0;
    int64_t ring = 0;
    int64_t answer = 0;
    LegEnd end;
    // The final one of its INVITE; 0: none has come.
    uint16_t status = 0;
    bool is_on_callers_side = false;
    // Something has come for its INVITE.
    bool answered = false;
    // Null: it is to no trunk. Else which of its servers.
    const routing::Trunk* trunk = nullptr;
    TriedServer server = {};
  };

  LiveCall(std::shared_ptr<const call::CallOptions> call_options, call::Names& names)
      : options(std::move(call_options)), machine(*options, names) {
    timers.fill(absl::InfiniteFuture());
  }

  // As they were when the call began.
  const std::shared_ptr<const call::CallOptions> options;
  call::Call machine;
  std::vector<SentRequest> requests;
  // INVITEs of the peers whose ACK or CANCEL may come.
  std::vector<sip::ServerTransactionId> invites;
  std::array<absl::Time, kTimers> timers;
  // By leg number, from 1 on.
  std::vector<Leg> legs;
  // The summary has the rest.
  LegEnd caller_end;
  // The trunk of each leg from 1 on; null, or beyond the end: it is none.
  std::vector<std::shared_ptr<const routing::Trunk>> trunks;
  // Among the calls of the caller's account or trunk, and of the trunk that is asked.
  CallLimiter::Place caller_place;
  CallLimiter::Place trunk_place;
  // Of our INVITEs, to tell one that comes back (LoopGuard).
  uint64_t mark = 0;
  // Of the caller's INVITE, to tell a merged request (RFC 3261 8.2.2.2).
  std::string from_tag;
  uint32_t invite_cseq = 0;
  // Its place among those that are to be kept (CallKeeper); 0: it is not.
  uint64_t waiting = 0;
};

// Whom `leg`, a callee's, is to reach. `machine`: the call's; null: all legs are those of an earlier run.
LiveCall::Called CalledBy(const CallSummary& summary, call::LegNumber number, const LiveCall::Leg& leg,
                          const call::Call* machine);

struct BookedCall {
  // A stream as it was wanted last.
  struct Stream {
    uint32_t id = 0;
    std::string media;
    std::string codec;
  };
  enum class Media : uint8_t {
    // Never asked for.
    kNone,
    kWanted,
    // Given up, and the relay has not said how it was.
    kDeleting,
    kDeleted,
  };

  CallSummary summary;
  Ladder ladder;
  std::vector<Stream> streams;
  // Once it ends: how they were.
  std::vector<store::LegRecord> ended_legs;
  Media media = Media::kNone;
  // The record has been written.
  bool recorded = false;
  // The store has a state of it (CallKeeper).
  bool kept = false;
  // Final; null until the relay has answered, and if it did not.
  std::shared_ptr<const relay::v1::SessionState> statistics;
  // Null: ended.
  std::unique_ptr<LiveCall> live;
  // A name of one of its legs in the book: the Call-ID, and for a dialog our tag.
  struct Name {
    BookedCall* call = nullptr;
    call::LegNumber leg = 0;
    std::string sip_call_id;
    std::string local_tag = {};
  };
  // Addresses are stable.
  std::forward_list<Name> legs;
  std::forward_list<Name> dialogs;
};

class CallBook {
 public:
  struct Found {
    BookedCall* call = nullptr;
    call::LegNumber leg = 0;
  };

  // `kept_calls`: ended ones.
  explicit CallBook(size_t kept_calls) : kept_calls_(kept_calls) {}

  // `summary.call_id` and `summary.start_time` are set and do not change. Valid until it is ended and forgotten.
  BookedCall& Add(CallSummary summary, std::unique_ptr<LiveCall> live);
  // Null if there is none.
  BookedCall* Find(absl::string_view call_id);

  // A leg's Call-ID. A newer call takes it over.
  void AddLeg(BookedCall& call, call::LegNumber leg, const std::string& sip_call_id);
  // Nothing found: `call` is null.
  Found FindLeg(absl::string_view sip_call_id) const;

  void AddDialog(BookedCall& call, call::LegNumber leg, const std::string& sip_call_id, const std::string& local_tag);
  void RemoveDialog(BookedCall& call, const std::string& sip_call_id, const std::string& local_tag);
  Found FindDialog(absl::string_view sip_call_id, absl::string_view local_tag) const;

  // Drops machine and dialogs.
  void End(BookedCall& call);
  // Nothing is awaited for the ended call any more: it may be forgotten from the next Keep on.
  void Keep(BookedCall& call);

  // Calls that exist and are older than `time` and `call_id` (which are one call's), newest first.
  std::vector<const BookedCall*> Page(absl::Time time, absl::string_view call_id, size_t size) const;
  std::vector<BookedCall*> Live() const;

  size_t live_size() const { return by_age_.size(); }
  size_t dialog_size() const { return dialogs_.size(); }

 private:
  // By call_id.
  struct CallId {
    using is_transparent = void;
    static absl::string_view Of(absl::string_view call_id) { return call_id; }
    static absl::string_view Of(const std::unique_ptr<BookedCall>& call) { return call->summary.call_id; }
    template <typename T>
    size_t operator()(const T& call) const {
      return absl::HashOf(Of(call));
    }
    template <typename T, typename U>
    bool operator()(const T& a, const U& b) const {
      return Of(a) == Of(b);
    }
  };
  // By Call-ID and tag.
  struct LegName {
    using is_transparent = void;
    using Key = std::pair<absl::string_view, absl::string_view>;
    static Key Of(const Key& key) { return key; }
    static Key Of(const BookedCall::Name* name) { return {name->sip_call_id, name->local_tag}; }
    template <typename T>
    size_t operator()(const T& name) const {
      return absl::HashOf(Of(name));
    }
    template <typename T, typename U>
    bool operator()(const T& a, const U& b) const {
      return Of(a) == Of(b);
    }
  };
  using Names = absl::flat_hash_set<BookedCall::Name*, LegName, LegName>;
  struct IsOlder {
    using is_transparent = void;
    using Key = std::pair<absl::Time, absl::string_view>;
    static Key Of(const Key& key) { return key; }
    static Key Of(const BookedCall* call) { return {call->summary.start_time, call->summary.call_id}; }
    template <typename T, typename U>
    bool operator()(const T& a, const U& b) const {
      return Of(a) < Of(b);
    }
  };

  static Found FindName(const Names& names, absl::string_view sip_call_id, absl::string_view local_tag);
  // Lists `name`, which the newest call of this name takes over.
  static void List(Names& names, BookedCall::Name& name);
  static void Unlist(Names& names, BookedCall::Name& name);
  void Forget(BookedCall& call);

  const size_t kept_calls_;
  absl::flat_hash_set<std::unique_ptr<BookedCall>, CallId, CallId> calls_;
  absl::btree_set<BookedCall*, IsOlder> by_age_;
  Names legs_;
  Names dialogs_;
  // Ended, the one to be forgotten first in front.
  std::deque<BookedCall*> kept_;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_CALL_BOOK_H_
