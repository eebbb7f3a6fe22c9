// A relay in memory behind a real gRPC server on a UNIX socket: the two services and the admission health, no packets.
// It can be told to restart, to fall silent, to refuse, to drain and to end sessions, and says what it was asked.
//
// Ports are given from 20000 on, the lowest free one first, as a relay does after its start.
//
// The address is a symbolic link to the socket of the server that serves now. So connections can be cut without a
// moment in which nobody listens: the next server is there before the link is turned and the one before is shut down.
//
// Threads: any.
#ifndef SLUICE_SIGNALING_FLEET_RELAY_FAKE_H_
#define SLUICE_SIGNALING_FLEET_RELAY_FAKE_H_

#include <grpcpp/server.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "sluice/relay/v1/relay_service.grpc.pb.h"
#include "sluice/relay/v1/session_service.grpc.pb.h"

namespace sluice::fleet {

class FakeRelay final {
 public:
  // Serves at once.
  explicit FakeRelay(std::string name);
  ~FakeRelay();

  const std::string& name() const { return name_; }
  // "unix:/tmp/.../relay.sock".
  const std::string& address() const { return address_; }

  // The process dies: the socket is gone, and so are all sessions and events.
  void Kill() ABSL_LOCKS_EXCLUDED(mutex_);
  // It is started again, as another instance.
  void Start() ABSL_LOCKS_EXCLUDED(mutex_);
  // All connections are cut; the relay lives on and never stops listening.
  void CutConnections() ABSL_LOCKS_EXCLUDED(mutex_);
  // While true it takes connections and requests and answers nothing, nor beats its heart.
  void SetSilent(bool silent) ABSL_LOCKS_EXCLUDED(mutex_);
  // While true, writes are done and not answered; everything else goes on.
  void HoldAnswers(bool hold) ABSL_LOCKS_EXCLUDED(mutex_);
  void SetDraining(bool draining) ABSL_LOCKS_EXCLUDED(mutex_);
  // The next write is refused so.
  void RefuseNext(absl::Status status) ABSL_LOCKS_EXCLUDED(mutex_);
  // Somebody else has this port: who asks for it by name is refused.
  void OccupyPort(uint32_t port) ABSL_LOCKS_EXCLUDED(mutex_);
  // A session of another writer, or of ours from before.
  void PlantSession(const std::string& session_id, const std::string& shard) ABSL_LOCKS_EXCLUDED(mutex_);
  // As an operator would.
  void EndSession(const std::string& session_id) ABSL_LOCKS_EXCLUDED(mutex_);
  void Emit(relay::v1::Event event) ABSL_LOCKS_EXCLUDED(mutex_);

  std::vector<std::string> SessionIds() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Without streams if there is no such session.
  relay::v1::Session SessionOf(const std::string& session_id) const ABSL_LOCKS_EXCLUDED(mutex_);
  relay::v1::SessionState StateOf(const std::string& session_id) const ABSL_LOCKS_EXCLUDED(mutex_);
  relay::v1::Writer last_writer() const ABSL_LOCKS_EXCLUDED(mutex_);
  uint64_t writes() const ABSL_LOCKS_EXCLUDED(mutex_);
  uint64_t batches() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Waits until `holds` is true of this relay; false if that takes longer than a test may. `holds` runs under the lock
  // and reads through `ids`.
  bool WaitForSessions(const std::set<std::string>& ids) const ABSL_LOCKS_EXCLUDED(mutex_);
  bool WaitForWrites(uint64_t writes) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  class RelayServiceImpl;
  class SessionServiceImpl;
  struct Entry {
    relay::v1::Session session;
    relay::v1::SessionState state;
  };

  // One gRPC server; its calls end as soon as another generation serves.
  struct Server {
    std::unique_ptr<RelayServiceImpl> relay_service;
    std::unique_ptr<SessionServiceImpl> session_service;
    std::unique_ptr<grpc::Server> grpc;
  };

  // Makes the server of the next generation, turns the link to it and ends the calls of the one before.
  Server Serve() ABSL_LOCKS_EXCLUDED(mutex_);
  static void Shutdown(Server server);
  std::string SocketOf(int generation) const;
  absl::Status Write(const relay::v1::Writer& writer, const relay::v1::SessionWrite& write,
                     relay::v1::SessionState* state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Put(const relay::v1::Writer& writer, const relay::v1::Session& session, relay::v1::SessionState* state)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // A call of `generation` has to end.
  bool IsOver(int generation, const grpc::ServerContext* context) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Waits for `duration`, or until another generation serves.
  void Linger(int generation, absl::Duration duration) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Blocks while it is silent; false when the call has to end.
  bool AwaitVoice(int generation, const grpc::ServerContext* context) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddEvent(relay::v1::Event event) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::set<uint32_t> PortsInUse() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string name_;
  const std::string folder_;
  const std::string address_;

  mutable absl::Mutex mutex_;
  int generation_ ABSL_GUARDED_BY(mutex_) = 0;
  bool silent_ ABSL_GUARDED_BY(mutex_) = false;
  bool hold_ ABSL_GUARDED_BY(mutex_) = false;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  int instance_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<std::string, Entry> sessions_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> tombstones_ ABSL_GUARDED_BY(mutex_);
  std::set<uint32_t> occupied_ ABSL_GUARDED_BY(mutex_);
  std::vector<relay::v1::Event> events_ ABSL_GUARDED_BY(mutex_);
  std::vector<absl::Status> refusals_ ABSL_GUARDED_BY(mutex_);
  relay::v1::Writer last_writer_ ABSL_GUARDED_BY(mutex_);
  uint64_t writes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t batches_ ABSL_GUARDED_BY(mutex_) = 0;

  Server server_;
};

}  // namespace sluice::fleet

#endif  // SLUICE_SIGNALING_FLEET_RELAY_FAKE_H_
