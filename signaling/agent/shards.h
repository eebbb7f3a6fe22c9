// All SIP threads of a controller, and what operators ask of them.
//
// A call lives on the shard that its Call-IDs fall on, and so does its session's id: whoever has a name finds the shard
// by transport::ShardOf. Lists are merged from all shards.
//
// Start: calls that an earlier run has kept in the store go on, before anything is heard from the network.
//
// In a cluster the calls of controllers that are gone come later, and go on here as well.
//
// Stop: new calls are refused with 503, those that are kept for the next run are left as they are, others are ended
// with BYE, and the threads end once every one of these has ended and its record is written, or when the limit is over.
//
// Threads: CallControl from any, until Stop is called; the rest from the thread that started it.
#ifndef SLUICE_SIGNALING_AGENT_SHARDS_H_
#define SLUICE_SIGNALING_AGENT_SHARDS_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "signaling/admission/admission.h"
#include "signaling/agent/agent_options.h"
#include "signaling/agent/call_control.h"
#include "signaling/agent/call_limiter.h"
#include "signaling/agent/dialog_directory.h"
#include "signaling/agent/server_health.h"
#include "signaling/agent/shard.h"
#include "signaling/agent/steady_time.h"
#include "signaling/agent/trunk_book.h"
#include "signaling/cluster/cluster.h"
#include "signaling/dns/cares_client.h"
#include "signaling/fleet/fleet.h"
#include "signaling/hep/sink.h"
#include "signaling/routing/plan.h"
#include "signaling/store/store.h"
#include "signaling/transport/shard_transport.h"
#include "signaling/transport/tls_context.h"
#include "signaling/transport/tls_files.h"

namespace sluice::agent {

// What became of the calls that an earlier run has kept, or another controller.
struct Restoration {
  size_t restored = 0;
  // They are recorded as ended.
  size_t lost = 0;
  // Of the first that was lost.
  std::string reason;
};

struct ShardsOptions {
  size_t shards = 1;
  AgentOptions agent;
  // `tls` is read from the listeners' files and these, and has these contexts of trunks.
  transport::ShardTransportOptions transport;
  transport::SourceLimits strangers;
  transport::TlsFiles tls_client;
  transport::TrunkTlsContexts trunk_tls;
  dns::CaresClientOptions dns;
  // In a cluster: the calls of another controller (or of an earlier run of this one) have been taken over. On any
  // thread.
  std::function<void(const std::string& name, const Restoration& restoration)> on_takeover = [](const std::string&,
                                                                                                const Restoration&) {};
  // In a cluster: `successor` has taken this controller's calls over. All shards stand still, so that nothing disturbs
  // it: the process is to end without Stop. On the cluster's thread.
  std::function<void(const std::string& successor)> on_ousted = [](const std::string&) {};
};

class Shards final : public CallControl,
                     private fleet::FleetListener,
                     private cluster::Listener,
                     private DialogDirectory {
 public:
  // Opens all listeners and starts the threads; hears the fleet from then on. Errors as ShardTransport::Open,
  // CaresClient::Open and ReadTlsContexts. The others outlive it. `hep` may be null: nothing is exported; so may
  // `cluster`: there is no other controller; and `admission`: nobody is asked whether calls may leave by trunks.
  static absl::StatusOr<std::unique_ptr<Shards>> Start(const ShardsOptions& options, fleet::Fleet& fleet,
                                                       store::Store& store, hep::Sink* hep = nullptr,
                                                       cluster::Cluster* cluster = nullptr,
                                                       admission::Admission* admission = nullptr);
  // Stops at once if Stop was not called.
  ~Shards() override;

  const Restoration& restoration() const { return restoration_; }

  // Ends all calls that are not kept, waiting at most `limit`; false if some were left. Records of those that were left
  // are not written.
  bool Stop(absl::Duration limit);

  // For calls that begin from now on, and connections to trunks: those that exist go on. Trunks that are gone or have
  // changed are registered anew.
  void SetPresentOptions(const PresentOptions& options, const transport::TrunkTlsContexts& trunk_tls);

  // Reads certificates and keys again, but those of trunks, for connections that begin from now on. With an error,
  // which names the file, nothing has changed.
  absl::Status ReloadTls();

  // With the ports that the kernel chose.
  const std::vector<transport::Listener>& listeners() const { return shards_.front()->listeners(); }

  void ListCalls(size_t page_size, std::string token, std::function<void(absl::StatusOr<CallPage>)> done) override;
  void GetCall(std::string call_id, bool include_messages,
               std::function<void(absl::StatusOr<CallDetails>)> done) override;
  void HangUpCall(std::string call_id, std::function<void(absl::Status)> done) override;
  void SetDraining(bool draining) override;
  SignalingStatistics Statistics() const override;

 private:
  Shards(const ShardsOptions& options, fleet::Fleet& fleet, cluster::Cluster* cluster);

  void OnSessionEvent(const std::string& relay, const relay::v1::Event& event) override;
  void OnSessionLost(const std::string& relay, const std::string& session_id, const absl::Status& reason) override;

  void OnTakeover(const cluster::GoneRun& gone, std::vector<store::StandingCall> calls) override;
  void OnOusted(const std::string& successor) override;

  void FindReplacement(const ReplacementRequest& request, std::function<void(Router::Route)> done) override;

  void SetTls(transport::TlsContexts contexts);
  void RestoreCalls(store::Store& store);
  std::vector<TrunkSummary> Trunks() const;
  Shard& OwnerOf(absl::string_view call_id) const;

  const std::function<void(const std::string&, const Restoration&)> on_takeover_;
  const std::function<void(const std::string&)> on_ousted_;
  fleet::Fleet& fleet_;
  // May be null.
  cluster::Cluster* const cluster_;
  const SteadyTime time_;
  transport::TlsFiles tls_client_;
  std::shared_ptr<const transport::TlsContexts> tls_;
  transport::ShardMesh mesh_;
  const absl::Time start_time_;
  CallLimiter limiter_;
  TrunkBook trunks_;
  ServerHealth health_;
  mutable absl::Mutex plan_mutex_;
  std::shared_ptr<const routing::Plan> plan_ ABSL_GUARDED_BY(plan_mutex_);
  std::vector<std::unique_ptr<Shard>> shards_;
  Restoration restoration_;
  std::atomic<bool> draining_ = false;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_SHARDS_H_
