// The cluster, and the state that its controllers share, in Redis.
//
// How it works. One thread does all: it renews the lease of this run, looks who else is there, takes over the calls of
// those that are gone, writes what has changed of standing calls and exchanges bindings (BindingExchange), all that has
// come within `gather` at one go.
//
// Who is gone. A run whose lease has run out, once this run has held its own without a gap for longer than others need
// to come back: if Redis itself was away, all leases have run out and nobody is gone. A run of this controller's own
// name is taken over at the start, also before its lease has run out if it had the same home: two processes cannot have
// that at once. One that lives at another home is another controller of the same name, which is refused.
//
// Redis away, or without what it had: nothing is taken over, calls go on, and with the next connection everything is
// made known and written once more. Redis is told of everything by scripts that refuse a run whose calls somebody else
// has taken over, so a controller that wakes up late changes nothing any more.
//
// Threads: any.
#ifndef SLUICE_SIGNALING_CLUSTER_REDIS_CLUSTER_H_
#define SLUICE_SIGNALING_CLUSTER_REDIS_CLUSTER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "signaling/cluster/binding_exchange.h"
#include "signaling/cluster/call_shelf.h"
#include "signaling/cluster/cluster.h"
#include "signaling/cluster/redis_connection.h"
#include "signaling/cluster/roster.h"
#include "signaling/store/shared_state.h"
#include "signaling/store/store.h"

namespace sluice::cluster {

struct RedisClusterOptions {
  RedisOptions redis;
  // Of this controller, as in GoneRun.
  std::string name;
  // What no other process can have at the same time: see HomeOf.
  std::string home;
  // Where others reach its SIP.
  Whereabouts whereabouts;
  // Threads that handle SIP; the same for all controllers of a cluster.
  uint32_t shards = 1;
  // How long a run is believed to live after it has last said so, and how often it does.
  absl::Duration lease = absl::Seconds(3);
  absl::Duration beat = absl::Milliseconds(500);
  // How much longer than a lease others may need, once Redis was away, until they have told it again that they live:
  // they have to notice that their connection is broken and to make another one.
  absl::Duration return_time = absl::Seconds(1);
  // What comes within this time is written together.
  absl::Duration gather = absl::Milliseconds(100);
  // After a failure.
  absl::Duration retry = absl::Milliseconds(500);
  // Told of takeovers, and when Redis is away and there again, one line each. From any thread.
  std::function<void(absl::string_view line)> report = [](absl::string_view) {};
};

// For a controller whose store is in `file`, which no other process of this machine can use while this one runs
// (StoreClaim).
std::string HomeOf(const std::string& file);

struct ClusterStatistics {
  bool is_connected = false;
  // That live, this one among them.
  uint64_t controllers = 0;
  // Runs, and calls of theirs, that this one has taken over.
  uint64_t takeovers = 0;
  uint64_t calls_taken_over = 0;
  // Of connections and of what was to be done by them; it is done again.
  uint64_t failures = 0;
  // Accounts whose bindings wait to be told to the others.
  uint64_t bindings_waiting = 0;
  // Why the last one failed; empty while all is well.
  std::string last_error;
};

class RedisCluster final : public Cluster, public store::SharedState {
 public:
  explicit RedisCluster(RedisClusterOptions options);
  ~RedisCluster() override;

  // Joins the cluster, waiting until an earlier run of the same name is gone, and exchanges bindings with `store` until
  // Stop. FAILED_PRECONDITION: a controller of that name lives elsewhere, or Redis refuses what we ask. Where it cannot
  // be reached, the run joins as soon as it can.
  absl::Status Start(store::Store& store) ABSL_LOCKS_EXCLUDED(mutex_);
  // Ends the thread at once; gives nothing up: that is Leave.
  void Stop();

  RunNumber run() const override { return run_.load(std::memory_order_relaxed); }
  Whereabouts whereabouts() const override { return options_.whereabouts; }
  std::optional<Whereabouts> Find(RunNumber run) const override;
  bool Knows(RunNumber run) const override;
  bool IsMember(const sip::Endpoint& address) const override;
  void SetListener(Listener* listener) override ABSL_LOCKS_EXCLUDED(listener_mutex_);

