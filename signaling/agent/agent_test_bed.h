// An agent between a network of paper, a DNS in memory, a fake fleet and a store in memory, for phones that talk to it
// in bytes. Time passes only when a test says so.
#ifndef SLUICE_SIGNALING_AGENT_AGENT_TEST_BED_H_
#define SLUICE_SIGNALING_AGENT_AGENT_TEST_BED_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/admission/admission_fake.h"
#include "signaling/agent/agent.h"
#include "signaling/agent/dialog_directory.h"
#include "signaling/agent/phone_fake.h"
#include "signaling/agent/server_health.h"
#include "signaling/cluster/cluster.h"
#include "signaling/dns/dns_client_fake.h"
#include "signaling/dns/sip_resolver.h"
#include "signaling/fleet/fleet_fake.h"
#include "signaling/hep/sink_fake.h"
#include "signaling/routing/trunk.h"
#include "signaling/sip/hop.h"
#include "signaling/store/sqlite_store.h"
#include "signaling/transport/client_identities.h"
#include "signaling/transport/network.h"
#include "signaling/transport/tls_peers.h"

namespace sluice::agent {

// Keeps what was sent until somebody takes it.
class FakeNetwork final : public transport::Network {
 public:
  FakeNetwork();

  void Send(const sip::Hop& hop, absl::string_view message) override;
  const std::vector<transport::Listener>& listeners() const override { return listeners_; }
  std::string Advertised(const sip::Hop& hop) const override { return hop.local.ToString(); }
  sip::Hop HopTo(sip::Protocol protocol, const sip::Endpoint& remote) const override;
  bool ListensOn(sip::Protocol protocol, const sip::Endpoint& local) const override;
  void Trust(const sip::Endpoint& source) override { trusted_.insert(source.ToString()); }
  uint32_t TlsPeerNumber(const transport::TlsPeer& peer) override { return tls_peers_.NumberOf(peer); }
  transport::TlsPeer TlsPeerOf(uint32_t number) const override { return tls_peers_.Find(number); }
  std::vector<std::string> ClientIdentities(const sip::Hop& hop) const override {
    return clients_.Find(hop.connection);
  }

  // It listens there from now on, and nowhere else.
  void Move(absl::string_view address);
  // The oldest message to `remote`; nothing if there is none.
  std::optional<std::string> Take(const sip::Endpoint& remote);
  bool Has(const sip::Endpoint& remote) const;
  // Where the latest message went.
  const sip::Hop& latest_hop() const { return latest_hop_; }
  // Somebody there has shown who he is.
  bool Trusts(const sip::Endpoint& source) const { return trusted_.contains(source.ToString()); }
  // Messages to anybody.
  size_t waiting() const { return sent_.size(); }
  // The client of this connection has shown a certificate.
  void Identify(uint64_t connection, std::vector<std::string> identities) {
    clients_.Set(connection, std::move(identities));
  }

 private:
  struct Sent {
    sip::Hop hop;
    std::string message;
  };
  std::vector<transport::Listener> listeners_;
  std::deque<Sent> sent_;
  sip::Hop latest_hop_;
  std::set<std::string> trusted_;
  transport::TlsPeers tls_peers_;
  transport::ClientIdentities clients_;
};

// A trunk with one server, by UDP, whose calls come from there.
routing::Trunk MakeTrunk(const std::string& name, absl::string_view address);

class AgentTestBed final : public PhoneLine, private DialogDirectory {
 public:
  static constexpr absl::string_view kServer = "198.18.1.1:7080";

  explicit AgentTestBed(std::function<void(AgentOptions&)> change = [](AgentOptions&) {});
  // A store that outlives the agent: in `store_file`.
  AgentTestBed(std::function<void(AgentOptions&)> change, std::string store_file);
  // One of several controllers.
  AgentTestBed(std::function<void(AgentOptions&)> change, std::string store_file, cluster::Cluster* cluster);

  void AddAccount(const std::string& name, const std::string& password, const std::string& display_name = "",
                  bool allow_legacy_digest = false);

  // A phone that writes `says_at` into its messages, which come from `seen_at`.
  Phone NewPhone(const std::string& number, absl::string_view says_at, absl::string_view seen_at);

  // A message comes, and everything that follows from it at once.
  void Deliver(const sip::Hop& hop, absl::string_view message) override;
  std::optional<std::string> Take(const sip::Hop& hop) override { return network_.Take(hop.remote); }
  // Time passes, and what becomes due meanwhile happens when it is due.
  void Pass(absl::Duration duration);
  // The agent is gone as it is, and after `down` another one goes on with what the store has got. Answers why calls
  // could not be restored.
  std::vector<absl::Status> Restart(absl::Duration down = absl::Seconds(1));
  // Another agent, which asks admission() whether calls may leave by trunks.
  void AskForAdmission();
  // Runs what the fleet has answered.
  void RunPosted();

  Agent& agent() { return *agent_; }
  // For the agent of the next Restart.
  AgentOptions& options() { return options_; }
  FakeNetwork& network() { return network_; }
  fleet::FakeFleet& fleet() { return fleet_; }
  admission::FakeAdmission& admission() { return admission_; }
  store::Store& store() { return *store_; }
  const CallLimiter& limiter() const { return limiter_; }
  // What was exported so far.
  const std::vector<hep::FakeSink::Kept>& exported() const { return hep_.kept(); }
  const TrunkBook& trunks() const { return trunks_; }
  const ServerHealth& health() const { return health_; }
  dns::DnsClientFake& dns() { return dns_; }
  absl::Time now() const { return now_; }

  // Newest first.
  std::vector<store::CallRecord> Records();
  // Calls that exist now.
  std::vector<CallSummary> Calls();
  SignalingStatistics Statistics();
  // Lets every transaction run out and answers what is left: nothing, if all is well.
  Agent::Remains RemainsAfterAll();

 private:
  void FindReplacement(const ReplacementRequest& request, std::function<void(Router::Route)> done) override {
    done(agent_->FindReplacement(request));
  }

  void MakeAgent();

  const std::string store_file_;
  AgentOptions options_;
  FakeNetwork network_;
  fleet::FakeFleet fleet_;
  std::unique_ptr<store::Store> store_;
  CallLimiter limiter_;
  TrunkBook trunks_;
  ServerHealth health_;
  dns::DnsClientFake dns_;
  dns::SipResolver resolver_;
  // May be null.
  cluster::Cluster* const cluster_;
  hep::FakeSink hep_;
  admission::FakeAdmission admission_;
  bool asks_for_admission_ = false;
  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  std::deque<std::function<void(absl::Time)>> posted_;
  std::unique_ptr<Agent> agent_;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_AGENT_TEST_BED_H_
