#include "signaling/agent/quality_report.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"

namespace sluice::agent {
namespace {

// RFC 3550 12.1.
constexpr int kSenderReport = 200;
constexpr double kJitterUnitsPerMs = 8;
// RFC 3550 6.4.1: 24 bits with sign.
constexpr uint64_t kMostLost = (1 << 23) - 1;

std::string Json(const relay::v1::StreamStatistics& received) {
  const uint64_t fraction = received.expected() == 0 ? 0 : received.lost() * 256 / received.expected();
  std::string json = absl::StrFormat(
      R"({"ssrc":%u,"type":%d,"report_count":1,"sender_information":{"packets":%u,"octets":%u},)"
      R"("report_blocks":[{"source_ssrc":%u,"fraction_lost":%u,"packets_lost":%u,"ia_jitter":%u,)"
      R"("highest_seq_no":0,"lsr":0,"dlsr":0}])",
      received.ssrc(), kSenderReport, received.packets(), received.bytes(), received.ssrc(),
      std::min<uint64_t>(fraction, std::numeric_limits<uint8_t>::max()), std::min(received.lost(), kMostLost),
      static_cast<uint32_t>(received.jitter_ms() * kJitterUnitsPerMs));
  if (received.quality().algorithm() != relay::v1::QUALITY_ALGORITHM_UNSPECIFIED) {
    absl::StrAppendFormat(&json, R"(,"mos":%.2f)", received.quality().mos());
  }
  return json + "}";
}

std::optional<sip::Endpoint> ToEndpoint(const relay::v1::Endpoint& endpoint) {
  return sip::Endpoint::Make(endpoint.address(), static_cast<uint16_t>(endpoint.port()));
}

}  // namespace

std::vector<QualityReport> MakeQualityReports(const BookedCall& call) {
  std::vector<QualityReport> reports;
  if (call.statistics == nullptr) return reports;
  for (const relay::v1::StreamState& stream : call.statistics->streams()) {
    for (const relay::v1::LegState& leg : stream.legs()) {
      const std::optional<sip::Endpoint> source = ToEndpoint(leg.learned_remote());
      const std::optional<sip::Endpoint> destination = ToEndpoint(leg.local());
      if (leg.received().packets() == 0 || !source.has_value() || !destination.has_value()) continue;
      reports.push_back({*source, *destination, Json(leg.received())});
    }
  }
  return reports;
}

}  // namespace sluice::agent
