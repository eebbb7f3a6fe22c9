#include "signaling/fleet/relay_fake.h"

#include <grpcpp/ext/health_check_service_server_builder_option.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server_builder.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace sluice::fleet {

using relay::v1::Event;
using relay::v1::Session;
using relay::v1::SessionState;
using relay::v1::SessionWrite;
using relay::v1::Writer;

namespace {

constexpr uint32_t kFirstPort = 20000;
// How long a test waits for something that has to happen.
constexpr absl::Duration kPatience = absl::Seconds(20);
// How often a call looks whether it was cancelled.
constexpr absl::Duration kGlance = absl::Milliseconds(10);

std::string MakeFolder() {
  char name[] = "/tmp/sluice-relay-fake-XXXXXX";
  return mkdtemp(name);
}

}  // namespace

class FakeRelay::RelayServiceImpl final : public relay::v1::RelayService::Service {
 public:
  RelayServiceImpl(FakeRelay* relay, int generation) : relay_(relay), generation_(generation) {}

  grpc::Status GetRelay(grpc::ServerContext* context, const relay::v1::GetRelayRequest*,
                        relay::v1::GetRelayResponse* response) override {
    absl::MutexLock lock(&relay_->mutex_);
    if (!relay_->AwaitVoice(generation_, context)) return grpc::Status::CANCELLED;
    response->mutable_relay()->set_name(relay_->name_);
    response->mutable_relay()->set_instance_id(absl::StrCat(relay_->name_, "#", relay_->instance_));
    response->mutable_relay()->set_draining(relay_->draining_);
    response->mutable_relay()->set_session_capacity(10000);
    return grpc::Status::OK;
  }

  grpc::Status WatchStats(grpc::ServerContext* context, const relay::v1::WatchStatsRequest* request,
                          grpc::ServerWriter<relay::v1::WatchStatsResponse>* writer) override {
    const absl::Duration interval =
        absl::Seconds(request->interval().seconds()) + absl::Nanoseconds(request->interval().nanos());
    absl::MutexLock lock(&relay_->mutex_);
    while (relay_->AwaitVoice(generation_, context)) {
      relay::v1::WatchStatsResponse response;
      response.mutable_relay()->set_sessions(relay_->sessions_.size());
      if (!writer->Write(response)) break;
      relay_->Linger(generation_, interval);
    }
    return grpc::Status::CANCELLED;
  }

 private:
  FakeRelay* const relay_;
  const int generation_;
};

class FakeRelay::SessionServiceImpl final : public relay::v1::SessionService::Service {
 public:
  SessionServiceImpl(FakeRelay* relay, int generation) : relay_(relay), generation_(generation) {}

  grpc::Status GetSession(grpc::ServerContext* context, const relay::v1::GetSessionRequest* request,
                          relay::v1::GetSessionResponse* response) override {
    absl::MutexLock lock(&relay_->mutex_);
    if (!relay_->AwaitVoice(generation_, context)) return grpc::Status::CANCELLED;
    const auto found = relay_->sessions_.find(request->session_id());
    if (found == relay_->sessions_.end()) return grpc::Status(grpc::StatusCode::NOT_FOUND, "session_id: unknown");
    *response->mutable_session() = found->second.state;
    return grpc::Status::OK;
  }

  grpc::Status ListSessions(grpc::ServerContext* context, const relay::v1::ListSessionsRequest* request,
                            relay::v1::ListSessionsResponse* response) override {
    absl::MutexLock lock(&relay_->mutex_);
    if (!relay_->AwaitVoice(generation_, context)) return grpc::Status::CANCELLED;
    for (auto it = relay_->sessions_.upper_bound(request->page_token()); it != relay_->sessions_.end(); ++it) {
      // Pages of two, so that every test turns some.
      if (response->sessions_size() == 2) {
        response->set_next_page_token(response->sessions(1).session_id());
        break;
      }
      *response->add_sessions() = it->second.state;
    }
    return grpc::Status::OK;
  }

  grpc::Status ApplySessions(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<relay::v1::ApplySessionsResponse, relay::v1::ApplySessionsRequest>* stream) override {
    relay::v1::ApplySessionsRequest request;
    while (stream->Read(&request)) {
      relay::v1::ApplySessionsResponse response;
      {
        absl::MutexLock lock(&relay_->mutex_);
        if (!relay_->AwaitVoice(generation_, context)) break;
        ++relay_->batches_;
        for (const SessionWrite& write : request.writes()) {
          relay::v1::SessionWriteResult* result = response.add_results();
          const absl::Status status = relay_->Write(request.writer(), write, result->mutable_session());
          result->mutable_status()->set_code(static_cast<int>(status.code()));
          result->mutable_status()->set_message(std::string(status.message()));
        }
        while (relay_->hold_ && !relay_->IsOver(generation_, context)) relay_->Linger(generation_, kGlance);
        if (relay_->IsOver(generation_, context)) break;
      }
      stream->Write(response);
    }
    return grpc::Status::CANCELLED;
  }

