#include "signaling/agent/shard.h"

#include <pthread.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "process/paced_loop.h"
#include "signaling/dns/caching_client.h"
#include "signaling/dns/record.h"
#include "signaling/dns/sip_resolver.h"

namespace sluice::agent {

namespace asio = boost::asio;
namespace {

// How often a shard that is busy looks for more.
constexpr std::chrono::milliseconds kTurn(1);
// A controller of a cluster that was stopped for so long may have a successor by now, which its cluster hears of in a
// moment. Until then nothing is done for calls that may be somebody else's.
constexpr absl::Duration kStall = absl::Seconds(2);
constexpr absl::Duration kAfterStall = absl::Milliseconds(500);

}  // namespace

Shard::Shard(size_t index, const Surroundings& surroundings)
    : index_(index),
      surroundings_(surroundings),
      context_(std::make_shared<asio::io_context>(1)),
      deadline_timer_(*context_),
      sweep_timer_(*context_) {}

absl::StatusOr<std::unique_ptr<Shard>> Shard::Open(size_t index, const AgentOptions& agent,
                                                   const transport::ShardTransportOptions& transport,
                                                   const dns::CaresClientOptions& dns,
                                                   const Surroundings& surroundings) {
  std::unique_ptr<Shard> shard(new Shard(index, surroundings));
  auto opened =
      transport::ShardTransport::Open(*shard->context_, index, surroundings.mesh, transport,
                                      {.receive =
                                           [shard = shard.get()](const sip::Hop& hop, absl::string_view message) {
                                             shard->agent_->OnMessage(hop, message, shard->surroundings_.time.Now());
                                             shard->AfterWork();
                                           },
                                       .undelivered =
                                           [shard = shard.get()](const sip::Hop&, absl::string_view message) {
                                             shard->agent_->OnUndelivered(message, shard->surroundings_.time.Now());
                                             shard->AfterWork();
                                           }});
  if (!opened.ok()) return opened.status();
  shard->transport_ = *std::move(opened);
  if (absl::Status status = shard->OpenDns(dns); !status.ok()) return status;
  PostFunction post = [shard = shard.get(), context = shard->context_](std::function<void(absl::Time)> work) {
    asio::post(*context, [shard, work = std::move(work)] {
      work(shard->surroundings_.time.Now());
      shard->AfterWork();
    });
  };
  shard->agent_ = std::make_unique<Agent>(
      agent,
      Agent::Surroundings{*shard->transport_, surroundings.fleet, surroundings.store, surroundings.limiter,
                          surroundings.trunks, surroundings.dialogs, surroundings.health, *shard->resolver_,
                          surroundings.hep, surroundings.cluster, surroundings.admission},
      IdSource(index, surroundings.mesh.size()), std::move(post));
  return shard;
}

absl::Status Shard::OpenDns(const dns::CaresClientOptions& options) {
  auto client = dns::CaresClient::Open(*context_, options);
  if (!client.ok()) return client.status();
  dns_client_ = *std::move(client);
  dns_cache_ = std::make_unique<dns::CachingClient>(*dns_client_, [this] { return surroundings_.time.Now(); });
  // What our listeners can send by.
  dns::SipResolverOptions resolver = {.protocols = {}, .families = {}};
  for (const sip::Protocol protocol : {sip::Protocol::kUdp, sip::Protocol::kTcp, sip::Protocol::kTls}) {
    const auto speaks = [&](const transport::Listener& listener) { return listener.protocol == protocol; };
    if (std::any_of(listeners().begin(), listeners().end(), speaks)) resolver.protocols.push_back(protocol);
  }
  for (const dns::RecordType family : {dns::RecordType::kA, dns::RecordType::kAaaa}) {
    const auto has = [&](const transport::Listener& listener) {
      return listener.address.is_v6 == (family == dns::RecordType::kAaaa);
    };
    if (std::any_of(listeners().begin(), listeners().end(), has)) resolver.families.push_back(family);
  }
  resolver_ = std::make_unique<dns::SipResolver>(
      *dns_cache_, [this](uint32_t bound) { return absl::Uniform<uint32_t>(absl::IntervalClosed, random_, 0, bound); },
      resolver);
  return absl::OkStatus();
}

Shard::~Shard() { Stop(); }

absl::Status Shard::Restore(const store::StandingCall& kept) { return agent_->Restore(kept, surroundings_.time.Now()); }

void Shard::Start() {
  SweepEverySecond();
  WaitForDeadline();
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), absl::StrCat("sip-", index_).c_str());
    Run();
  });
}

void Shard::Run() {
  process::RunPaced(
      kTurn, [this] { return context_->run_one() != 0; }, [this] { return context_->poll() != 0; });
}

void Shard::Drain() {
  Post([this](Agent& agent, absl::Time now) {
    draining_ = true;
    agent.Drain(now);
  });
}

bool Shard::WaitUntilIdle(absl::Time deadline) {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithDeadline(absl::Condition(&idle_), deadline);
}

void Shard::Stop() {
  if (!thread_.joinable()) return;
  Post([this](Agent& agent, absl::Time now) {
    agent.Stop(now);
    transport_->Flush();
    context_->stop();
  });
  thread_.join();
}

void Shard::Post(Work work) {
  asio::post(*context_, [this, work = std::move(work)] {
    work(*agent_, surroundings_.time.Now());
    AfterWork();
  });
}

void Shard::SetTls(std::shared_ptr<const transport::TlsContexts> contexts) {
  Post([this, contexts = std::move(contexts)](Agent&, absl::Time) { transport_->SetTls(contexts); });
}

void Shard::AfterWork() {
  WaitForDeadline();
  if (draining_ && agent_->idle()) {
    absl::MutexLock lock(&mutex_);
    idle_ = true;
  }
}

void Shard::WaitForDeadline() {
  const absl::Time next = std::max(agent_->NextDeadline(), not_before_);
  if (next >= armed_) return;
  armed_ = next;
  const absl::Duration wait = std::max(next - surroundings_.time.Now(), absl::ZeroDuration());
  deadline_timer_.expires_after(absl::ToChronoNanoseconds(wait));
  deadline_timer_.async_wait([this](const boost::system::error_code& error) {
    // It was set to an earlier time meanwhile.
    if (error) return;
    const absl::Time due = std::exchange(armed_, absl::InfiniteFuture());
    const absl::Time now = surroundings_.time.Now();
    if (surroundings_.cluster != nullptr && now - due > kStall) {
      not_before_ = now + kAfterStall;
    } else {
      agent_->Advance(now);
    }
    AfterWork();
  });
}

void Shard::SweepEverySecond() {
  sweep_timer_.expires_after(std::chrono::seconds(1));
  sweep_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    transport_->Sweep();
    // The bindings are everybody's; one shard is enough to look after them.
    if (index_ == 0) surroundings_.store.ExpireBindings(surroundings_.time.Now());
    // Other shards may have found servers down that this one looks after.
    AfterWork();
    SweepEverySecond();
  });
}

}  // namespace sluice::agent
