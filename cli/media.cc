#include "cli/media.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/table.h"
#include "cli/text.h"

namespace sluice::cli {
namespace {

using relay::v1::LegState;
using relay::v1::StreamState;
using relay::v1::StreamStatistics;

constexpr int kLegs = 2;

std::string Peer(const LegState& leg) {
  if (leg.has_learned_remote()) return FormatEndpoint(leg.learned_remote());
  return EnumWord(relay::v1::SourceLock_Name(leg.source_lock()), "SOURCE_LOCK_");
}

std::string Mos(const relay::v1::QualityEstimate& quality) {
  const bool rated = quality.algorithm() != relay::v1::QUALITY_ALGORITHM_UNSPECIFIED || quality.mos() > 0;
  return rated ? absl::StrFormat("%.2f", quality.mos()) : "-";
}

}  // namespace

void PrintMediaMap(std::ostream& out, const relay::v1::SessionState& session) {
  Table table({"STREAM", "A", "", "RELAY TOWARDS A", "", "RELAY TOWARDS B", "", "B"});
  for (const StreamState& stream : session.streams()) {
    if (stream.legs_size() != kLegs) continue;
    table.AddRow({absl::StrCat(stream.stream_id()), Peer(stream.legs(0)), "⇄", FormatEndpoint(stream.legs(0).local()),
                  "⇄", FormatEndpoint(stream.legs(1).local()), "⇄", Peer(stream.legs(1))});
  }
  table.Print(out, "no media");
}

void PrintQuality(std::ostream& out, const relay::v1::SessionState& session) {
  Table table({"STREAM", "DIRECTION", ">RECEIVED", ">SENT ON", ">LOST", ">REORDERED", ">JITTER", ">ROUND TRIP", ">MOS",
               "CODEC"});
  Table drops({"STREAM", "FROM", "DROPPED", ">PACKETS"});
  for (const StreamState& stream : session.streams()) {
    if (stream.legs_size() != kLegs) continue;
    const std::string id = absl::StrCat(stream.stream_id());
    for (int from = 0; from < kLegs; ++from) {
      const StreamStatistics& received = stream.legs(from).received();
      table.AddRow({id, from == 0 ? "A → B" : "B → A", absl::StrCat(received.packets()),
                    absl::StrCat(stream.legs(1 - from).sent_packets()), absl::StrCat(received.lost()),
                    absl::StrCat(received.reordered()), FormatMilliseconds(received.jitter_ms()),
                    received.rtcp_round_trip_ms() > 0 ? FormatMilliseconds(received.rtcp_round_trip_ms()) : "-",
                    Mos(received.quality()), OrDash(received.quality().codec())});
      for (const auto& [reason, count] : received.drops()) {
        if (count != 0) drops.AddRow({id, from == 0 ? "A" : "B", reason, absl::StrCat(count)});
      }
    }
  }
  if (table.size() == 0) return;
  table.Print(out);
  if (drops.size() == 0) return;
  out << "\n";
  drops.Print(out);
}

}  // namespace sluice::cli
