// cdrs: what is kept of calls for good.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "cli/command.h"
#include "cli/legs.h"
#include "cli/pages.h"
#include "cli/table.h"
#include "cli/text.h"

namespace sluice::cli {
namespace {

using controller::v1::CallRecord;
using controller::v1::ControllerService;
using controller::v1::LegRecord;
using controller::v1::StreamRecord;

constexpr uint64_t kDefaultRecords = 100;

absl::StatusOr<google::protobuf::Timestamp> ReadTime(const std::string& option, const std::string& text) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime("%Y-%m-%dT%H:%M:%E*S%Ez", text, &time, &error) &&
      !absl::ParseTime("%Y-%m-%d %H:%M:%S", text, absl::UTCTimeZone(), &time, &error) &&
      !absl::ParseTime("%Y-%m-%d", text, absl::UTCTimeZone(), &time, &error)) {
    return WrongUse(absl::StrCat(option, ": '", text,
                                 "' is not a time; allowed, in UTC: 2026-11-25, '2026-11-25 02:18:45', or RFC 3339"));
  }
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(absl::ToUnixSeconds(time));
  return timestamp;
}

// The worst of all directions that were rated.
std::string WorstMos(const CallRecord& record) {
  double worst = 0;
  for (const StreamRecord& stream : record.streams()) {
    for (const auto* direction : {&stream.from_caller(), &stream.from_callee()}) {
      const double mos = direction->quality().mos();
      if (mos > 0 && (worst == 0 || mos < worst)) worst = mos;
    }
  }
  return worst == 0 ? "-" : absl::StrFormat("%.2f", worst);
}

uint64_t Lost(const CallRecord& record) {
  uint64_t lost = 0;
  for (const StreamRecord& stream : record.streams()) lost += stream.from_caller().lost() + stream.from_callee().lost();
  return lost;
}

// What a spreadsheet would take for a formula. "+49301234" is a number.
bool IsFormula(const std::string& cell) {
  if (cell.empty()) return false;
  if (cell[0] == '=' || cell[0] == '@') return true;
  return (cell[0] == '+' || cell[0] == '-') && cell.find_first_not_of("0123456789", 1) != std::string::npos;
}

// RFC 4180 2. A formula gets an apostrophe: callers choose their names.
std::string CsvCell(const std::string& text) {
  std::string cell = Printable(text);
  if (IsFormula(cell)) cell = absl::StrCat("'", cell);
  if (cell.find_first_of(",\"") == std::string::npos) return cell;
  return absl::StrCat("\"", absl::StrReplaceAll(cell, {{"\"", "\"\""}}), "\"");
}

std::string Seconds(absl::Duration duration) { return absl::StrFormat("%.3f", absl::ToDoubleSeconds(duration)); }

std::string CsvTime(const google::protobuf::Timestamp& timestamp) {
  if (timestamp.seconds() == 0) return "";
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", TimeOf(timestamp), absl::UTCTimeZone());
}

void PrintCsvLine(std::ostream& out, const std::vector<std::string>& cells) {
  out << absl::StrJoin(cells, ",", [](std::string* line, const std::string& cell) {
    absl::StrAppend(line, CsvCell(cell));
  }) << "\r\n";
}

// One line a stream, so that no figure is folded into another; a call without streams has one line.
void PrintCsv(std::ostream& out, const controller::v1::ListCallRecordsResponse& records) {
  out << "call_id,caller,caller_account,callee,callee_account,relay,start_time,answer_time,end_time,ring_seconds,"
         "talk_seconds,sip_status,q850_cause,ended_by,text,media_known,stream_id,media,codec,caller_packets,"
         "caller_forwarded,caller_lost,caller_jitter_ms,caller_mos,callee_packets,callee_forwarded,callee_lost,"
         "callee_jitter_ms,callee_mos\r\n";
  for (const CallRecord& record : records.records()) {
    const controller::v1::Call& call = record.call();
    const std::vector<std::string> head = {call.call_id(),
                                           call.caller().number(),
                                           call.caller().account(),
                                           call.callee().number(),
                                           call.callee().account(),
                                           call.relay(),
                                           CsvTime(call.start_time()),
                                           CsvTime(call.answer_time()),
                                           CsvTime(call.end_time()),
                                           Seconds(DurationOf(record.ring_duration())),
                                           Seconds(DurationOf(record.talk_duration())),
                                           absl::StrCat(call.end_cause().sip_status()),
                                           CauseNumber(call.end_cause().q850_cause()),
                                           EndedByName(call.end_cause()),
                                           call.end_cause().text(),
                                           record.media_unknown() ? "no" : "yes"};
    std::vector<std::vector<std::string>> streams;
    for (const StreamRecord& stream : record.streams()) {
      streams.push_back({absl::StrCat(stream.stream_id()), stream.media(), stream.codec()});
      for (const auto& [direction, forwarded] : {std::pair(&stream.from_caller(), stream.sent_to_callee()),
                                                 std::pair(&stream.from_callee(), stream.sent_to_caller())}) {
        streams.back().push_back(absl::StrCat(direction->packets()));
        streams.back().push_back(absl::StrCat(forwarded));
        streams.back().push_back(absl::StrCat(direction->lost()));
        streams.back().push_back(absl::StrFormat("%.1f", direction->jitter_ms()));
        streams.back().push_back(direction->quality().mos() > 0 ? absl::StrFormat("%.2f", direction->quality().mos())
                                                                : "");
      }
    }
    if (streams.empty()) streams.emplace_back(13);
    for (const std::vector<std::string>& stream : streams) {
      std::vector<std::string> cells = head;
      cells.insert(cells.end(), stream.begin(), stream.end());
      PrintCsvLine(out, cells);
    }
  }
}

