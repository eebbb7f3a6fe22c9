#include "signaling/fleet/relay_connection.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace sluice::fleet {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using relay::v1::ApplySessionsRequest;
using relay::v1::ApplySessionsResponse;
using relay::v1::GetRelayRequest;
using relay::v1::GetRelayResponse;
using relay::v1::GetSessionRequest;
using relay::v1::GetSessionResponse;
using relay::v1::ListSessionsRequest;
using relay::v1::ListSessionsResponse;
using relay::v1::SessionState;
using relay::v1::WatchEventsRequest;
using relay::v1::WatchEventsResponse;
using relay::v1::WatchStatsRequest;
using relay::v1::WatchStatsResponse;

namespace {

constexpr char kAdmission[] = "sluice.relay.v1.Admission";
// What the relay takes in one batch.
constexpr size_t kBatchSize = 256;
// Batches on their way; more only wait in another place.
constexpr size_t kBatchesOnTheWay = 8;
constexpr int kPageSize = 1000;
// No session is called so: to delete it changes nothing.
constexpr char kNoSession[] = "fence";

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  // A channel of its own for each connection, so that the time of the next try is ours and not that of gRPC's back-off.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // Relays are reached directly and by address, whatever the environment says of proxies.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetMaxReceiveMessageSize(64 << 20);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

absl::Duration Since(std::chrono::steady_clock::time_point then) {
  return absl::FromChrono(std::chrono::steady_clock::now() - then);
}

}  // namespace

RelayConnection::RelayConnection(CallHome home, const std::string& address, const ConnectionOptions& options,
                                 Owner* owner)
    : home_(std::move(home)), options_(options), owner_(owner), channel_(MakeChannel(address)) {
  relay_service_ = relay::v1::RelayService::NewStub(channel_);
  session_service_ = relay::v1::SessionService::NewStub(channel_);
}

template <typename... Arguments>
std::function<void(Arguments...)> RelayConnection::Guarded(void (RelayConnection::*function)(Arguments...)) {
  return [weak = weak_from_this(), function](Arguments... arguments) {
    const std::shared_ptr<RelayConnection> self = weak.lock();
    if (self != nullptr && !self->closed_) ((*self).*function)(std::forward<Arguments>(arguments)...);
  };
}

void RelayConnection::Start() {
  const auto prepare = [this](auto... arguments) { return relay_service_->PrepareAsyncGetRelay(arguments...); };
  contexts_.push_back(BeginUnary<GetRelayRequest, GetRelayResponse>(
      home_, GetRelayRequest(), options_.connect_timeout, prepare,
      [weak = weak_from_this()](const absl::Status& status, GetRelayResponse& response) {
        const std::shared_ptr<RelayConnection> self = weak.lock();
        if (self != nullptr && !self->closed_) self->OnRelay(status, response);
      }));
}

void RelayConnection::OnRelay(const absl::Status& status, const GetRelayResponse& response) {
  if (!status.ok()) {
    Lose(absl::Status(status.code(), absl::StrCat("cannot be reached: ", status.message())));
    return;
  }
  Heard();
  StartStreams(owner_->OnReached(response.relay()));
  WatchSilence();
  ListPage("");
}

