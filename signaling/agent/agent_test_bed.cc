#include "signaling/agent/agent_test_bed.h"

#include <algorithm>
#include <utility>

#include "gtest/gtest.h"

namespace sluice::agent {
namespace {

// Longer than any transaction lives.
constexpr absl::Duration kAllTransactions = absl::Seconds(200);
constexpr absl::string_view kMemory = ":memory:";

}  // namespace

FakeNetwork::FakeNetwork() {
  for (const sip::Protocol protocol : {sip::Protocol::kUdp, sip::Protocol::kTcp}) {
    listeners_.push_back({protocol, *sip::Endpoint::Parse(AgentTestBed::kServer), ""});
  }
}

void FakeNetwork::Send(const sip::Hop& hop, absl::string_view message) {
  sent_.push_back({hop, std::string(message)});
  latest_hop_ = hop;
}

sip::Hop FakeNetwork::HopTo(sip::Protocol protocol, const sip::Endpoint& remote) const {
  return {.protocol = protocol, .local = listeners_.front().address, .remote = remote};
}

std::optional<std::string> FakeNetwork::Take(const sip::Endpoint& remote) {
  const auto found =
      std::find_if(sent_.begin(), sent_.end(), [&](const Sent& sent) { return sent.hop.remote == remote; });
  if (found == sent_.end()) return std::nullopt;
  std::string message = std::move(found->message);
  sent_.erase(found);
  return message;
}

bool FakeNetwork::ListensOn(sip::Protocol protocol, const sip::Endpoint& local) const {
  return std::any_of(listeners_.begin(), listeners_.end(), [&](const transport::Listener& listener) {
    return listener.protocol == protocol && listener.address == local;
  });
}

void FakeNetwork::Move(absl::string_view address) {
  for (transport::Listener& listener : listeners_) listener.address = *sip::Endpoint::Parse(address);
}

bool FakeNetwork::Has(const sip::Endpoint& remote) const {
  return std::any_of(sent_.begin(), sent_.end(), [&](const Sent& sent) { return sent.hop.remote == remote; });
}

routing::Trunk MakeTrunk(const std::string& name, absl::string_view address) {
  routing::Trunk trunk;
  trunk.name = name;
  const sip::Endpoint endpoint = *sip::Endpoint::Parse(address);
  trunk.peers = {{sip::Protocol::kUdp, endpoint.Address(), endpoint.port}};
  trunk.sources = {endpoint};
  return trunk;
}

AgentTestBed::AgentTestBed(std::function<void(AgentOptions&)> change)
    : AgentTestBed(std::move(change), std::string(kMemory)) {}

AgentTestBed::AgentTestBed(std::function<void(AgentOptions&)> change, std::string store_file)
    : AgentTestBed(std::move(change), std::move(store_file), nullptr) {}

AgentTestBed::AgentTestBed(std::function<void(AgentOptions&)> change, std::string store_file, cluster::Cluster* cluster)
    : store_file_(std::move(store_file)),
      fleet_("relay-1", "198.18.1.1"),
      store_(*store::OpenSqliteStore({.file = store_file_})),
      resolver_(dns_, [](uint32_t) { return 0; }),
      cluster_(cluster) {
  options_.authentication.realm = std::string(kPhoneRealm);
  auto calls = std::make_shared<call::CallOptions>();
  calls->domain = "198.18.1.1";
  options_.present.calls = calls;
  options_.domains = {"example.net"};
  options_.trace_bytes = 1 << 20;
  change(options_);
  MakeAgent();
}

void AgentTestBed::MakeAgent() {
  agent_ = std::make_unique<Agent>(
      options_,
      Agent::Surroundings{network_, fleet_, *store_, limiter_, trunks_, *this, health_, resolver_, &hep_, cluster_,
                          asks_for_admission_ ? &admission_ : nullptr},
      IdSource(0, 1), [this](std::function<void(absl::Time)> work) { posted_.push_back(std::move(work)); });
}

void AgentTestBed::AskForAdmission() {
  asks_for_admission_ = true;
  MakeAgent();
}

std::vector<absl::Status> AgentTestBed::Restart(absl::Duration down) {
  EXPECT_NE(store_file_, kMemory) << "nothing would be left";
  posted_.clear();
  agent_ = nullptr;
  EXPECT_TRUE(store_->Flush(absl::Seconds(10)).ok());
  store_ = nullptr;
  now_ += down;
  store_ = *store::OpenSqliteStore({.file = store_file_});
  MakeAgent();
  std::vector<absl::Status> failures;
  for (const store::StandingCall& kept : store_->TakeStandingCalls()) {
    absl::Status status = agent_->Restore(kept, now_);
    if (!status.ok()) failures.push_back(std::move(status));
  }
  RunPosted();
  return failures;
}

void AgentTestBed::AddAccount(const std::string& name, const std::string& password, const std::string& display_name,
                              bool allow_legacy_digest) {
  store::Account account = MakePhoneAccount(name, password);
  account.display_name = display_name;
  account.allow_legacy_digest = allow_legacy_digest;
  EXPECT_TRUE(store_->CreateAccount(account).ok());
}

Phone AgentTestBed::NewPhone(const std::string& number, absl::string_view says_at, absl::string_view seen_at) {
  return Phone(*this, number, says_at,
               {.local = *sip::Endpoint::Parse(kServer), .remote = *sip::Endpoint::Parse(seen_at)});
}

void AgentTestBed::Deliver(const sip::Hop& hop, absl::string_view message) {
  agent_->OnMessage(hop, message, now_);
  RunPosted();
}

void AgentTestBed::RunPosted() {
  while (!posted_.empty()) {
    const std::function<void(absl::Time)> work = std::move(posted_.front());
    posted_.pop_front();
    work(now_);
  }
}

void AgentTestBed::Pass(absl::Duration duration) {
  const absl::Time end = now_ + duration;
  while (agent_->NextDeadline() <= end) {
    now_ = std::max(now_, agent_->NextDeadline());
    agent_->Advance(now_);
    RunPosted();
  }
  now_ = end;
}

std::vector<store::CallRecord> AgentTestBed::Records() {
  const auto page = store_->ListCallRecords({});
  EXPECT_TRUE(page.ok()) << page.status();
  return page->items;
}

std::vector<CallSummary> AgentTestBed::Calls() { return agent_->Page(absl::InfiniteFuture(), "", 100); }

SignalingStatistics AgentTestBed::Statistics() {
  SignalingStatistics statistics;
  agent_->counters().AddTo(statistics);
  return statistics;
}

Agent::Remains AgentTestBed::RemainsAfterAll() {
  Pass(kAllTransactions);
  EXPECT_TRUE(fleet_.Sessions().empty());
  return agent_->remains();
}

}  // namespace sluice::agent
