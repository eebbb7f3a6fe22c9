// One relay of the fleet over time: connects, connects again with a back-off, knows whether the relay is healthy,
// drains or is down, and whether it restarted in between.
//
// A connection that is lost is tried again at once; the relay counts as connecting meanwhile, and as down when that
// fails. It counts as healthy once it has told what it holds, the fleet has given back what it lost (`SetRestoring`),
// and its admission serves.
//
// Threads: the fleet's loop; Info from any.
#ifndef SLUICE_SIGNALING_FLEET_RELAY_MEMBER_H_
#define SLUICE_SIGNALING_FLEET_RELAY_MEMBER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "signaling/fleet/backoff.h"
#include "signaling/fleet/fleet.h"
#include "signaling/fleet/placement.h"
#include "signaling/fleet/relay_calls.h"
#include "signaling/fleet/relay_connection.h"

namespace sluice::fleet {

class RelayMember final : private RelayConnection::Owner {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    // The relay can be written to. `held` is all that it holds; `restarted`: nothing of it is from before.
    virtual void OnReady(size_t relay, bool restarted, std::vector<relay::v1::SessionState> held) = 0;
    // The health, or whether it can be written to, is another now.
    virtual void OnHealth(size_t relay) = 0;
    virtual void OnEvent(size_t relay, const relay::v1::Event& event) = 0;
  };

  // `index` is what the owner calls it.
  RelayMember(size_t index, std::string name, std::string address, CallHome home, ConnectionOptions options,
              Owner* owner);

  void Start() { Connect(); }
  // Ends the connection; nothing is called any more.
  void Stop();

  const std::string& name() const { return name_; }
  RelayHealth health() const { return health_; }
  // Takes Write and Get.
  bool ready() const { return ready_; }

  // Only while ready. As RelayConnection's.
  void Write(relay::v1::SessionWrite write, RelayConnection::WriteDone done);
  void Get(const std::string& session_id, absl::Duration timeout, RelayConnection::WriteDone done);
  void Fence(const std::string& writer, uint64_t epoch) { connection_->Fence(writer, epoch); }

  // While not 0, it is given back this many sessions and takes no new ones.
  void SetRestoring(uint64_t sessions);
  // How it looks to placement; `wanted` is the number of our sessions on it.
  Candidate AsCandidate(uint64_t wanted) const;
  // How many of our sessions are on it, for Info.
  void SetSessions(uint64_t sessions) {
    Change([sessions](RelayInfo& info) { info.sessions = sessions; });
  }
  // Sessions of an earlier run, or of others, are on it: of what happened before it is reached, all is to be told that
  // it still knows.
  void HearThePast();
  // A session was asked of it that its statistics do not know yet.
  void CountPlaced() { ++placed_; }
  void CountRestored() {
    Change([](RelayInfo& info) { ++info.restored_sessions; });
  }

  RelayInfo Info() const ABSL_LOCKS_EXCLUDED(info_mutex_);
  // Why it is not healthy, for messages: "relay-1 is down (cannot be reached: ...)".
  std::string Describe() const;

 private:
  std::string OnReached(const relay::v1::Relay& relay) override;
  void OnReady(std::vector<relay::v1::SessionState> held) override;
  void OnAdmission(RelayConnection::Admission admission) override;
  void OnStatistics(const relay::v1::RelayStatistics& statistics) override;
  void OnEvents(const relay::v1::WatchEventsResponse& events) override;
  void OnLost(const absl::Status& reason, bool forget_token) override;

  void Connect();
  // Works the health out again and tells the owner if it is another.
  void Judge();
  void SetHealth(RelayHealth health, std::string text);
  void Change(const std::function<void(RelayInfo&)>& change) ABSL_LOCKS_EXCLUDED(info_mutex_);

  const size_t index_;
  const std::string name_;
  const std::string address_;
  const CallHome home_;
  const ConnectionOptions options_;
  Owner* const owner_;

  std::shared_ptr<RelayConnection> connection_;
  bool ready_ = false;
  bool stopped_ = false;
  RelayHealth health_ = RelayHealth::kConnecting;
  std::string text_ = "not reached yet";
  RelayConnection::Admission admission_ = RelayConnection::Admission::kUnknown;
  uint64_t restoring_ = 0;
  std::string instance_id_;
  bool restarted_ = false;
  std::string resume_token_;
  uint64_t reported_sessions_ = 0;
  uint64_t session_capacity_ = 0;
  double busy_share_ = 0;
  uint64_t placed_ = 0;
  Backoff backoff_;
  absl::BitGen random_;
  WorkLoop::TimerId connect_timer_;
  WorkLoop::TimerId settled_timer_;

  mutable absl::Mutex info_mutex_;
  RelayInfo info_ ABSL_GUARDED_BY(info_mutex_);
};

}  // namespace sluice::fleet

#endif  // SLUICE_SIGNALING_FLEET_RELAY_MEMBER_H_
