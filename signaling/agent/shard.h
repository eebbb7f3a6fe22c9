// One thread that handles SIP: an event loop with the shard's transport and its agent.
//
// Everything the agent does runs in the loop: messages from the transport, posted work, and one timer that is set to
// the agent's next deadline.
//
// Threads: Open before any shard's Start; Post and what says so from any thread; the rest from the thread that opened.
#ifndef SLUICE_SIGNALING_AGENT_SHARD_H_
#define SLUICE_SIGNALING_AGENT_SHARD_H_

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "signaling/admission/admission.h"
#include "signaling/agent/agent.h"
#include "signaling/agent/agent_options.h"
#include "signaling/agent/dialog_directory.h"
#include "signaling/agent/server_health.h"
#include "signaling/agent/steady_time.h"
#include "signaling/cluster/cluster.h"
#include "signaling/dns/cares_client.h"
#include "signaling/dns/dns_client.h"
#include "signaling/dns/resolver.h"
#include "signaling/fleet/fleet.h"
#include "signaling/hep/sink.h"
#include "signaling/store/store.h"
#include "signaling/transport/shard_transport.h"

namespace sluice::agent {

class Shard {
 public:
  using Work = std::function<void(Agent& agent, absl::Time now)>;

  // All outlive the shard.
  struct Surroundings {
    transport::ShardMesh& mesh;
    const SteadyTime& time;
    fleet::Fleet& fleet;
    store::Store& store;
    CallLimiter& limiter;
    TrunkBook& trunks;
    DialogDirectory& dialogs;
    ServerHealth& health;
    // May be null.
    hep::Sink* hep;
    // Null: there is no other controller.
    cluster::Cluster* cluster;
    // Null: nobody is asked whether calls may leave by trunks.
    admission::Admission* admission;
  };

  // Opens the listeners; errors as ShardTransport::Open and CaresClient::Open.
  static absl::StatusOr<std::unique_ptr<Shard>> Open(size_t index, const AgentOptions& agent,
                                                     const transport::ShardTransportOptions& transport,
                                                     const dns::CaresClientOptions& dns,
                                                     const Surroundings& surroundings);
  // Stops first.
  ~Shard();

  // As Agent::Restore; before Start.
  absl::Status Restore(const store::StandingCall& kept);
  void Start();
  // As Agent::Drain.
  void Drain();
  // After Drain: false if calls, or answers that they wait for, are left at `deadline`.
  bool WaitUntilIdle(absl::Time deadline);
  // Ends the thread as soon as what it does now is done; nothing is kept or sent any more. From any thread.
  void Halt() { context_->stop(); }
  // Keeps what has changed of calls, sends what waits to be sent and ends the thread; posted work that has not run
  // never will.
  void Stop();

  // Threads: any. In order; never refused, so it is for what is bounded anyway.
  void Post(Work work);
  // For connections that begin from now on.
  void SetTls(std::shared_ptr<const transport::TlsContexts> contexts);
  const AgentCounters& counters() const { return agent_->counters(); }
  const transport::TransportCounters& transport_counters() const { return transport_->counters(); }

  // With the ports that the kernel chose.
  const std::vector<transport::Listener>& listeners() const { return transport_->listeners(); }

 private:
  Shard(size_t index, const Surroundings& surroundings);

  absl::Status OpenDns(const dns::CaresClientOptions& options);
  // The thread: serves the loop until it is stopped (process/paced_loop.h).
  void Run();
  // Ends each turn of the loop in which something may have changed.
  void AfterWork();
  void WaitForDeadline();
  void SweepEverySecond();

  const size_t index_;
  const Surroundings surroundings_;
  // Shared with the callbacks of fleet operations, which may be answered after the shard is gone: their work is then
  // posted to a loop that nobody runs.
  const std::shared_ptr<boost::asio::io_context> context_;
  boost::asio::steady_timer deadline_timer_;
  boost::asio::steady_timer sweep_timer_;
  // What deadline_timer_ is set to.
  absl::Time armed_ = absl::InfiniteFuture();
  // What is due waits until then.
  absl::Time not_before_ = absl::InfinitePast();
  bool draining_ = false;
  absl::Mutex mutex_;
  bool idle_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<transport::ShardTransport> transport_;
  // Draws among the servers of a name; nobody gains anything by guessing it.
  absl::InsecureBitGen random_;
  std::unique_ptr<dns::DnsClient> dns_client_;
  std::unique_ptr<dns::DnsClient> dns_cache_;
  std::unique_ptr<dns::Resolver> resolver_;
  std::unique_ptr<Agent> agent_;
  std::thread thread_;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_SHARD_H_
