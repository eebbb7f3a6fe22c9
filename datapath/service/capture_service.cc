#include "datapath/service/capture_service.h"

#include <pthread.h>

#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "process/checks.h"
#include "spdlog/spdlog.h"

namespace sluice::service {
namespace {

constexpr absl::Duration kDefaultDuration = absl::Seconds(60);
constexpr absl::Duration kShortest = absl::Seconds(1);
constexpr absl::Duration kLongest = absl::Hours(1);
constexpr uint64_t kDefaultBytes = uint64_t{16} << 20;
constexpr uint64_t kMaxBytes = uint64_t{1} << 30;
constexpr size_t kFramesATurn = 256;
// While nothing is captured the rings are empty, and only their time limits are looked at.
constexpr absl::Duration kTurn = absl::Milliseconds(5);

}  // namespace

CaptureService::CaptureService(std::string folder, Datapath& datapath, session::SessionModel& model, ControlLoop& loop)
    : folder_(std::move(folder)),
      datapath_(datapath),
      model_(model),
      loop_(loop),
      rings_(datapath.CaptureRings()),
      thread_([this] { Loop(); }) {
  pthread_setname_np(thread_.native_handle(), "capture");
}

CaptureService::~CaptureService() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

uint64_t CaptureService::LostInRings() const {
  uint64_t lost = 0;
  for (const capture::CaptureRing* ring : rings_) lost += ring->dropped();
  return lost;
}

absl::Status CaptureService::Start(const relay::v1::StartCaptureRequest& request, const session::Moment& now,
                                   relay::v1::StartCaptureResponse& response) {
  if (folder_.empty()) {
    return absl::FailedPreconditionError("captures are off: sessions.capture_folder is not in the relay's config");
  }
  const absl::Duration duration =
      request.has_max_duration() ? process::ToAbsl(request.max_duration()) : kDefaultDuration;
  if (duration < kShortest || duration > kLongest) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_duration is ", absl::FormatDuration(duration), ", allowed is 1s to 1h"));
  }
  const uint64_t bytes = request.max_bytes() == 0 ? kDefaultBytes : request.max_bytes();
  if (bytes > kMaxBytes) {
    return absl::InvalidArgumentError(absl::StrCat("max_bytes is ", bytes, ", allowed is up to ", kMaxBytes));
  }
  const absl::StatusOr<session::SessionState> session = model_.GetSession(request.session_id(), now);
  if (!session.ok()) return session.status();

  absl::MutexLock lock(&mutex_);
  for (const auto& [id, capture] : captures_) {
    if (capture.writer != nullptr && capture.session_id == request.session_id()) {
      return absl::AlreadyExistsError(absl::StrCat("session_id: ", request.session_id(), " is captured as ", id));
    }
  }
  if (running_ == kMaxCaptures) {
    return absl::ResourceExhaustedError(absl::StrCat("all ", kMaxCaptures, " captures are running; stop one"));
  }
  const uint64_t id = next_id_++;
  const std::string file_name = absl::StrCat(
      request.session_id(), "-", absl::FormatTime("%Y%m%dT%H%M%SZ", now.time, absl::UTCTimeZone()), "-", id, ".pcapng");
  absl::StatusOr<std::unique_ptr<capture::PcapngWriter>> writer = capture::PcapngWriter::Create(
      absl::StrCat(folder_, "/", file_name), session->label.empty() ? session->session_id : session->label);
  if (!writer.ok()) return writer.status();
  Capture capture;
  capture.session_id = request.session_id();
  capture.writer = *std::move(writer);
  for (size_t leg = 0; leg < 2; ++leg) {
    const char* side = leg == 0 ? "A" : "B";
    for (size_t sent = 0; sent < 2; ++sent) {
      const absl::StatusOr<uint32_t> lane =
          capture.writer->AddInterface(absl::StrCat(side, sent != 0 ? " sent" : " received"),
                                       absl::StrCat(sent != 0 ? "what the relay sent to " : "what came from ", side));
      if (!lane.ok()) return lane.status();
      capture.lanes[leg][sent] = *lane;
    }
  }
  if (absl::Status status = model_.SetCapture(request.session_id(), true); !status.ok()) return status;
  for (const session::SessionModel::FlowState& flow : model_.FlowsOf(request.session_id())) {
    lanes_[flow.state] = {id, flow.leg};
  }
  capture.until = now.time + duration;
  capture.max_bytes = bytes;
  capture.lost_before = LostInRings();
  captures_.emplace(id, std::move(capture));
  ++running_;
  if (captures_.size() > 2 * kMaxCaptures) {
    for (auto place = captures_.begin(); place != captures_.end(); ++place) {
      if (place->second.writer != nullptr) continue;
      captures_.erase(place);
      break;
    }
  }
  response.set_capture_id(absl::StrCat(id));
  response.set_file_name(file_name);
  return absl::OkStatus();
}