  void KeepCall(absl::string_view call_id, std::string state) override ABSL_LOCKS_EXCLUDED(mutex_);
  void ForgetCall(absl::string_view call_id) override ABSL_LOCKS_EXCLUDED(mutex_);
  void NoteBindings(absl::string_view account) override { bindings_.Note(account); }
  store::SharedState::Statistics StateStatistics() const override ABSL_LOCKS_EXCLUDED(mutex_);

  // Writes what waits and gives the calls up to whoever takes them first. False: that was not done within `limit`, and
  // they are taken over once the lease has run out.
  bool Leave(absl::Duration limit) ABSL_LOCKS_EXCLUDED(mutex_);

  ClusterStatistics Statistics() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits for it as long as that.
  bool StopComes(absl::Duration limit) const;
  // All that there is to do now. FAILED_PRECONDITION: Redis refuses something.
  absl::Status Serve() ABSL_LOCKS_EXCLUDED(mutex_, listener_mutex_);
  absl::Status Connect();
  absl::Status Join();
  absl::Status Beat();
  absl::Status TakeOver();
  absl::Status Deliver() ABSL_LOCKS_EXCLUDED(mutex_, listener_mutex_);
  absl::Status Deliver(RunNumber run) ABSL_LOCKS_EXCLUDED(mutex_, listener_mutex_);
  absl::StatusOr<std::vector<store::StandingCall>> ReadCalls(RunNumber run);
  // Those of `calls` of which the store has no record.
  std::vector<store::StandingCall> ForgetRecorded(std::vector<store::StandingCall> calls) ABSL_LOCKS_EXCLUDED(mutex_);
  // Removes what Redis has in the name of this run without having been told so.
  absl::Status DropStrays();
  absl::Status WriteCalls();
  absl::Status ExchangeBindings();
  absl::Status GiveUp();
  void Note(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);

  // The script's answer, {"ok", …}. ABORTED: the run was ousted, and that is known from now on. DATA_LOSS: Redis does
  // not know the run.
  absl::StatusOr<Reply> RunScript(const std::string& script, const std::vector<absl::string_view>& arguments);
  void ReadRoster(const ReplyView& answer) ABSL_LOCKS_EXCLUDED(mutex_);
  void TellOfSuccessor() ABSL_LOCKS_EXCLUDED(listener_mutex_);
  bool HasListener() ABSL_LOCKS_EXCLUDED(listener_mutex_);
  std::shared_ptr<const Roster> roster() const ABSL_LOCKS_EXCLUDED(mutex_);

  const RedisClusterOptions options_;
  // Of this start.
  const std::string token_;
  // Becomes readable when the thread is to stop.
  const int stop_;
  std::atomic<RunNumber> run_ = 0;
  BindingExchange bindings_;

  // What scripts are told of this run; never changes after Start.
  std::vector<std::string> introduction_;

  // The thread's, after Start.
  store::Store* store_ = nullptr;
  std::unique_ptr<RedisConnection> connection_;
  // By SteadyNow, as the next.
  absl::Duration next_beat_ = -absl::InfiniteDuration();
  // Since when nothing stands against taking over those that are silent.
  absl::Duration takes_from_ = absl::InfiniteDuration();
  // Runs whose calls the listener has got, and those that it is told of also if they have none.
  std::map<RunNumber, GoneRun> delivered_;
  std::set<RunNumber> just_taken_;
  bool may_have_strays_ = false;
  // Who has taken over the calls of this run, and whether the listener knows.
  std::optional<std::string> successor_;
  bool told_of_successor_ = false;
  bool warned_of_shards_ = false;

  mutable absl::Mutex mutex_;
  CallShelf shelf_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const Roster> roster_ ABSL_GUARDED_BY(mutex_);
  ClusterStatistics statistics_ ABSL_GUARDED_BY(mutex_);
  bool leaving_ ABSL_GUARDED_BY(mutex_) = false;
  bool left_ ABSL_GUARDED_BY(mutex_) = false;

  // Held while the listener is called.
  absl::Mutex listener_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  Listener* listener_ ABSL_GUARDED_BY(listener_mutex_) = nullptr;

  std::thread thread_;
};

}  // namespace sluice::cluster

#endif  // SLUICE_SIGNALING_CLUSTER_REDIS_CLUSTER_H_
