// Captures of single sessions to pcapng files: what StartCapture and StopCapture do.
//
// How it works. Start has the session's flows marked, so workers copy each frame of theirs, as it came and as it went,
// into a ring each (capture/capture_ring.h). A thread of this class takes the frames out, finds the capture and leg by
// the flow's state, and writes them to the capture's file: four interfaces, for what came from and went to A and B,
// Call-ID as comment. Media never waits: a full ring loses the frame and counts it. A capture ends by Stop, at its
// limits of time and bytes, or when its file cannot be written; a stream that is added to the session later is not in
// it.
//
// Threads: Start and Stop on the control thread; the rings are read by the thread of this class.

#ifndef SLUICE_DATAPATH_SERVICE_CAPTURE_SERVICE_H_
#define SLUICE_DATAPATH_SERVICE_CAPTURE_SERVICE_H_

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "datapath/capture/pcapng_writer.h"
#include "datapath/service/control_loop.h"
#include "datapath/service/datapath.h"
#include "datapath/session/session_model.h"
#include "sluice/relay/v1/relay_service.pb.h"

namespace sluice::service {

class CaptureService {
 public:
  static constexpr size_t kMaxCaptures = 16;

  // `folder` empty: captures are off. The others outlive this.
  CaptureService(std::string folder, Datapath& datapath, session::SessionModel& model, ControlLoop& loop);
  ~CaptureService();

  // INVALID_ARGUMENT, NOT_FOUND (session), ALREADY_EXISTS (it is being captured), RESOURCE_EXHAUSTED (too many, disk
  // full), FAILED_PRECONDITION (captures are off), PERMISSION_DENIED.
  absl::Status Start(const relay::v1::StartCaptureRequest& request, const session::Moment& now,
                     relay::v1::StartCaptureResponse& response) ABSL_LOCKS_EXCLUDED(mutex_);
  // NOT_FOUND for a capture that there never was or that ended long ago.
  absl::Status Stop(const std::string& capture_id, relay::v1::StopCaptureResponse& response)
      ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // Interfaces of a file, by leg and then by direction.
  using Lanes = std::array<std::array<uint32_t, 2>, 2>;
  struct Capture {
    std::string session_id;
    std::unique_ptr<capture::PcapngWriter> writer;  // Null: it has ended.
    Lanes lanes = {};
    absl::Time until;
    uint64_t max_bytes = 0;
    uint64_t packets = 0;
    uint64_t bytes = 0;
    uint64_t lost_before = 0;  // Of the rings, when it began; then what was lost during it.
    uint64_t lost = 0;
  };
  struct Lane {
    uint64_t capture = 0;
    uint8_t leg = 0;
  };

  void Loop();
  void Write(const capture::CapturedFrame& frame, const session::Moment& now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Closes the file and has the flows unmarked.
  void End(uint64_t id, Capture& capture) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  uint64_t LostInRings() const;

  const std::string folder_;
  Datapath& datapath_;
  session::SessionModel& model_;
  ControlLoop& loop_;
  const std::vector<capture::CaptureRing*> rings_;

  mutable absl::Mutex mutex_;
  // Those that ended are kept until they are asked for, the newest kMaxCaptures of them.
  std::map<uint64_t, Capture> captures_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<flow::StateIndex, Lane> lanes_ ABSL_GUARDED_BY(mutex_);
  size_t running_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace sluice::service

#endif  // SLUICE_DATAPATH_SERVICE_CAPTURE_SERVICE_H_