// One line a leg.
void PrintLegCsv(std::ostream& out, const controller::v1::ListCallRecordsResponse& records) {
  out << "leg_id,call_id,side,number,account,sip_call_id,peer,user_agent,start_time,ring_time,answer_time,end_time,"
         "ring_seconds,talk_seconds,sip_status,q850_cause,ended_by\r\n";
  for (const CallRecord& record : records.records()) {
    for (const LegRecord& leg : record.legs()) {
      PrintCsvLine(out, {leg.leg_id(), record.call().call_id(), SideName(leg), leg.number(), leg.account(),
                         leg.sip_call_id(), leg.peer(), leg.user_agent(), CsvTime(leg.start_time()),
                         CsvTime(leg.ring_time()), CsvTime(leg.answer_time()), CsvTime(leg.end_time()),
                         Seconds(RangFor(leg)), Seconds(TalkedFor(leg)), CauseNumber(leg.end_cause().sip_status()),
                         CauseNumber(leg.end_cause().q850_cause()), EndedByName(leg.end_cause())});
    }
  }
}

void PrintLegTable(std::ostream& out, const controller::v1::ListCallRecordsResponse& records) {
  Table table = LegTable();
  for (const CallRecord& record : records.records()) {
    for (const LegRecord& leg : record.legs()) AddLeg(leg.leg_id(), leg, table);
  }
  table.Print(out, "no legs of call records");
}

absl::Status ListRecords(Invocation& invocation) {
  const absl::StatusOr<uint64_t> limit = invocation.Number("--limit", kDefaultRecords, 1, kMaxLimit);
  if (!limit.ok()) return limit.status();
  controller::v1::ListCallRecordsRequest request;
  request.set_account(invocation.options["--account"]);
  if (invocation.Has("--from")) {
    const absl::StatusOr<google::protobuf::Timestamp> from = ReadTime("--from", invocation.options["--from"]);
    if (!from.ok()) return from.status();
    *request.mutable_start_time_from() = *from;
  }
  if (invocation.Has("--to")) {
    const absl::StatusOr<google::protobuf::Timestamp> to = ReadTime("--to", invocation.options["--to"]);
    if (!to.ok()) return to.status();
    *request.mutable_start_time_to() = *to;
  }
  controller::v1::ListCallRecordsResponse records;
  const absl::Status status = ReadPages(
      request, *limit, records,
      [&](const auto& page_request, auto& page) {
        return invocation.Call(Process::kController, invocation.Controller(), &ControllerService::Stub::ListCallRecords,
                               page_request, page);
      },
      [](auto& page) { return page.mutable_records(); });
  if (!status.ok()) return status;
  // In JSON every record has them.
  if (invocation.output == Output::kJson) return invocation.PrintJson(records);
  const bool has_legs = invocation.Has("--legs");
  if (invocation.output == Output::kCsv) {
    (has_legs ? PrintLegCsv : PrintCsv)(invocation.out(), records);
    return absl::OkStatus();
  }
  if (has_legs) {
    PrintLegTable(invocation.out(), records);
    return absl::OkStatus();
  }
  Table table({"CALL", "STARTED (UTC)", "CALLER", "CALLEE", ">STATUS", ">Q.850", "ENDED BY", ">RANG", ">TALKED",
               ">LOST", ">MOS"});
  for (const CallRecord& record : records.records()) {
    const controller::v1::Call& call = record.call();
    table.AddRow({call.call_id(), FormatUtc(call.start_time()), OrDash(call.caller().number()),
                  OrDash(call.callee().number()), absl::StrCat(call.end_cause().sip_status()),
                  OrDash(CauseNumber(call.end_cause().q850_cause())), EndedByName(call.end_cause()),
                  FormatClock(DurationOf(record.ring_duration())), FormatClock(DurationOf(record.talk_duration())),
                  record.media_unknown() ? "?" : absl::StrCat(Lost(record)), WorstMos(record)});
  }
  table.Print(invocation.out(), "no call records");
  return absl::OkStatus();
}

}  // namespace

std::vector<Command> RecordCommands() {
  return {
      {.name = "cdrs",
       .summary = "Lists call records, newest first. Q.850 is the cause of the end, LOST the sum, MOS the worst of all "
                  "directions.",
       .options = {{"--from", "TIME", "Calls that started then or later, UTC."},
                   {"--to", "TIME", "Calls that started before, UTC."},
                   {"--account", "NAME", "Calls that this account or trunk made or took."},
                   {"--legs", "", "A line for each leg, whoever was called, instead of one for each call."},
                   {"--limit", "N", "At most so many calls; 100 unless told."}},
       .csv = true,
       .run = ListRecords},
  };
}

}  // namespace sluice::cli
