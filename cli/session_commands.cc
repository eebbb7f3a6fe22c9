// sessions, session: what a relay carries.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/command.h"
#include "cli/media.h"
#include "cli/pages.h"
#include "cli/table.h"
#include "cli/text.h"

namespace sluice::cli {
namespace {

using relay::v1::SessionService;
using relay::v1::SessionState;

uint64_t Received(const SessionState& session, int leg) {
  uint64_t packets = 0;
  for (const relay::v1::StreamState& stream : session.streams()) {
    if (leg < stream.legs_size()) packets += stream.legs(leg).received().packets();
  }
  return packets;
}

std::string Age(const SessionState& session) { return FormatClock(absl::Now() - TimeOf(session.create_time())); }

absl::Status ListSessions(Invocation& invocation) {
  const absl::StatusOr<uint64_t> limit = invocation.Number("--limit", kDefaultLimit, 1, kMaxLimit);
  if (!limit.ok()) return limit.status();
  relay::v1::ListSessionsResponse sessions;
  const absl::Status status = ReadPages(
      relay::v1::ListSessionsRequest(), *limit, sessions,
      [&](const auto& request, auto& page) {
        return invocation.Call(Process::kRelay, invocation.Sessions(), &SessionService::Stub::ListSessions, request,
                               page);
      },
      [](auto& page) { return page.mutable_sessions(); });
  if (!status.ok()) return status;
  if (invocation.output == Output::kJson) return invocation.PrintJson(sessions);
  Table table({"SESSION", ">STREAMS", ">FROM A", ">FROM B", ">AGE", "WRITER", "LABEL"});
  for (const SessionState& session : sessions.sessions()) {
    table.AddRow({session.session_id(), absl::StrCat(session.streams_size()), absl::StrCat(Received(session, 0)),
                  absl::StrCat(Received(session, 1)), Age(session), OrDash(session.shard()), OrDash(session.label())});
  }
  table.Print(invocation.out(), "no sessions");
  return absl::OkStatus();
}

absl::Status ShowSession(Invocation& invocation) {
  relay::v1::GetSessionRequest request;
  request.set_session_id(invocation.arguments[0]);
  relay::v1::GetSessionResponse response;
  const absl::Status status =
      invocation.Call(Process::kRelay, invocation.Sessions(), &SessionService::Stub::GetSession, request, response);
  if (!status.ok()) return status;
  if (invocation.output == Output::kJson) return invocation.PrintJson(response);
  const SessionState& session = response.session();
  PrintPairs(invocation.out(), {{"session", session.session_id()},
                                {"writer", OrDash(session.shard())},
                                {"label", OrDash(session.label())},
                                {"age", Age(session)}});
  invocation.out() << "\n";
  PrintMediaMap(invocation.out(), session);
  invocation.out() << "\n";
  PrintQuality(invocation.out(), session);
  return absl::OkStatus();
}

}  // namespace

std::vector<Command> SessionCommands() {
  return {
      {.name = "sessions",
       .summary = "Lists the relay's sessions; FROM A and FROM B count packets.",
       .options = {{"--limit", "N", "At most so many; 1000 unless told."}},
       .run = ListSessions},
      {.name = "session",
       .arguments = "ID",
       .min_arguments = 1,
       .max_arguments = 1,
       .summary = "Shows one session: where its media goes, and how good it is.",
       .run = ShowSession},
  };
}

}  // namespace sluice::cli
