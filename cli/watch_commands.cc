// stats, events: how the processes do, and what happens to media.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "cli/command.h"
#include "cli/table.h"
#include "cli/text.h"

namespace sluice::cli {
namespace {

using controller::v1::ControllerService;
using relay::v1::Event;

void PrintController(std::ostream& out, const controller::v1::GetStatisticsResponse& statistics) {
  uint64_t refused = 0;
  for (const auto& [status, count] : statistics.refused_calls()) refused += count;
  PrintPairs(out, {{"controller since", FormatUtc(statistics.start_time()) + " UTC"},
                   {"calls now", absl::StrCat(statistics.calls())},
                   {"calls started", absl::StrCat(statistics.calls_started())},
                   {"calls answered", absl::StrCat(statistics.calls_answered())},
                   {"calls refused", absl::StrCat(refused)},
                   {"bindings", absl::StrCat(statistics.bindings())},
                   {"transactions now", absl::StrCat(statistics.transactions())},
                   {"retransmissions", absl::StrCat(statistics.retransmissions_received(), " received, ",
                                                    statistics.retransmissions_sent(), " sent")}});
  // Protobuf's maps have no order; std::map has.
  std::map<std::string, std::pair<uint64_t, uint64_t>> messages;
  for (const auto& [name, count] : statistics.received_messages()) messages[name].first = count;
  for (const auto& [name, count] : statistics.sent_messages()) messages[name].second = count;
  if (!messages.empty()) {
    out << "\n";
    Table table({"SIP MESSAGE", ">RECEIVED", ">SENT"});
    for (const auto& [name, counts] : messages) {
      table.AddRow({name, absl::StrCat(counts.first), absl::StrCat(counts.second)});
    }
    table.Print(out);
  }
  const std::map<std::string, uint64_t> dropped(statistics.dropped_messages().begin(),
                                                statistics.dropped_messages().end());
  if (dropped.empty()) return;
  out << "\n";
  Table table({"DROPPED SIP MESSAGES", ">COUNT"});
  for (const auto& [reason, count] : dropped) table.AddRow({reason, absl::StrCat(count)});
  table.Print(out);
}

std::vector<std::string> DelayCells(const relay::v1::DelayDistribution& delay) {
  if (delay.samples() == 0) return {"-", "-"};
  return {FormatShort(DurationOf(delay.p50())), FormatShort(DurationOf(delay.p99()))};
}

void PrintRelay(std::ostream& out, const relay::v1::WatchStatsResponse& statistics) {
  const relay::v1::RelayStatistics& relay = statistics.relay();
  PrintPairs(out, {{"relay sessions now", absl::StrCat(relay.sessions())},
                   {"flows now", absl::StrCat(relay.flows())},
                   {"sessions made", absl::StrCat(relay.sessions_created())},
                   {"sessions deleted", absl::StrCat(relay.sessions_deleted())},
                   {"stale writes", absl::StrCat(relay.stale_writes())},
                   {"events lost", absl::StrCat(relay.events_lost())},
                   {"packets",
                    absl::StrCat(relay.received_packets(), " received, ", relay.forwarded_packets(), " forwarded")}});
  out << "\n";
  Table workers({">WORKER", ">CPU", ">RECEIVED", ">FORWARDED", ">BUSY", ">P50", ">P99", ">LONGEST LOOP"});
  for (const relay::v1::WorkerStatistics& worker : statistics.workers()) {
    const std::vector<std::string> delay = DelayCells(worker.residence());
    workers.AddRow({absl::StrCat(worker.index()), absl::StrCat(worker.cpu()), absl::StrCat(worker.received_packets()),
                    absl::StrCat(worker.forwarded_packets()), FormatShare(worker.busy_share()), delay[0], delay[1],
                    FormatShort(DurationOf(worker.longest_loop()))});
  }
  workers.Print(out, "no workers");
  out << "\n";
  Table interfaces({"INTERFACE", ">RECEIVED", ">BYTES", ">SENT", ">BYTES", ">MISSED", ">NO BUFFER", ">SEND ERRORS"});
  for (const relay::v1::InterfaceStatistics& interface : statistics.interfaces()) {
    interfaces.AddRow({interface.name(), absl::StrCat(interface.received_packets()),
                       FormatBytes(interface.received_bytes()), absl::StrCat(interface.sent_packets()),
                       FormatBytes(interface.sent_bytes()), absl::StrCat(interface.receive_missed()),
                       absl::StrCat(interface.receive_no_mbuf()), absl::StrCat(interface.send_errors())});
  }
  interfaces.Print(out, "no interfaces");
  Table drops({"DROPPED PACKETS", ">COUNT"});
  const std::map<std::string, uint64_t> sorted(relay.drops().begin(), relay.drops().end());
  for (const auto& [reason, count] : sorted) {
    if (count != 0) drops.AddRow({reason, absl::StrCat(count)});
  }
  if (drops.size() == 0) return;
  out << "\n";
  drops.Print(out);
}

absl::Status ShowControllerStatistics(Invocation& invocation) {
  controller::v1::GetStatisticsResponse statistics;
  const absl::Status status =
      invocation.Call(Process::kController, invocation.Controller(), &ControllerService::Stub::GetStatistics,
                      controller::v1::GetStatisticsRequest(), statistics);
  if (!status.ok()) return status;
  if (invocation.output == Output::kJson) return invocation.PrintJson(statistics);
  PrintController(invocation.out(), statistics);
  return absl::OkStatus();
}

absl::Status ShowRelayStatistics(Invocation& invocation) {
  grpc::ClientContext context;
  Invocation::SetDeadline(context);
  // Without an interval the relay answers once.
  const auto stream = invocation.Relay().WatchStats(&context, relay::v1::WatchStatsRequest());
  relay::v1::WatchStatsResponse statistics;
  const bool answered = stream->Read(&statistics);
  if (answered) context.TryCancel();
  const grpc::Status end = stream->Finish();
  if (!answered) return invocation.FromServer(Process::kRelay, end);
  if (invocation.output == Output::kJson) return invocation.PrintJson(statistics);
  PrintRelay(invocation.out(), statistics);
  return absl::OkStatus();
}

absl::Status ShowBoth(Invocation& invocation) {
  const bool json = invocation.output == Output::kJson;
  // One JSON value for both, so that a reader needs no parser of streams.
  if (json) invocation.out() << "{\"controller\":";
  if (absl::Status status = ShowControllerStatistics(invocation); !status.ok()) return status;
  invocation.out() << (json ? ",\"relay\":" : "\n");
  if (absl::Status status = ShowRelayStatistics(invocation); !status.ok()) return status;
  if (json) invocation.out() << "}\n";
  return absl::OkStatus();
}

std::string Side(const Event& event) {
  if (event.session_id().empty()) return "-";
  return absl::StrCat(event.leg() == 0 ? "A" : "B", " ", event.stream_id());
}

void PrintEvent(std::ostream& out, const Event& event) {
  std::string text = event.text();
  if (text.empty() && !event.digit().empty()) text = absl::StrCat("digit ", event.digit());
  if (event.has_source()) absl::StrAppend(&text, text.empty() ? "" : ", ", "from ", FormatEndpoint(event.source()));
  // A stream has no widest cell: the columns are wide enough for the usual ones.
  out << absl::FormatTime("%H:%M:%E3S", TimeOf(event.time()), absl::UTCTimeZone()) << "  "
      << PadRight(EnumWord(relay::v1::EventKind_Name(event.kind()), "EVENT_KIND_"), 15) << "  "
      << PadRight(OrDash(event.session_id()), 24) << "  " << PadRight(Side(event), 4) << "  " << Printable(text)
      << std::endl;
}

absl::Status WatchEvents(Invocation& invocation) {
  const absl::StatusOr<uint64_t> count = invocation.Number("--count", 0, 1, UINT64_MAX);
  if (!count.ok()) return count.status();
  const std::string session = invocation.Has("--session") ? invocation.options["--session"] : "";
  grpc::ClientContext context;
  const auto stream = invocation.Sessions().WatchEvents(&context, relay::v1::WatchEventsRequest());
  relay::v1::WatchEventsResponse response;
  uint64_t shown = 0;
  while (stream->Read(&response)) {
    if (response.missed() != 0) {
      invocation.out() << "the relay could not tell " << response.missed() << " events" << std::endl;
    }
    for (const Event& event : response.events()) {
      if (!session.empty() && event.session_id() != session) continue;
      if (invocation.output == Output::kJson) {
        if (absl::Status status = invocation.PrintJsonLine(event); !status.ok()) return status;
      } else {
        PrintEvent(invocation.out(), event);
      }
      if (++shown == *count) {
        context.TryCancel();
        stream->Finish();
        return absl::OkStatus();
      }
    }
  }
  return invocation.FromServer(Process::kRelay, stream->Finish());
}

}  // namespace

std::vector<Command> WatchCommands() {
  return {
      {.name = "stats", .summary = "Shows the statistics of controller and relay.", .run = ShowBoth},
      {.name = "stats controller", .summary = "Those of the controller only.", .run = ShowControllerStatistics},
      {.name = "stats relay", .summary = "Those of the relay only.", .run = ShowRelayStatistics},
      {.name = "events",
       .summary = "Shows what happens to the relay's sessions from now on, until Ctrl-C. JSON is one event a line.",
       .options = {{"--session", "ID", "Of one session only."}, {"--count", "N", "Ends after so many."}},
       .run = WatchEvents},
  };
}

}  // namespace sluice::cli
