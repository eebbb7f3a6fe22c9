#include "signaling/agent/shards.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "signaling/transport/shard_of.h"
#include "signaling/transport/sockaddr.h"
#include "signaling/transport/tls_context.h"

namespace sluice::agent {
namespace {

// A place in the list of calls: behind the call of this time and id. Pages begin behind it.
struct Position {
  absl::Time time = absl::InfiniteFuture();
  std::string call_id;

  std::string ToToken() const { return absl::StrCat(absl::ToUnixNanos(time), "-", call_id); }

  static std::optional<Position> FromToken(absl::string_view token) {
    if (token.empty()) return Position();
    const size_t dash = token.find('-');
    int64_t nanoseconds = 0;
    if (dash == absl::string_view::npos || !absl::SimpleAtoi(token.substr(0, dash), &nanoseconds)) return std::nullopt;
    return Position{absl::FromUnixNanos(nanoseconds), std::string(token.substr(dash + 1))};
  }
};

bool IsNewer(const CallSummary& a, const CallSummary& b) {
  return std::pair(a.start_time, absl::string_view(a.call_id)) > std::pair(b.start_time, absl::string_view(b.call_id));
}

// One page, put together from what each shard has for it.
class MergedPage {
 public:
  MergedPage(size_t shards, size_t page_size, std::function<void(absl::StatusOr<CallPage>)> done)
      : page_size_(page_size), done_(std::move(done)), missing_(shards) {}

  void Add(std::vector<CallSummary> calls) {
    CallPage page;
    {
      absl::MutexLock lock(&mutex_);
      std::move(calls.begin(), calls.end(), std::back_inserter(calls_));
      if (--missing_ > 0) return;
      page.calls.swap(calls_);
    }
    std::sort(page.calls.begin(), page.calls.end(), IsNewer);
    // Each shard gave one more than the page has, so what is left over says that there is another page.
    if (page.calls.size() > page_size_) {
      page.calls.resize(page_size_);
      page.next_token = Position{page.calls.back().start_time, page.calls.back().call_id}.ToToken();
    }
    done_(std::move(page));
  }

 private:
  const size_t page_size_;
  const std::function<void(absl::StatusOr<CallPage>)> done_;
  absl::Mutex mutex_;
  size_t missing_ ABSL_GUARDED_BY(mutex_);
  std::vector<CallSummary> calls_ ABSL_GUARDED_BY(mutex_);
};

void Note(const std::string& call_id, const absl::Status& status, Restoration& restoration) {
  if (status.ok()) {
    ++restoration.restored;
  } else if (!absl::IsAlreadyExists(status) && restoration.lost++ == 0) {
    restoration.reason = absl::StrCat(call_id, ": ", status.message());
  }
}

// The calls of one that is gone, put together from what the shards make of them.
class Takeover {
 public:
  Takeover(size_t calls, std::function<void(const Restoration&)> done) : done_(std::move(done)), missing_(calls) {
    if (calls == 0) done_({});
  }

  void Add(const std::string& call_id, const absl::Status& status) {
    Restoration restoration;
    {
      absl::MutexLock lock(&mutex_);
      Note(call_id, status, restoration_);
      if (--missing_ > 0) return;
      restoration = restoration_;
    }
    done_(restoration);
  }