absl::Status CaptureService::Stop(const std::string& capture_id, relay::v1::StopCaptureResponse& response) {
  uint64_t id = 0;
  absl::MutexLock lock(&mutex_);
  const auto found = absl::SimpleAtoi(capture_id, &id) ? captures_.find(id) : captures_.end();
  if (found == captures_.end()) {
    return absl::NotFoundError(absl::StrCat("capture_id: there is no capture '", capture_id, "'"));
  }
  if (found->second.writer != nullptr) End(id, found->second);
  response.set_packets(found->second.packets);
  response.set_bytes(found->second.bytes);
  response.set_dropped(found->second.lost);
  captures_.erase(found);
  return absl::OkStatus();
}

void CaptureService::End(uint64_t id, Capture& capture) {
  capture.bytes = capture.writer->bytes();
  capture.writer.reset();
  capture.lost += LostInRings() - capture.lost_before;
  --running_;
  absl::erase_if(lanes_, [id](const auto& lane) { return lane.second.capture == id; });
  // The session may have ended meanwhile, and its flows with it; if the loop is full the flows stay marked, and their
  // frames are thrown away.
  loop_
      .Post([&model = model_, session_id = capture.session_id](const session::Moment&) {
        model.SetCapture(session_id, false).IgnoreError();
      })
      .IgnoreError();
}

void CaptureService::Write(const capture::CapturedFrame& frame, const session::Moment& now) {
  const auto lane = lanes_.find(frame.capture_id);
  if (lane == lanes_.end()) return;
  Capture& capture = captures_.at(lane->second.capture);
  const uint8_t leg = frame.sent ? 1 - lane->second.leg : lane->second.leg;
  const uint64_t size = capture::PcapngWriter::BlockBytes(frame.frame().size());
  if (capture.writer->bytes() + size > capture.max_bytes) {
    End(lane->second.capture, capture);
    return;
  }
  const absl::Status status = capture.writer->Write(
      capture.lanes[leg][frame.sent ? 1 : 0], now.TimeOf(frame.ticks, datapath_.ticks_per_second()),
      frame.sent ? capture::FrameDirection::kSent : capture::FrameDirection::kReceived, frame.frame());
  if (status.ok()) {
    ++capture.packets;
    return;
  }
  spdlog::warn("capture of session {} ends: {}", capture.session_id, std::string(status.message()));
  ++capture.lost;
  End(lane->second.capture, capture);
}

void CaptureService::Loop() {
  bool stopping = false;
  while (!stopping) {
    absl::MutexLock lock(&mutex_);
    const session::Moment now = datapath_.Now();
    for (capture::CaptureRing* ring : rings_) {
      ring->Pop(kFramesATurn, [&](const capture::CapturedFrame& frame) {
        mutex_.AssertHeld();
        Write(frame, now);
      });
    }
    for (auto& [id, capture] : captures_) {
      if (capture.writer != nullptr && now.time >= capture.until) End(id, capture);
    }
    // Nothing is captured for most of a relay's life: then it waits for a start, not for frames.
    const auto is_awaited = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_ || running_ != 0; };
    if (running_ == 0) {
      mutex_.Await(absl::Condition(&is_awaited));
    } else {
      mutex_.AwaitWithTimeout(absl::Condition(&stopping_), kTurn);
    }
    stopping = stopping_;
  }
}

}  // namespace sluice::service