  grpc::Status WatchEvents(grpc::ServerContext* context, const relay::v1::WatchEventsRequest* request,
                           grpc::ServerWriter<relay::v1::WatchEventsResponse>* writer) override {
    absl::MutexLock lock(&relay_->mutex_);
    size_t next = relay_->events_.size();
    const std::string instance = absl::StrCat(relay_->instance_);
    if (!request->resume_token().empty()) {
      const std::pair<std::string, std::string> parts =
          absl::StrSplit(request->resume_token(), absl::MaxSplits('.', 1));
      uint64_t seen = 0;
      if (!absl::SimpleAtoi(parts.second, &seen) || (parts.first == instance && seen > next)) {
        return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "resume_token: not one of this relay");
      }
      next = parts.first == instance ? seen : 0;
    }
    bool first = true;
    while (relay_->AwaitVoice(generation_, context)) {
      if (first || next < relay_->events_.size()) {
        relay::v1::WatchEventsResponse response;
        for (; next < relay_->events_.size(); ++next) *response.add_events() = relay_->events_[next];
        response.set_resume_token(absl::StrCat(instance, ".", next));
        if (!writer->Write(response)) break;
        first = false;
      }
      relay_->Linger(generation_, kGlance);
    }
    return grpc::Status::CANCELLED;
  }

 private:
  FakeRelay* const relay_;
  const int generation_;
};

FakeRelay::FakeRelay(std::string name)
    : name_(std::move(name)), folder_(MakeFolder()), address_(absl::StrCat("unix:", folder_, "/relay.sock")) {
  server_ = Serve();
}

FakeRelay::~FakeRelay() {
  Kill();
  rmdir(folder_.c_str());
}

std::string FakeRelay::SocketOf(int generation) const { return absl::StrCat(folder_, "/", generation, ".sock"); }

FakeRelay::Server FakeRelay::Serve() {
  int generation = 0;
  bool draining = false;
  {
    absl::MutexLock lock(&mutex_);
    generation = generation_ + 1;
    draining = draining_;
  }
  Server server;
  server.relay_service = std::make_unique<RelayServiceImpl>(this, generation);
  server.session_service = std::make_unique<SessionServiceImpl>(this, generation);
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + SocketOf(generation), grpc::InsecureServerCredentials());
  builder.RegisterService(server.relay_service.get());
  builder.RegisterService(server.session_service.get());
  server.grpc = builder.BuildAndStart();
  server.grpc->GetHealthCheckService()->SetServingStatus("sluice.relay.v1.Admission", !draining);
  const std::string link = folder_ + "/relay.sock";
  const std::string next = link + ".next";
  // A rename puts the new link in the place of the old one at once.
  if (symlink(SocketOf(generation).c_str(), next.c_str()) != 0 || rename(next.c_str(), link.c_str()) != 0) {
    std::perror(link.c_str());
    std::abort();
  }
  // Who is cut off now finds the new server.
  absl::MutexLock lock(&mutex_);
  generation_ = generation;
  return server;
}

void FakeRelay::Shutdown(Server server) {
  server.grpc->Shutdown(std::chrono::system_clock::now());
  server.grpc->Wait();
}

void FakeRelay::Kill() {
  if (server_.grpc == nullptr) return;
  {
    absl::MutexLock lock(&mutex_);
    ++generation_;
  }
  unlink((folder_ + "/relay.sock").c_str());
  Shutdown(std::exchange(server_, Server()));
  absl::MutexLock lock(&mutex_);
  sessions_.clear();
  tombstones_.clear();
  events_.clear();
  silent_ = false;
  hold_ = false;
}

void FakeRelay::Start() {
  {
    absl::MutexLock lock(&mutex_);
    ++instance_;
  }
  server_ = Serve();
}

void FakeRelay::CutConnections() {
  Server next = Serve();
  Shutdown(std::exchange(server_, std::move(next)));
}

void FakeRelay::SetSilent(bool silent) {
  absl::MutexLock lock(&mutex_);
  silent_ = silent;
}

void FakeRelay::HoldAnswers(bool hold) {
  absl::MutexLock lock(&mutex_);
  hold_ = hold;
}

void FakeRelay::SetDraining(bool draining) {
  {
    absl::MutexLock lock(&mutex_);
    draining_ = draining;
  }
  server_.grpc->GetHealthCheckService()->SetServingStatus("sluice.relay.v1.Admission", !draining);
}

void FakeRelay::RefuseNext(absl::Status status) {
  absl::MutexLock lock(&mutex_);
  refusals_.push_back(std::move(status));
}

void FakeRelay::OccupyPort(uint32_t port) {
  absl::MutexLock lock(&mutex_);
  occupied_.insert(port);
}

void FakeRelay::PlantSession(const std::string& session_id, const std::string& shard) {
  absl::MutexLock lock(&mutex_);
  Entry& entry = sessions_[session_id];
  entry.session.set_session_id(session_id);
  entry.state.set_session_id(session_id);
  entry.state.set_shard(shard);
}

void FakeRelay::EndSession(const std::string& session_id) {
  absl::MutexLock lock(&mutex_);
  sessions_.erase(session_id);
  tombstones_.insert(session_id);
}

void FakeRelay::Emit(Event event) {
  absl::MutexLock lock(&mutex_);
  AddEvent(std::move(event));
}

