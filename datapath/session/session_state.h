// What a relay says about a session: sluice.relay.v1.SessionState in the datapath's own types.
//
// Threads: values.

#ifndef SLUICE_DATAPATH_SESSION_SESSION_STATE_H_
#define SLUICE_DATAPATH_SESSION_SESSION_STATE_H_

#include <array>
#include <cstdint>
#include <string>

#include "absl/container/inlined_vector.h"
#include "absl/time/time.h"
#include "datapath/packet/drop_reason.h"
#include "datapath/packet/endpoint.h"
#include "datapath/rtp/receive_statistics.h"

namespace sluice::session {

enum class SourceLock : uint8_t { kOpen, kProbation, kLocked };

enum class QualityAlgorithm : uint8_t {
  kNone,  // Not rated: no speech, or too little of it.
  kNarrowband,
  kNarrowbandApproximation  // No published constants for the codec: those of G.711 with PLC.
};

// R and MOS by ITU-T G.107, listening quality, with what went into them.
struct Quality {
  QualityAlgorithm algorithm = QualityAlgorithm::kNone;
  double r_factor = 0;
  double mos = 0;
  double loss_percent = 0;
  double burst_ratio = 1;
  double ie = 0;
  double bpl = 0;
  std::string codec;
};

// What came from a leg's peer, since the session was made.
struct LegStatistics {
  rtp::ReceiveSnapshot receive;
  uint64_t rtcp_packets = 0;
  absl::Time first_packet = absl::InfinitePast();  // InfinitePast: none yet.
  absl::Time last_packet = absl::InfinitePast();
  double rtcp_round_trip_ms = 0;  // 0: not known.
  double remote_reported_loss_percent = 0;
  Quality quality;
  std::array<uint64_t, packet::kDropReasonCount> drops = {};  // By DropReason.
  // What of it went on to the other leg's peer. Bytes are in proportion where packets were held back.
  uint64_t forwarded_packets = 0;
  uint64_t forwarded_bytes = 0;
};

struct LegState {
  packet::Endpoint local;
  packet::Endpoint local_rtcp;  // The same as `local` with mux; not set for datagrams.
  packet::Endpoint advertised;
  packet::Endpoint advertised_rtcp;
  packet::Endpoint learned;  // Not set before the source is locked.
  SourceLock source_lock = SourceLock::kOpen;
  LegStatistics received;
  uint64_t sent_packets = 0;
  uint64_t sent_bytes = 0;
};

struct StreamState {
  uint8_t stream_id = 0;
  std::array<LegState, 2> legs;
};

struct SessionState {
  std::string session_id;
  std::string label;
  std::string shard;
  absl::Time create_time;
  absl::Time update_time;
  // Most calls have audio alone, and a state is made for every write.
  absl::InlinedVector<StreamState, 1> streams;  // Empty where only the identity was asked for.
};

}  // namespace sluice::session

#endif  // SLUICE_DATAPATH_SESSION_SESSION_STATE_H_
