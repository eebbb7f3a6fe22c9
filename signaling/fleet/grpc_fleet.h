// The fleet over gRPC: one loop on a thread of its own, one RelayMember a relay, and the book of sessions.
//
// How a write goes: the caller's thread posts it to the loop; the loop puts it in the relay's queue; all that came in
// one turn of the loop leaves in one batch of the ApplySessions stream; the loop reads the answer and gives it to the
// caller. A create that a relay does not answer within `attempt_timeout`, refuses for want of room, or loses with
// its connection, goes to the next relay, and the first one is told to delete it.
//
// While a connection is being made again, updates and deletes wait for it until their deadline; once the relay counts
// as down they are answered at once, and the book sees to the rest.
#ifndef SLUICE_SIGNALING_FLEET_GRPC_FLEET_H_
#define SLUICE_SIGNALING_FLEET_GRPC_FLEET_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "signaling/fleet/fleet.h"

namespace sluice::fleet {

struct RelayAddress {
  // Unique in the fleet.
  std::string name;
  // "unix:/run/sluice/relay.sock", "198.18.1.1:7081".
  std::string address;
};

struct FleetOptions {
  std::vector<RelayAddress> relays;
  // Name of this controller: Writer.shard of all its writes. Sessions that a relay holds by this name are this fleet's.
  std::string writer;
  // Writer.epoch. Must be higher than that of any earlier run.
  uint64_t epoch = 0;
  // Sessions of others are adopted at any time: what has happened to them is heard of also from before a relay is first
  // reached.
  bool adopts_late = false;
  // Within which every operation is answered.
  absl::Duration deadline = absl::Seconds(2);
  // How long one relay may take over a create while another could be asked.
  absl::Duration attempt_timeout = absl::Milliseconds(500);
  // How long a session of ours that nobody wants is left alone: one that an earlier run has made and nobody has adopted
  // goes on so long.
  absl::Duration orphan_grace = absl::Minutes(2);
  // How often relays tell their statistics, and after how much silence they count as lost.
  absl::Duration heartbeat = absl::Milliseconds(250);
  absl::Duration silence_limit = absl::Milliseconds(900);
  absl::Duration connect_timeout = absl::Seconds(1);
};

class GrpcFleet : public Fleet {
 public:
  // Knows its relays, and connects to none before Start.
  explicit GrpcFleet(FleetOptions options);
  // Operations that are under way are answered CANCELLED. Sessions stay at their relays.
  ~GrpcFleet() override;

  // Begins to connect. To be called once.
  void Start();

  void CreateSession(relay::v1::Session session, PlacedCallback done) override;
  void UpdateSession(relay::v1::Session session, StateCallback done) override;
  void DeleteSession(const std::string& session_id, StateCallback done) override;
  absl::Status AdoptSession(const std::string& relay, relay::v1::Session session,
                            const relay::v1::SessionState& state) override;
  void Fence(const std::string& writer, uint64_t epoch) override;
  void GetSession(const std::string& session_id, StateCallback done) override;
  std::vector<RelayInfo> ListRelays() const override;
  void SetListener(FleetListener* listener) override;

 private:
  class Core;
  const std::unique_ptr<Core> core_;
};

}  // namespace sluice::fleet

#endif  // SLUICE_SIGNALING_FLEET_GRPC_FLEET_H_
