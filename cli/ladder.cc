#include "cli/ladder.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "cli/text.h"

namespace sluice::cli {
namespace {

using controller::v1::LadderEntry;

constexpr size_t kTimeWidth = 10;
constexpr size_t kLaneWidth = 46;
constexpr size_t kGap = 4;
// Every arrow shows some of its shaft.
constexpr size_t kLeastShaft = 3;

std::string Shaft(size_t width) {
  std::string shaft;
  for (size_t i = 0; i < width; ++i) shaft += "─";
  return shaft;
}

// "INVITE sip:2000@198.18.1.1 SIP/2.0" as "INVITE 2000", "SIP/2.0 200 OK" as "200 OK".
std::string Words(const LadderEntry& entry) {
  const std::string line = Printable(entry.first_line());
  std::string words = line;
  if (absl::StartsWith(line, "SIP/2.0 ")) {
    words = line.substr(8);
  } else if (const std::vector<std::string> parts = absl::StrSplit(line, ' '); parts.size() == 3) {
    const std::vector<std::string> uri = absl::StrSplit(parts[1], absl::MaxSplits(':', 1));
    const size_t at = uri.back().find('@');
    // Without user part it is the host that is addressed.
    words = absl::StrCat(parts[0], " ", at == std::string::npos ? uri.back() : uri.back().substr(0, at));
  }
  if (entry.retransmission()) words += " (again)";
  return words;
}

std::string Arrow(const LadderEntry& entry, bool to_the_right) {
  const std::string words = Words(entry);
  const size_t taken = DisplayWidth(words) + 2;
  const std::string shaft = Shaft(taken + kLeastShaft < kLaneWidth ? kLaneWidth - taken : kLeastShaft);
  return to_the_right ? absl::StrCat(words, " ", shaft, "►") : absl::StrCat("◄", shaft, " ", words);
}

std::string PeerOf(const controller::v1::GetCallResponse& call, controller::v1::LadderPeer peer) {
  for (const LadderEntry& entry : call.ladder()) {
    if (entry.peer() == peer) return Printable(entry.peer_endpoint());
  }
  return "";
}

}  // namespace

void PrintLadder(std::ostream& out, const controller::v1::GetCallResponse& call) {
  if (call.ladder().empty()) return;
  const std::string a = absl::StrCat("A ", PeerOf(call, controller::v1::LADDER_PEER_CALLER));
  const std::string b = absl::StrCat("B ", PeerOf(call, controller::v1::LADDER_PEER_CALLEE));
  const std::string controller = "controller";
  // The controller's name stands between the lanes, B's at the right end of its own.
  const size_t half = controller.size() / 2;
  const size_t right = kLaneWidth + kGap / 2 + half;
  const size_t room = right - std::min(right - controller.size() - 1, DisplayWidth(b));
  out << std::string(kTimeWidth, ' ') << PadRight(a, kLaneWidth + kGap / 2 - half) << PadRight(controller, room) << b
      << "\n";
  const absl::Time begin = TimeOf(call.ladder(0).time());
  for (const LadderEntry& entry : call.ladder()) {
    const bool callee = entry.peer() == controller::v1::LADDER_PEER_CALLEE;
    const std::string arrow = Arrow(entry, entry.received() != callee);
    out << absl::StrFormat("%8.3f  ", absl::ToDoubleSeconds(TimeOf(entry.time()) - begin))
        << (callee ? std::string(kLaneWidth + kGap, ' ') : "") << arrow << "\n";
  }
}

}  // namespace sluice::cli
