// What is kept of a call for good (CDR): parties, times, how it ended and who ended it, the same of every leg, quality
// of every stream in both directions.
#ifndef SLUICE_SIGNALING_STORE_CALL_RECORD_H_
#define SLUICE_SIGNALING_STORE_CALL_RECORD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sluice::store {

enum class EndedBy : uint8_t {
  kUnknown = 0,
  kCaller = 1,
  kCallee = 2,
  kController = 3,
  kOperator = 4,
  kMediaTimeout = 5,
  kSessionTimer = 6,
  kUnreachable = 7,
};
inline constexpr EndedBy kLastEndedBy = EndedBy::kUnreachable;

// "caller", "media_timeout": as it stands in tables.
constexpr absl::string_view EndedByName(EndedBy by) {
  constexpr absl::string_view kNames[] = {"unknown",  "caller",        "callee",        "controller",
                                          "operator", "media_timeout", "session_timer", "unreachable"};
  return kNames[static_cast<size_t>(by)];
}

struct CallParty {
  std::string number;
  std::string display_name;
  std::string sip_call_id;
  // "udp:198.18.1.2:45426".
  std::string peer;
  std::string user_agent;
  std::string account;
};

// What one side sent, measured where it entered the relay. The names are those of sluice.relay.v1.StreamStatistics.
struct DirectionRecord {
  uint64_t packets = 0;
  uint64_t bytes = 0;
  uint64_t lost = 0;
  uint64_t duplicates = 0;
  uint64_t reordered = 0;
  double jitter_ms = 0;
  double max_jitter_ms = 0;
  double r_factor = 0;
  // 0: not rated.
  double mos = 0;
  // Packets that were sent on to the other side.
  uint64_t forwarded = 0;
  // All that the relay said, serialised; the store does not look into it.
  std::string statistics;
};

struct StreamRecord {
  uint32_t stream_id = 0;
  // "audio", "video".
  std::string media;
  std::string codec;
  DirectionRecord from_caller;
  DirectionRecord from_callee;
};

enum class CallSide : uint8_t { kUnknown = 0, kCaller = 1, kCallee = 2 };

constexpr absl::string_view CallSideName(CallSide side) {
  constexpr absl::string_view kNames[] = {"unknown", "caller", "callee"};
  return kNames[static_cast<size_t>(side)];
}

// One dialog of the call, or the try to make it: the caller's, and everybody's whom the call has sent an INVITE.
struct LegRecord {
  // In the order in which they began, from 1 on: unique with the call's id.
  uint32_t leg = 0;
  // A transfer's target has that of the one whose place it takes.
  CallSide side = CallSide::kUnknown;
  // The caller's own; else as it was dialled, or as the redirection or transfer named it.
  std::string number;
  // Account or trunk.
  std::string account;
  std::string sip_call_id;
  // "udp:198.18.1.2:45426".
  std::string peer;
  std::string user_agent;
  // INVITE taken or sent.
  absl::Time start_time;
  // First provisional response but 100 and 199; 2xx; the final response that was none, BYE or CANCEL. InfinitePast: did
  // not happen.
  absl::Time ring_time = absl::InfinitePast();
  absl::Time answer_time = absl::InfinitePast();
  absl::Time end_time = absl::InfinitePast();
  // Final one of its INVITE; 0: none came.
  uint32_t sip_status = 0;
  // Q.850 cause of RFC 3326; 0: none.
  uint32_t q850_cause = 0;
  // kController also where another leg answered, failed for all, or took its place.
  EndedBy ended_by = EndedBy::kUnknown;
};

struct CallRecord {
  std::string call_id;
  CallParty caller;
  CallParty callee;
  std::string relay;
  absl::Time start_time;
  // InfinitePast: did not happen.
  absl::Time ring_time = absl::InfinitePast();
  absl::Time answer_time = absl::InfinitePast();
  absl::Time end_time = absl::InfinitePast();
  // Final SIP status before the answer; 200 for a call that was answered.
  uint32_t sip_status = 0;
  // Q.850 cause of RFC 3326; 0: none.
  uint32_t q850_cause = 0;
  EndedBy ended_by = EndedBy::kUnknown;
  std::string text;
  std::vector<StreamRecord> streams;
  // In the order in which they began.
  std::vector<LegRecord> legs;
  // Statistics are missing because the relay did not answer.
  bool media_unknown = false;
};

// Unique over all legs of all calls: "b2c4d6-2".
inline std::string LegId(absl::string_view call_id, uint32_t leg) { return absl::StrCat(call_id, "-", leg); }

// One that another place than the store can never hold, and why.
struct RefusedCallRecord {
  std::string call_id;
  std::string reason;
};

}  // namespace sluice::store

#endif  // SLUICE_SIGNALING_STORE_CALL_RECORD_H_