 private:
  const std::function<void(const Restoration&)> done_;
  absl::Mutex mutex_;
  size_t missing_ ABSL_GUARDED_BY(mutex_);
  Restoration restoration_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

Shards::Shards(const ShardsOptions& options, fleet::Fleet& fleet, cluster::Cluster* cluster)
    : on_takeover_(options.on_takeover),
      on_ousted_(options.on_ousted),
      fleet_(fleet),
      cluster_(cluster),
      mesh_(options.shards, options.strangers),
      start_time_(time_.Now()) {}

absl::StatusOr<std::unique_ptr<Shards>> Shards::Start(const ShardsOptions& options, fleet::Fleet& fleet,
                                                      store::Store& store, hep::Sink* hep, cluster::Cluster* cluster,
                                                      admission::Admission* admission) {
  std::unique_ptr<Shards> shards(new Shards(options, fleet, cluster));
  transport::ShardTransportOptions transport = options.transport;
  auto tls = transport::ReadTlsContexts(transport.listeners, options.tls_client);
  if (!tls.ok()) return tls.status();
  tls->trunks = options.trunk_tls;
  shards->tls_ = std::make_shared<const transport::TlsContexts>(*std::move(tls));
  transport.tls = shards->tls_;
  shards->tls_client_ = options.tls_client;
  AgentOptions agent = options.agent;
  {
    absl::MutexLock lock(&shards->plan_mutex_);
    shards->plan_ = agent.present.plan;
  }
  for (size_t index = 0; index < options.shards; ++index) {
    auto shard = Shard::Open(index, agent, transport, options.dns,
                             {shards->mesh_, shards->time_, fleet, store, shards->limiter_, shards->trunks_, *shards,
                              shards->health_, hep, cluster, admission});
    if (!shard.ok()) return shard.status();
    // The bindings and trunks are everybody's; one shard is enough to look after them.
    agent.keepalive_interval = absl::ZeroDuration();
    agent.looks_after_trunks = false;
    // Where the kernel chose a port, the others share it.
    transport.listeners = (*shard)->listeners();
    shards->shards_.push_back(*std::move(shard));
  }
  fleet.SetListener(shards.get());
  shards->RestoreCalls(store);
  for (const std::unique_ptr<Shard>& shard : shards->shards_) shard->Start();
  if (cluster != nullptr) cluster->SetListener(shards.get());
  return shards;
}

void Shards::RestoreCalls(store::Store& store) {
  for (const store::StandingCall& kept : store.TakeStandingCalls()) {
    Note(kept.call_id, OwnerOf(kept.call_id).Restore(kept), restoration_);
  }
}

void Shards::OnTakeover(const cluster::GoneRun& gone, std::vector<store::StandingCall> calls) {
  fleet_.Fence(gone.name, gone.epoch + 1);
  const auto takeover = std::make_shared<Takeover>(
      calls.size(), [this, name = gone.name](const Restoration& restoration) { on_takeover_(name, restoration); });
  for (store::StandingCall& kept : calls) {
    Shard& owner = OwnerOf(kept.call_id);
    owner.Post([takeover, kept = std::move(kept)](Agent& agent, absl::Time now) {
      takeover->Add(kept.call_id, agent.Restore(kept, now));
    });
  }
}

void Shards::OnOusted(const std::string& successor) {
  for (const std::unique_ptr<Shard>& shard : shards_) shard->Halt();
  on_ousted_(successor);
}

Shards::~Shards() {
  if (cluster_ != nullptr) cluster_->SetListener(nullptr);
  fleet_.SetListener(nullptr);
  for (const std::unique_ptr<Shard>& shard : shards_) shard->Stop();
}

bool Shards::Stop(absl::Duration limit) {
  // What somebody else has left is for those that stay.
  if (cluster_ != nullptr) cluster_->SetListener(nullptr);
  const absl::Time deadline = absl::Now() + limit;
  for (const std::unique_ptr<Shard>& shard : shards_) shard->Drain();
  bool idle = true;
  for (const std::unique_ptr<Shard>& shard : shards_) idle = shard->WaitUntilIdle(deadline) && idle;
  fleet_.SetListener(nullptr);
  for (const std::unique_ptr<Shard>& shard : shards_) shard->Stop();
  return idle;
}

void Shards::SetPresentOptions(const PresentOptions& options, const transport::TrunkTlsContexts& trunk_tls) {
  // Before the plan, so that no call meets a trunk whose certificate is not there yet. A trunk that is gone keeps its
  // own for the calls that it still has.
  transport::TlsContexts tls = *tls_;
  for (const auto& [trunk, context] : trunk_tls) tls.trunks[trunk] = context;
  SetTls(std::move(tls));
  {
    absl::MutexLock lock(&plan_mutex_);
    plan_ = options.plan;
  }
  for (const std::unique_ptr<Shard>& shard : shards_) {
    shard->Post([options](Agent& agent, absl::Time now) { agent.SetPresentOptions(options, now); });
  }
}

absl::Status Shards::ReloadTls() {
  auto contexts = transport::ReadTlsContexts(listeners(), tls_client_);
  if (!contexts.ok()) return contexts.status();
  contexts->trunks = tls_->trunks;
  SetTls(*std::move(contexts));
  return absl::OkStatus();
}

void Shards::SetTls(transport::TlsContexts contexts) {
  tls_ = std::make_shared<const transport::TlsContexts>(std::move(contexts));
  for (const std::unique_ptr<Shard>& shard : shards_) shard->SetTls(tls_);
}

Shard& Shards::OwnerOf(absl::string_view call_id) const {
  return *shards_[transport::ShardOf(call_id, shards_.size())];
}

void Shards::ListCalls(size_t page_size, std::string token, std::function<void(absl::StatusOr<CallPage>)> done) {
  const std::optional<Position> position = Position::FromToken(token);
  if (!position.has_value()) {
    done(absl::InvalidArgumentError("page_token: is none that a page has given"));
    return;
  }
  const auto page = std::make_shared<MergedPage>(shards_.size(), page_size, std::move(done));
  for (const std::unique_ptr<Shard>& shard : shards_) {
    shard->Post([page, page_size, position](Agent& agent, absl::Time) {
      page->Add(agent.Page(position->time, position->call_id, page_size + 1));
    });
  }
}

void Shards::GetCall(std::string call_id, bool include_messages,
                     std::function<void(absl::StatusOr<CallDetails>)> done) {
  Shard& owner = OwnerOf(call_id);
  owner.Post([call_id = std::move(call_id), include_messages, done = std::move(done)](Agent& agent, absl::Time) {
    done(agent.GetCall(call_id, include_messages));
  });
}

void Shards::HangUpCall(std::string call_id, std::function<void(absl::Status)> done) {
  Shard& owner = OwnerOf(call_id);
  owner.Post([call_id = std::move(call_id), done = std::move(done)](Agent& agent, absl::Time now) {
    done(agent.HangUpCall(call_id, now));
  });
}

void Shards::SetDraining(bool draining) {
  draining_ = draining;
  for (const std::unique_ptr<Shard>& shard : shards_) {
    shard->Post([draining](Agent& agent, absl::Time) { agent.SetTakesCalls(!draining); });
  }
}

void Shards::FindReplacement(const ReplacementRequest& request, std::function<void(Router::Route)> done) {
  OwnerOf(request.dialog.call_id).Post([request, done = std::move(done)](Agent& agent, absl::Time) {
    done(agent.FindReplacement(request));
  });
}

std::vector<TrunkSummary> Shards::Trunks() const {
  std::shared_ptr<const routing::Plan> plan;
  {
    absl::MutexLock lock(&plan_mutex_);
    plan = plan_;
  }
  std::vector<TrunkSummary> trunks;
  for (const std::shared_ptr<const routing::Trunk>& trunk : plan->trunks()) {
    TrunkSummary& summary = trunks.emplace_back();
    summary.name = trunk->name;
    for (const routing::TrunkPeer& peer : trunk->peers) {
      summary.peers.push_back(absl::StrCat(peer.protocol ? transport::TransportName(*peer.protocol) : "dns", ":",
                                           peer.host, peer.port == 0 ? "" : absl::StrCat(":", peer.port)));
    }
    summary.registration = trunks_.Find(trunk->name);
    summary.usage = limiter_.UsageOf(CallLimiter::TrunkKey(trunk->name));
  }
  return trunks;
}

SignalingStatistics Shards::Statistics() const {
  SignalingStatistics statistics;
  statistics.trunks = Trunks();
  statistics.start_time = start_time_;
  statistics.draining = draining_;
  for (const std::unique_ptr<Shard>& shard : shards_) {
    shard->counters().AddTo(statistics);
    const transport::TransportCounters& transport = shard->transport_counters();
    for (size_t reason = 0; reason < static_cast<size_t>(transport::DropReason::kCount); ++reason) {
      const auto drop = static_cast<transport::DropReason>(reason);
      statistics.dropped_messages[std::string(transport::DropReasonName(drop))] += transport.Dropped(drop);
    }
  }
  return statistics;
}

void Shards::OnSessionEvent(const std::string&, const relay::v1::Event& event) {
  OwnerOf(event.session_id()).Post([event](Agent& agent, absl::Time now) { agent.OnSessionEvent(event, now); });
}

void Shards::OnSessionLost(const std::string&, const std::string& session_id, const absl::Status& reason) {
  OwnerOf(session_id).Post([session_id, reason](Agent& agent, absl::Time now) {
    agent.OnSessionLost(session_id, reason, now);
  });
}

}  // namespace sluice::agent
