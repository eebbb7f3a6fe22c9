#include "datapath/session/session_spec.h"

#include <algorithm>
#include <bitset>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "datapath/rtp/payload_map.h"

namespace sluice::session {
namespace {

constexpr uint32_t kMaxClockRate = 1u << 24;
constexpr size_t kMaxEncodingSize = 32;
constexpr absl::Duration kMaxTimeout = absl::Hours(24);

bool IsMadeOf(const std::string& text, absl::string_view punctuation) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || punctuation.find(c) != absl::string_view::npos;
  });
}

absl::Status CheckPayloadTypes(absl::string_view field, const std::vector<PayloadType>& types) {
  std::bitset<128> seen;
  std::vector<uint32_t> clocks;
  for (size_t i = 0; i < types.size(); ++i) {
    const PayloadType& type = types[i];
    const std::string item = absl::StrCat(field, ".payload_types[", i, "]");
    if (type.number >= seen.size()) {
      return absl::InvalidArgumentError(absl::StrCat(item, ".number is ", type.number, ", allowed is 0 to 127"));
    }
    if (seen[type.number]) {
      return absl::InvalidArgumentError(absl::StrCat(item, ".number ", type.number, " stands twice"));
    }
    seen.set(type.number);
    if (type.clock_rate == 0 || type.clock_rate > kMaxClockRate) {
      return absl::InvalidArgumentError(
          absl::StrCat(item, ".clock_rate is ", type.clock_rate, ", allowed is 1 to ", kMaxClockRate));
    }
    if (type.encoding.size() > kMaxEncodingSize) {
      return absl::InvalidArgumentError(
          absl::StrCat(item, ".encoding has ", type.encoding.size(), " bytes, allowed are ", kMaxEncodingSize));
    }
    if (std::find(clocks.begin(), clocks.end(), type.clock_rate) == clocks.end()) clocks.push_back(type.clock_rate);
  }
  if (clocks.size() > rtp::PayloadMap::kMaxClocks) {
    return absl::InvalidArgumentError(absl::StrCat(field, ".payload_types have ", clocks.size(),
                                                   " different clock rates, allowed are ",
                                                   int{rtp::PayloadMap::kMaxClocks}));
  }
  return absl::OkStatus();
}

absl::Status CheckLeg(absl::string_view field, const LegSpec& leg, MediaKind kind) {
  const bool is_explicit = leg.rtcp_mode == RtcpMode::kExplicit;
  if (is_explicit && kind == MediaKind::kRtp && leg.remote.is_set() != leg.remote_rtcp.is_set()) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ".remote_rtcp belongs to RTCP_MODE_EXPLICIT, together with remote"));
  }
  if (!is_explicit && leg.remote_rtcp.is_set()) {
    return absl::InvalidArgumentError(absl::StrCat(field, ".remote_rtcp is for RTCP_MODE_EXPLICIT only"));
  }
  if (leg.remote_rtcp.is_set() && leg.remote_rtcp.address.is_v4() != leg.remote.address.is_v4()) {
    return absl::InvalidArgumentError(absl::StrCat(field, ".remote_rtcp is of another IP version than remote"));
  }
  if (kind == MediaKind::kRtp && leg.rtcp_mode == RtcpMode::kNextPort && leg.remote.port == 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ".remote.port is 65535 and has no next port for RTCP, allowed is 1 to 65534"));
  }
  const bool is_prefix = leg.source_mode == rtp::SourceMode::kPrefix;
  if (is_prefix && (leg.prefixes.empty() || leg.prefixes.size() > rtp::PrefixSet::kMaxPrefixes)) {
    return absl::InvalidArgumentError(absl::StrCat(field, ".source_policy.prefixes has ", leg.prefixes.size(),
                                                   " entries, allowed are 1 to ", int{rtp::PrefixSet::kMaxPrefixes}));
  }
  if (!is_prefix && !leg.prefixes.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ".source_policy.prefixes are for SOURCE_POLICY_MODE_PREFIX only"));
  }
  if (leg.dscp > 63) {
    return absl::InvalidArgumentError(absl::StrCat(field, ".dscp is ", leg.dscp, ", allowed is 0 to 63"));
  }
  return CheckPayloadTypes(field, leg.payload_types);
}

absl::Status CheckTimeout(absl::string_view name, const std::optional<absl::Duration>& timeout) {
  if (!timeout || (*timeout >= absl::ZeroDuration() && *timeout <= kMaxTimeout)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("timeouts.", name, " is ", absl::FormatDuration(*timeout), ", allowed is 0 (off) to 24h"));
}

}  // namespace

absl::Status CheckSessionId(const std::string& session_id) {
  if (!session_id.empty() && session_id.size() <= kMaxSessionIdSize && IsMadeOf(session_id, "._@:-")) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("session_id: allowed are 1 to 128 bytes of [A-Za-z0-9._@:-]");
}

absl::Status Check(const Writer& writer) {
  if (writer.shard.empty() || writer.shard.size() > kMaxShardSize || !IsMadeOf(writer.shard, "._/-")) {
    return absl::InvalidArgumentError("writer.shard: allowed are 1 to 64 bytes of [A-Za-z0-9._/-]");
  }
  if (writer.epoch == 0) return absl::InvalidArgumentError("writer.epoch is required, allowed is 1 and more");
  return absl::OkStatus();
}

absl::Status Check(const SessionSpec& spec) {
  if (absl::Status status = CheckSessionId(spec.session_id); !status.ok()) return status;
  if (spec.label.size() > kMaxLabelSize) {
    return absl::InvalidArgumentError(
        absl::StrCat("label has ", spec.label.size(), " bytes, allowed are ", kMaxLabelSize));
  }
  if (spec.streams.empty() || spec.streams.size() > kMaxStreams) {
    return absl::InvalidArgumentError(
        absl::StrCat("streams has ", spec.streams.size(), " entries, allowed are 1 to ", kMaxStreams));
  }
  if (absl::Status status = CheckTimeout("first_packet", spec.timeouts.first_packet); !status.ok()) return status;
  if (absl::Status status = CheckTimeout("one_way", spec.timeouts.one_way); !status.ok()) return status;
  if (absl::Status status = CheckTimeout("silence", spec.timeouts.silence); !status.ok()) return status;
  std::bitset<256> ids;
  for (size_t i = 0; i < spec.streams.size(); ++i) {
    const StreamSpec& stream = spec.streams[i];
    if (ids[stream.stream_id]) {
      return absl::InvalidArgumentError(absl::StrCat("streams[", i, "].stream_id ", stream.stream_id, " stands twice"));
    }
    ids.set(stream.stream_id);
    for (size_t leg = 0; leg < stream.legs.size(); ++leg) {
      const std::string field = absl::StrCat("streams[", i, "].legs[", leg, "]");
      if (absl::Status status = CheckLeg(field, stream.legs[leg], stream.kind); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace sluice::session