void FakeRelay::AddEvent(Event event) { events_.push_back(std::move(event)); }

bool FakeRelay::IsOver(int generation, const grpc::ServerContext* context) const {
  return generation < generation_ || context->IsCancelled();
}

void FakeRelay::Linger(int generation, absl::Duration duration) const {
  const auto another = [this, generation]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return generation < generation_; };
  mutex_.AwaitWithTimeout(absl::Condition(&another), duration);
}

bool FakeRelay::AwaitVoice(int generation, const grpc::ServerContext* context) const {
  while (silent_ && !IsOver(generation, context)) Linger(generation, kGlance);
  return !IsOver(generation, context);
}

std::set<uint32_t> FakeRelay::PortsInUse() const {
  std::set<uint32_t> used = occupied_;
  for (const auto& [id, entry] : sessions_) {
    for (const relay::v1::StreamState& stream : entry.state.streams()) {
      for (const relay::v1::LegState& leg : stream.legs()) used.insert(leg.local().port());
    }
  }
  return used;
}

absl::Status FakeRelay::Write(const Writer& writer, const SessionWrite& write, SessionState* state) {
  ++writes_;
  last_writer_ = writer;
  if (!refusals_.empty()) {
    const absl::Status refusal = refusals_.front();
    refusals_.erase(refusals_.begin());
    return refusal;
  }
  if (write.has_delete_()) {
    const auto found = sessions_.find(write.delete_());
    tombstones_.insert(write.delete_());
    if (found == sessions_.end()) return absl::OkStatus();
    *state = found->second.state;
    sessions_.erase(found);
    return absl::OkStatus();
  }
  if (write.has_create()) {
    if (draining_) return absl::ResourceExhaustedError("the relay drains");
    return Put(writer, write.create(), state);
  }
  if (!write.allow_missing() && !sessions_.contains(write.update().session_id())) {
    return absl::NotFoundError("session_id: unknown");
  }
  return Put(writer, write.update(), state);
}

absl::Status FakeRelay::Put(const Writer& writer, const Session& session, SessionState* state) {
  if (tombstones_.contains(session.session_id())) return absl::FailedPreconditionError("session_id: was deleted");
  std::set<uint32_t> used = PortsInUse();
  const auto old = sessions_.find(session.session_id());
  SessionState next;
  next.set_session_id(session.session_id());
  next.set_shard(writer.shard());
  for (const relay::v1::Stream& stream : session.streams()) {
    relay::v1::StreamState* stream_state = next.add_streams();
    stream_state->set_stream_id(stream.stream_id());
    for (int leg = 0; leg < stream.legs_size(); ++leg) {
      uint32_t port = stream.legs(leg).requested_local().port();
      const bool kept = old != sessions_.end() && next.streams_size() <= old->second.state.streams_size();
      if (kept) {
        port = old->second.state.streams(next.streams_size() - 1).legs(leg).local().port();
      } else if (port != 0 && used.contains(port)) {
        return absl::ResourceExhaustedError(absl::StrCat("requested_local: port ", port, " is taken"));
      }
      if (port == 0) {
        port = kFirstPort;
        while (used.contains(port)) port += 2;
      }
      used.insert(port);
      relay::v1::LegState* leg_state = stream_state->add_legs();
      leg_state->mutable_local()->set_address("198.18.1.1");
      leg_state->mutable_local()->set_port(port);
      *leg_state->mutable_advertised() = leg_state->local();
    }
  }
  sessions_[session.session_id()] = {session, next};
  *state = next;
  return absl::OkStatus();
}

std::vector<std::string> FakeRelay::SessionIds() const {
  absl::MutexLock lock(&mutex_);
  std::vector<std::string> ids;
  for (const auto& [id, entry] : sessions_) ids.push_back(id);
  return ids;
}

Session FakeRelay::SessionOf(const std::string& session_id) const {
  absl::MutexLock lock(&mutex_);
  const auto found = sessions_.find(session_id);
  return found == sessions_.end() ? Session() : found->second.session;
}

SessionState FakeRelay::StateOf(const std::string& session_id) const {
  absl::MutexLock lock(&mutex_);
  const auto found = sessions_.find(session_id);
  return found == sessions_.end() ? SessionState() : found->second.state;
}

Writer FakeRelay::last_writer() const {
  absl::MutexLock lock(&mutex_);
  return last_writer_;
}

uint64_t FakeRelay::writes() const {
  absl::MutexLock lock(&mutex_);
  return writes_;
}

uint64_t FakeRelay::batches() const {
  absl::MutexLock lock(&mutex_);
  return batches_;
}

bool FakeRelay::WaitForSessions(const std::set<std::string>& ids) const {
  const auto holds = [this, &ids]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return sessions_.size() == ids.size() &&
           std::all_of(ids.begin(), ids.end(), [this](const std::string& id) { return sessions_.contains(id); });
  };
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&holds), kPatience);
}

bool FakeRelay::WaitForWrites(uint64_t writes) const {
  const auto holds = [this, writes]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return writes_ >= writes; };
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&holds), kPatience);
}

}  // namespace sluice::fleet