void RelayConnection::StartStreams(const std::string& resume_token) {
  const std::weak_ptr<RelayConnection> weak = weak_from_this();
  // Any of these streams goes on for as long as the relay lives; its end is the end of the connection.
  const auto on_end = [weak](std::string what) {
    return [weak, what](const absl::Status& status) {
      const std::shared_ptr<RelayConnection> self = weak.lock();
      if (self == nullptr || self->closed_) return;
      const bool bad_token = what == "WatchEvents" && (absl::IsInvalidArgument(status) || absl::IsOutOfRange(status));
      self->Lose(absl::UnavailableError(absl::StrCat("ended ", what, status.ok() ? "" : ": ", status.message())),
                 bad_token);
    };
  };

  WatchEventsRequest events;
  events.set_resume_token(resume_token);
  contexts_.push_back(WatchCall<WatchEventsRequest, WatchEventsResponse>::Start(
      home_, events, [this](auto... arguments) { return session_service_->PrepareAsyncWatchEvents(arguments...); },
      [weak](WatchEventsResponse& response) {
        const std::shared_ptr<RelayConnection> self = weak.lock();
        if (self == nullptr || self->closed_) return;
        self->Heard();
        self->owner_->OnEvents(response);
      },
      on_end("WatchEvents")));

  HealthCheckRequest health;
  health.set_service(kAdmission);
  contexts_.push_back(WatchCall<HealthCheckRequest, HealthCheckResponse>::Start(
      home_, health,
      [stub = std::shared_ptr<Health::Stub>(Health::NewStub(channel_))](auto... arguments) {
        return stub->PrepareAsyncWatch(arguments...);
      },
      [weak](HealthCheckResponse& response) {
        const std::shared_ptr<RelayConnection> self = weak.lock();
        if (self == nullptr || self->closed_) return;
        self->Heard();
        self->owner_->OnAdmission(response.status() == HealthCheckResponse::SERVING       ? Admission::kServing
                                  : response.status() == HealthCheckResponse::NOT_SERVING ? Admission::kNotServing
                                                                                          : Admission::kUnknown);
      },
      on_end("grpc.health.v1 Watch")));

  WatchStatsRequest statistics;
  const int64_t interval = absl::ToInt64Nanoseconds(options_.heartbeat);
  statistics.mutable_interval()->set_seconds(interval / 1'000'000'000);
  statistics.mutable_interval()->set_nanos(static_cast<int32_t>(interval % 1'000'000'000));
  contexts_.push_back(WatchCall<WatchStatsRequest, WatchStatsResponse>::Start(
      home_, statistics, [this](auto... arguments) { return relay_service_->PrepareAsyncWatchStats(arguments...); },
      [weak](WatchStatsResponse& response) {
        const std::shared_ptr<RelayConnection> self = weak.lock();
        if (self == nullptr || self->closed_) return;
        self->Heard();
        self->owner_->OnStatistics(response.relay());
      },
      on_end("WatchStats")));

  ApplyCall::Handlers handlers;
  handlers.on_sent = [weak] {
    const std::shared_ptr<RelayConnection> self = weak.lock();
    if (self == nullptr || self->closed_) return;
    self->sending_ = false;
    self->Flush();
  };
  handlers.on_results = [weak](ApplySessionsResponse& response) {
    const std::shared_ptr<RelayConnection> self = weak.lock();
    if (self != nullptr && !self->closed_) self->OnResults(response);
  };
  handlers.on_broken = [weak] {
    const std::shared_ptr<RelayConnection> self = weak.lock();
    if (self == nullptr || self->apply_ == nullptr) return;
    std::exchange(self->apply_, nullptr)->Release();
  };
  handlers.on_end = on_end("ApplySessions");
  apply_ = ApplyCall::Start(home_, *session_service_, std::move(handlers));
}

void RelayConnection::ListPage(const std::string& token) {
  ListSessionsRequest request;
  request.set_page_size(kPageSize);
  request.set_page_token(token);
  request.set_identity_only(true);
  const auto prepare = [this](auto... arguments) { return session_service_->PrepareAsyncListSessions(arguments...); };
  contexts_.push_back(BeginUnary<ListSessionsRequest, ListSessionsResponse>(
      home_, request, options_.connect_timeout, prepare,
      [weak = weak_from_this()](const absl::Status& status, ListSessionsResponse& response) {
        const std::shared_ptr<RelayConnection> self = weak.lock();
        if (self == nullptr || self->closed_) return;
        if (!status.ok()) {
          self->Lose(absl::UnavailableError(absl::StrCat("cannot tell its sessions: ", status.message())));
          return;
        }
        self->Heard();
        for (SessionState& state : *response.mutable_sessions()) self->held_.push_back(std::move(state));
        if (!response.next_page_token().empty()) {
          self->contexts_.pop_back();
          self->ListPage(response.next_page_token());
        } else {
          self->owner_->OnReady(std::move(self->held_));
        }
      }));
}

void RelayConnection::Write(relay::v1::SessionWrite write, WriteDone done) {
  Queue({std::move(write), std::move(done)});
}

void RelayConnection::Fence(const std::string& writer, uint64_t epoch) {
  Pending pending = {.done = [](const absl::StatusOr<SessionState>&) {},
                     .writer = std::make_unique<relay::v1::Writer>()};
  pending.write.set_delete_(kNoSession);
  pending.writer->set_shard(writer);
  pending.writer->set_epoch(epoch);
  Queue(std::move(pending));
}

void RelayConnection::Queue(Pending pending) {
  queue_.push_back(std::move(pending));
  // All writes of this turn of the loop go in one batch.
  if (queue_.size() == 1) home_.loop.Post(Guarded(&RelayConnection::Flush));
}

void RelayConnection::Flush() {
  if (apply_ == nullptr || sending_ || queue_.empty() || sent_.size() >= kBatchesOnTheWay) return;
  ApplySessionsRequest request;
  const std::unique_ptr<relay::v1::Writer> other = std::move(queue_.front().writer);
  *request.mutable_writer() = other == nullptr ? options_.writer : *other;
  std::vector<WriteDone> dones;
  dones.reserve(std::min(queue_.size(), kBatchSize));
  // A batch has one writer.
  do {
    *request.add_writes() = std::move(queue_.front().write);
    dones.push_back(std::move(queue_.front().done));
    queue_.pop_front();
  } while (other == nullptr && dones.size() < kBatchSize && !queue_.empty() && queue_.front().writer == nullptr);
  sent_.push_back(std::move(dones));
  sending_ = true;
  apply_->Send(request);
}

void RelayConnection::OnResults(ApplySessionsResponse& response) {
  Heard();
  if (sent_.empty() || sent_.front().size() != static_cast<size_t>(response.results_size())) {
    Lose(absl::InternalError(absl::StrFormat("answered %d writes of %d in ApplySessions", response.results_size(),
                                             sent_.empty() ? 0 : sent_.front().size())));
    return;
  }
  const std::shared_ptr<RelayConnection> self = shared_from_this();
  const std::vector<WriteDone> dones = std::move(sent_.front());
  sent_.pop_front();
  Flush();
  for (size_t i = 0; i < dones.size(); ++i) {
    relay::v1::SessionWriteResult* result = response.mutable_results(static_cast<int>(i));
    if (result->status().code() == 0) {
      dones[i](std::move(*result->mutable_session()));
    } else {
      dones[i](absl::Status(static_cast<absl::StatusCode>(result->status().code()), result->status().message()));
    }
  }
}

void RelayConnection::Get(const std::string& session_id, absl::Duration timeout, WriteDone done) {
  GetSessionRequest request;
  request.set_session_id(session_id);
  const auto prepare = [this](auto... arguments) { return session_service_->PrepareAsyncGetSession(arguments...); };
  // Reads are not cancelled with the connection: they end with the channel, or by their own deadline.
  BeginUnary<GetSessionRequest, GetSessionResponse>(
      home_, request, timeout, prepare,
      [done = std::move(done)](const absl::Status& status, GetSessionResponse& response) {
        if (status.ok()) {
          done(std::move(*response.mutable_session()));
        } else {
          done(status);
        }
      });
}

void RelayConnection::WatchSilence() {
  const absl::Duration silence = Since(heard_);
  if (silence >= options_.silence_limit) {
    Lose(absl::UnavailableError(absl::StrCat("has said nothing for ", absl::FormatDuration(options_.silence_limit))));
    return;
  }
  silence_timer_ = home_.loop.After(options_.silence_limit - silence, Guarded(&RelayConnection::WatchSilence));
}

void RelayConnection::CancelAll() {
  closed_ = true;
  home_.loop.Cancel(silence_timer_);
  for (const SharedContext& context : contexts_) context->TryCancel();
  contexts_.clear();
  if (apply_ != nullptr) std::exchange(apply_, nullptr)->Release();
}

void RelayConnection::Lose(absl::Status reason, bool forget_token) {
  if (closed_) return;
  const std::shared_ptr<RelayConnection> self = shared_from_this();
  CancelAll();
  owner_->OnLost(reason, forget_token);
  const absl::Status lost = absl::UnavailableError(reason.message());
  for (const std::vector<WriteDone>& batch : std::exchange(sent_, {})) {
    for (const WriteDone& done : batch) done(lost);
  }
  for (const Pending& pending : std::exchange(queue_, {})) pending.done(lost);
}

void RelayConnection::Close() {
  if (closed_) return;
  CancelAll();
  sent_.clear();
  queue_.clear();
}

}  // namespace sluice::fleet
