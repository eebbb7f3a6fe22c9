#include "datapath/service/apply_stream.h"

#include "absl/strings/str_cat.h"
#include "datapath/service/from_proto.h"
#include "datapath/service/to_proto.h"
#include "process/grpc_status.h"

namespace sluice::service {
namespace {

using google::protobuf::Arena;

constexpr int kMaxWrites = 256;
constexpr size_t kBlockBytes = 512 * 1024;

google::protobuf::ArenaOptions Within(char* block) {
  google::protobuf::ArenaOptions options;
  options.initial_block = block;
  options.initial_block_size = kBlockBytes;
  return options;
}

}  // namespace

ApplyStream::ApplyStream(ControlLoop& loop, session::SessionModel& model)
    : loop_(loop), model_(model), block_(new char[kBlockBytes]), arena_(Within(block_.get())) {
  ReadBatch();
}

void ApplyStream::ReadBatch() {
  arena_.Reset();
  request_ = Arena::CreateMessage<relay::v1::ApplySessionsRequest>(&arena_);
  response_ = Arena::CreateMessage<relay::v1::ApplySessionsResponse>(&arena_);
  StartRead(request_);
}

void ApplyStream::OnReadDone(bool ok) {
  if (!ok) {
    Finish(grpc::Status::OK);
    return;
  }
  if (request_->writes_size() > kMaxWrites) {
    Finish(process::ToGrpcStatus(absl::InvalidArgumentError(
        absl::StrCat("writes has ", request_->writes_size(), " entries, allowed are ", kMaxWrites))));
    return;
  }
  ReadSpecs();
  const absl::Status posted = loop_.Post([this](const session::Moment& now) { Apply(now); });
  if (!posted.ok()) Finish(process::ToGrpcStatus(posted));
}

void ApplyStream::OnWriteDone(bool ok) {
  if (!ok) {
    Finish(grpc::Status::CANCELLED);
    return;
  }
  ReadBatch();
}

void ApplyStream::OnDone() { delete this; }

void ApplyStream::ReadSpecs() {
  specs_.clear();
  specs_.reserve(static_cast<size_t>(request_->writes_size()));
  for (const relay::v1::SessionWrite& write : request_->writes()) {
    switch (write.write_case()) {
      case relay::v1::SessionWrite::kCreate:
        specs_.push_back(FromProto(write.create()));
        break;
      case relay::v1::SessionWrite::kUpdate:
        specs_.push_back(FromProto(write.update()));
        break;
      case relay::v1::SessionWrite::kDelete:
        specs_.push_back(session::SessionSpec());
        break;
      case relay::v1::SessionWrite::WRITE_NOT_SET:
        specs_.push_back(absl::InvalidArgumentError("write is required, allowed are create, update, delete"));
        break;
    }
  }
}

absl::StatusOr<session::SessionState> ApplyStream::ApplyOne(int item, const session::Writer& writer,
                                                            const session::Moment& now) {
  const absl::StatusOr<session::SessionSpec>& spec = specs_[static_cast<size_t>(item)];
  if (!spec.ok()) return spec.status();
  const relay::v1::SessionWrite& write = request_->writes(item);
  switch (write.write_case()) {
    case relay::v1::SessionWrite::kCreate:
      return model_.CreateSession(writer, *spec, now);
    case relay::v1::SessionWrite::kUpdate:
      return model_.UpdateSession(writer, *spec, write.allow_missing(), now);
    default:
      return model_.DeleteSession(writer, write.delete_(), now);
  }
}

void ApplyStream::Apply(const session::Moment& now) {
  const session::Writer writer = FromProto(request_->writer());
  for (int i = 0; i < request_->writes_size(); ++i) {
    relay::v1::SessionWriteResult& result = *response_->add_results();
    const absl::StatusOr<session::SessionState> state = ApplyOne(i, writer, now);
    ToProto(state.status(), *result.mutable_status());
    if (state.ok() && !state->session_id.empty()) ToProto(*state, *result.mutable_session());
  }
  StartWrite(response_);
}

}  // namespace sluice::service
