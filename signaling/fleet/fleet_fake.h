// A fleet in memory: relays that always answer, give out ports from one range, and can be told to fail.
//
// Callbacks run through `post`, which the test chooses: at once inside the call (the default), in a queue that the test
// drains, or on a shard. Ports are even and unique in one fake: leg A of stream 0 of the first session gets 20000, leg
// B 20002, and so on.
//
// Threads: any.
#ifndef SLUICE_SIGNALING_FLEET_FLEET_FAKE_H_
#define SLUICE_SIGNALING_FLEET_FLEET_FAKE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "signaling/fleet/fleet.h"
#include "sluice/relay/v1/session_service.pb.h"

namespace sluice::fleet {

class FakeFleet : public Fleet {
 public:
  enum class Operation { kCreate, kUpdate, kDelete, kAdopt, kGet };
  using Post = std::function<void(std::function<void()>)>;

  // One healthy relay of this name. Media addresses are `address`.
  explicit FakeFleet(
      std::string relay = "relay-1", std::string address = "198.18.1.1",
      Post post = [](std::function<void()> work) { work(); });

  void CreateSession(relay::v1::Session session, PlacedCallback done) override;
  void UpdateSession(relay::v1::Session session, StateCallback done) override;
  void DeleteSession(const std::string& session_id, StateCallback done) override;
  // The relay has it from before, or makes it with the ports of `state`.
  absl::Status AdoptSession(const std::string& relay, relay::v1::Session session,
                            const relay::v1::SessionState& state) override;
  void Fence(const std::string& writer, uint64_t epoch) override;
  void GetSession(const std::string& session_id, StateCallback done) override;
  std::vector<RelayInfo> ListRelays() const override;
  void SetListener(FleetListener* listener) override;

  // The next operation of this kind fails so, once for each call.
  void FailNext(Operation operation, absl::Status status);
  // While false, all operations answer UNAVAILABLE and ListRelays says kDown.
  void SetReachable(bool reachable);
  // While true, answers are kept back, in order; false lets them go.
  void HoldAnswers(bool hold);

  // Tells the listener, as the relay would.
  void EmitEvent(const relay::v1::Event& event);
  void LoseSession(const std::string& session_id, const absl::Status& reason);

  // What GetSession and DeleteSession answer as statistics of what a leg's peer (0: A, 1: B) sent.
  void SetReceived(const std::string& session_id, uint32_t stream_id, uint32_t leg,
                   const relay::v1::StreamStatistics& statistics);

  // Sessions that exist, as last written.
  std::map<std::string, relay::v1::Session> Sessions() const;
  // Of Fence, in order.
  std::vector<std::pair<std::string, uint64_t>> Fences() const;
  // How often an operation was asked for, failures included.
  uint64_t Count(Operation operation) const;

 private:
  struct Entry {
    relay::v1::Session session;
    relay::v1::SessionState state;
  };

  // OK, or what the operation has to fail with.
  absl::Status Admit(Operation operation) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WriteState(Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Answer(std::function<void()> work) ABSL_LOCKS_EXCLUDED(mutex_);

  const std::string relay_;
  const std::string address_;
  const Post post_;
  mutable absl::Mutex mutex_;
  bool reachable_ ABSL_GUARDED_BY(mutex_) = true;
  bool hold_ ABSL_GUARDED_BY(mutex_) = false;
  uint32_t next_port_ ABSL_GUARDED_BY(mutex_) = 20000;
  std::map<std::string, Entry> sessions_ ABSL_GUARDED_BY(mutex_);
  std::map<Operation, std::vector<absl::Status>> failures_ ABSL_GUARDED_BY(mutex_);
  std::map<Operation, uint64_t> counts_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::function<void()>> held_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::pair<std::string, uint64_t>> fences_ ABSL_GUARDED_BY(mutex_);
  // Held while the listener is called, so that SetListener waits for it.
  absl::Mutex listener_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  FleetListener* listener_ ABSL_GUARDED_BY(listener_mutex_) = nullptr;
};

}  // namespace sluice::fleet

#endif  // SLUICE_SIGNALING_FLEET_FLEET_FAKE_H_
