// What the fleet does, on its loop: creations, updates, deletes, and the reconciliation of each relay with the book.
//
// Threads: the loop, except for the constructor, IndexOf, Infos and SetListener.
#ifndef SLUICE_SIGNALING_FLEET_FLEET_CORE_H_
#define SLUICE_SIGNALING_FLEET_FLEET_CORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "signaling/fleet/fleet.h"
#include "signaling/fleet/grpc_fleet.h"
#include "signaling/fleet/owed_answers.h"
#include "signaling/fleet/relay_calls.h"
#include "signaling/fleet/relay_member.h"
#include "signaling/fleet/session_book.h"
#include "signaling/fleet/work_loop.h"

namespace sluice::fleet {

class FleetCore final : public RelayMember::Owner {
 public:
  FleetCore(const FleetOptions& options, CallHome home);

  void Start();
  // Answers everything CANCELLED and ends all connections.
  void Stop();

  void Create(relay::v1::Session session, Fleet::PlacedCallback done);
  void Update(relay::v1::Session session, Fleet::StateCallback done);
  void Delete(const std::string& session_id, Fleet::StateCallback done);
  void Adopt(size_t relay, const relay::v1::Session& session, const relay::v1::SessionState& state);
  void Fence(const std::string& writer, uint64_t epoch);
  void Get(const std::string& session_id, Fleet::StateCallback done);

  // In the order of the options; nothing: there is no relay of that name.
  std::optional<size_t> IndexOf(const std::string& relay) const;
  std::vector<RelayInfo> Infos() const;
  void SetListener(FleetListener* listener) ABSL_LOCKS_EXCLUDED(listener_mutex_);

 private:
  // A session that no relay has made yet.
  struct Creation {
    relay::v1::Session session;
    Fleet::PlacedCallback done;
    WorkLoop::TimerId deadline;
    WorkLoop::TimerId attempt_timer;
    // Asked, and not given up.
    std::optional<size_t> asked;
    // Which of the questions the answer has to belong to.
    uint64_t attempt = 0;
    std::vector<bool> tried;
    // Asked before, lost, and perhaps made there.
    std::vector<size_t> unsure;
    // Why the latest relay refused.
    absl::Status refusal;
  };
  // The relay did not refuse: it, or the way to it, failed.
  static bool IsLost(const absl::Status& status) { return absl::IsUnavailable(status); }
  using StateOr = absl::StatusOr<relay::v1::SessionState>;

  void OnReady(size_t relay, bool restarted, std::vector<relay::v1::SessionState> held) override;
  void OnHealth(size_t relay) override;
  void OnEvent(size_t relay, const relay::v1::Event& event) override;
  void Tell(size_t relay, const relay::v1::Event& event) ABSL_LOCKS_EXCLUDED(listener_mutex_);

  // Asks the best relay that was not tried yet; waits for one that is being connected; else ends the creation.
  void Place(const std::string& session_id);
  std::vector<Candidate> Candidates(const Creation& creation) const;
  absl::Status NoRelay(const Creation& creation) const;
  void OnAttemptAnswered(const std::string& session_id, size_t relay, uint64_t attempt, StateOr state);
  void OnAttemptLate(const std::string& session_id);
  void OnCreationLate(const std::string& session_id);
  // Takes it back from all relays that may have made it, except `kept`.
  void TakeBack(const std::string& session_id, Creation& creation, std::optional<size_t> kept);
  void EndCreation(const std::string& session_id, absl::StatusOr<PlacedSession> answer);

  // The book's Add and Forget, told to the relay's Info.
  void Keep(size_t relay, relay::v1::Session session, const relay::v1::SessionState& state);
  void Forget(const std::string& session_id);

  void WriteUpdate(relay::v1::Session session, OwedAnswer owed);
  void OnUpdateAnswered(relay::v1::Session session, const OwedAnswer& owed, StateOr state);
  // Ends a session at a relay as soon as it can be written to.
  void EndAt(size_t relay, const std::string& session_id, OwedAnswer owed);
  void WriteDelete(size_t relay, const std::string& session_id, OwedAnswer owed);

  void Restore(size_t relay, const std::string& session_id, bool missing);
  void OnRestored(size_t relay, const relay::v1::Session& session, bool missing, StateOr state);
  void CountDownRestoring(size_t relay);
  void WatchOrphans(size_t relay);
  void Lose(size_t relay, const std::string& session_id, const absl::Status& reason);
  absl::Status Unreachable(size_t relay) const;
  OwedAnswer Owe(Fleet::StateCallback done) { return owed_.Owe(options_.deadline, std::move(done)); }
  void AnswerWaitingUpdates(const std::string& session_id, const StateOr& state);

  const FleetOptions options_;
  const CallHome home_;
  std::vector<std::unique_ptr<RelayMember>> relays_;
  // Writes that still restore a relay after its return, a number a relay.
  std::vector<uint64_t> restoring_;
  std::vector<WorkLoop::TimerId> orphan_timers_;
  SessionBook book_;
  absl::flat_hash_map<std::string, std::unique_ptr<Creation>> creations_;
  uint64_t next_attempt_ = 1;
  // For the next connection of their relay.
  absl::flat_hash_map<std::string, std::vector<OwedAnswer>> waiting_updates_;
  std::vector<absl::flat_hash_map<std::string, OwedAnswer>> waiting_deletes_;
  OwedAnswers owed_;
  // Writers that are no more, and what is too early an epoch for them.
  absl::flat_hash_map<std::string, uint64_t> fences_;
  // Sessions of others that have fallen silent, for when they are adopted.
  absl::flat_hash_map<std::string, relay::v1::Event> silent_;

  // Held while the listener is called, so that SetListener waits for it.
  absl::Mutex listener_mutex_;
  FleetListener* listener_ ABSL_GUARDED_BY(listener_mutex_) = nullptr;
};

}  // namespace sluice::fleet

#endif  // SLUICE_SIGNALING_FLEET_FLEET_CORE_H_
