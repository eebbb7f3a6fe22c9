// Sends HEPv3 packets to a collector over UDP, never in the way of those who give them.
//
// How it works. Take encodes the packet into a bounded queue and returns; one thread of the exporter's own sends what
// waits, many datagrams in one system call (sendmmsg), a few times a second while little comes and at once while much
// does. With the queue full, and when the kernel refuses a datagram (the collector's host says that nobody listens),
// packets are dropped and counted: a collector that is gone costs its own view and nothing else.
//
// Threads: all functions from any.
#ifndef SLUICE_SIGNALING_HEP_EXPORTER_H_
#define SLUICE_SIGNALING_HEP_EXPORTER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "signaling/hep/packet.h"
#include "signaling/hep/sink.h"
#include "signaling/sip/hop.h"

namespace sluice::hep {

struct ExporterOptions {
  sip::Endpoint collector;
  Identity identity;
  bool sip = true;
  bool quality = true;
  // Packets that may wait.
  size_t queue = 8192;
  // How long the first one waits for others.
  absl::Duration gather = absl::Milliseconds(20);
};

struct ExporterStatistics {
  uint64_t sent = 0;
  // By the reasons of the header.
  uint64_t dropped = 0;
};

class Exporter final : public Sink {
 public:
  // UNAVAILABLE with the collector's address if there is no way to it.
  static absl::StatusOr<std::unique_ptr<Exporter>> Open(const ExporterOptions& options);
  // Sends what waits.
  ~Exporter() override;

  bool Wants(Payload type) const override { return type == Payload::kSip ? options_.sip : options_.quality; }
  void Take(const Packet& packet) override ABSL_LOCKS_EXCLUDED(mutex_);

  ExporterStatistics Statistics() const;

 private:
  Exporter(const ExporterOptions& options, int socket);

  bool ShouldWake() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_ || !waiting_.empty(); }
  // There is enough for full system calls, so nothing is gained by waiting for more.
  bool IsEnough() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Run();
  void Send(std::vector<std::string>& packets);

  const ExporterOptions options_;
  const int socket_;
  absl::Mutex mutex_;
  std::vector<std::string> waiting_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // Statistics; order with other memory does not matter.
  std::atomic<uint64_t> sent_ = 0;
  std::atomic<uint64_t> dropped_ = 0;
  std::thread thread_;
};

}  // namespace sluice::hep

#endif  // SLUICE_SIGNALING_HEP_EXPORTER_H_
