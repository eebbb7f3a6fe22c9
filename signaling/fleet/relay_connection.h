// One connection to one relay, from the first word until it is lost: who the relay is, what it holds, its admission,
// statistics and events, and the stream of batches that writes go by.
//
// The statistics stream is the heartbeat: a relay that says nothing for `silence_limit` is lost, whatever its socket
// looks like. A connection does not come back; its owner makes another.
//
// Threads: the fleet's loop only.
#ifndef SLUICE_SIGNALING_FLEET_RELAY_CONNECTION_H_
#define SLUICE_SIGNALING_FLEET_RELAY_CONNECTION_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "signaling/fleet/open_calls.h"
#include "signaling/fleet/relay_calls.h"
#include "signaling/fleet/work_loop.h"
#include "sluice/relay/v1/relay_service.grpc.pb.h"
#include "sluice/relay/v1/session_service.grpc.pb.h"

namespace grpc::health::v1 {
class HealthCheckResponse;
}

namespace sluice::fleet {

struct ConnectionOptions {
  // Sent with every write.
  relay::v1::Writer writer;
  absl::Duration connect_timeout = absl::Seconds(1);
  // How often the relay tells its statistics, and how long it may say nothing.
  absl::Duration heartbeat = absl::Milliseconds(250);
  absl::Duration silence_limit = absl::Milliseconds(900);
};

class RelayConnection : public std::enable_shared_from_this<RelayConnection> {
 public:
  enum class Admission { kUnknown, kServing, kNotServing };
  using WriteDone = std::function<void(absl::StatusOr<relay::v1::SessionState>)>;

  // Nothing is called after OnLost.
  class Owner {
   public:
    virtual ~Owner() = default;
    // The relay answers. Gives the token from which its events are wanted; empty: from now on.
    virtual std::string OnReached(const relay::v1::Relay& relay) = 0;
    // All that it holds; from now on it takes writes.
    virtual void OnReady(std::vector<relay::v1::SessionState> held) = 0;
    virtual void OnAdmission(Admission admission) = 0;
    virtual void OnStatistics(const relay::v1::RelayStatistics& statistics) = 0;
    virtual void OnEvents(const relay::v1::WatchEventsResponse& events) = 0;
    // Once. `forget_token`: the relay does not know the token that OnReached gave.
    virtual void OnLost(const absl::Status& reason, bool forget_token) = 0;
  };

  // `owner` outlives the connection, or closes it before.
  RelayConnection(CallHome home, const std::string& address, const ConnectionOptions& options, Owner* owner);

  void Start();
  // After OnReady. Writes are sent in order, many in one batch; `done` says UNAVAILABLE when the connection is lost
  // before the answer, and runs after OnLost then.
  void Write(relay::v1::SessionWrite write, WriteDone done);
  void Get(const std::string& session_id, absl::Duration timeout, WriteDone done);
  // Ahead of later writes: something harmless in the name of `writer`, so that what it writes with a lower epoch is
  // refused from then on.
  void Fence(const std::string& writer, uint64_t epoch);
  // Ends the connection without OnLost; the `done`s of writes are not called.
  void Close();

 private:
  struct Pending {
    relay::v1::SessionWrite write;
    WriteDone done;
    // Null: this controller is.
    std::unique_ptr<relay::v1::Writer> writer = nullptr;
  };

  void OnRelay(const absl::Status& status, const relay::v1::GetRelayResponse& response);
  void StartStreams(const std::string& resume_token);
  void ListPage(const std::string& token);
  void Queue(Pending pending);
  void OnResults(relay::v1::ApplySessionsResponse& response);
  void Flush();
  void WatchSilence();
  void Lose(absl::Status reason, bool forget_token = false);
  void CancelAll();
  void Heard() { heard_ = std::chrono::steady_clock::now(); }
  // A function that does nothing once this connection is gone or closed.
  template <typename... Arguments>
  std::function<void(Arguments...)> Guarded(void (RelayConnection::*function)(Arguments...));

  const CallHome home_;
  const ConnectionOptions options_;
  Owner* const owner_;
  std::unique_ptr<relay::v1::RelayService::Stub> relay_service_;
  std::unique_ptr<relay::v1::SessionService::Stub> session_service_;
  std::shared_ptr<grpc::ChannelInterface> channel_;
  bool closed_ = false;
  std::vector<SharedContext> contexts_;
  ApplyCall* apply_ = nullptr;
  bool sending_ = false;
  std::vector<relay::v1::SessionState> held_;
  std::deque<Pending> queue_;
  // Sent and not answered, a batch each.
  std::deque<std::vector<WriteDone>> sent_;
  std::chrono::steady_clock::time_point heard_;
  WorkLoop::TimerId silence_timer_;
};

}  // namespace sluice::fleet

#endif  // SLUICE_SIGNALING_FLEET_RELAY_CONNECTION_H_
