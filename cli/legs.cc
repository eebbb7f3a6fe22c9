#include "cli/legs.h"

#include <google/protobuf/timestamp.pb.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/text.h"

namespace sluice::cli {
namespace {

using controller::v1::LegRecord;

absl::Time EndOf(const LegRecord& leg) { return leg.has_end_time() ? TimeOf(leg.end_time()) : absl::Now(); }

}  // namespace

absl::Duration RangFor(const LegRecord& leg) {
  if (!leg.has_ring_time()) return absl::ZeroDuration();
  return (leg.has_answer_time() ? TimeOf(leg.answer_time()) : EndOf(leg)) - TimeOf(leg.ring_time());
}

absl::Duration TalkedFor(const LegRecord& leg) {
  return leg.has_answer_time() ? EndOf(leg) - TimeOf(leg.answer_time()) : absl::ZeroDuration();
}

std::string SideName(const LegRecord& leg) { return EnumWord(controller::v1::CallSide_Name(leg.side()), "CALL_SIDE_"); }

std::string EndedByName(const controller::v1::EndCause& cause) {
  return EnumWord(controller::v1::EndedBy_Name(cause.ended_by()), "ENDED_BY_");
}

std::string CauseNumber(uint32_t number) { return number == 0 ? "" : absl::StrCat(number); }

Table LegTable() {
  return Table({"LEG", "SIDE", "NUMBER", "ACCOUNT", "PEER", "STARTED (UTC)", ">RANG", ">TALKED", ">STATUS", ">Q.850",
                "ENDED BY"});
}

void AddLeg(const std::string& name, const LegRecord& leg, Table& table) {
  table.AddRow({name, SideName(leg), OrDash(leg.number()), OrDash(leg.account()), OrDash(leg.peer()),
                FormatUtc(leg.start_time()), FormatClock(RangFor(leg)), FormatClock(TalkedFor(leg)),
                OrDash(CauseNumber(leg.end_cause().sip_status())), OrDash(CauseNumber(leg.end_cause().q850_cause())),
                leg.has_end_time() ? EndedByName(leg.end_cause()) : "-"});
}

}  // namespace sluice::cli
