#include "signaling/agent/call_log.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "signaling/store/call_record.h"
#include "signaling/transport/sockaddr.h"
#include "spdlog/spdlog.h"

namespace sluice::agent {
namespace {

bool IsPlain(char c) { return absl::ascii_isgraph(c) && c != '"' && c != '=' && c != '\\'; }

std::string Seconds(absl::Duration duration) { return absl::StrFormat("%.3f", absl::ToDoubleSeconds(duration)); }

}  // namespace

std::string LogValue(absl::string_view value) {
  if (!value.empty() && std::all_of(value.begin(), value.end(), IsPlain)) return std::string(value);
  return absl::StrCat("\"", absl::CHexEscape(value), "\"");
}

void LogBegin(const CallSummary& call) {
  if (!spdlog::should_log(spdlog::level::debug)) return;
  spdlog::debug("call={} event=begins caller={} callee={} account={} peer={} sip_call_id={}", call.call_id,
                LogValue(call.caller.number), LogValue(call.callee.number), LogValue(call.caller.account),
                call.caller.peer, LogValue(call.caller.sip_call_id));
}

void LogAnswer(const CallSummary& call) {
  if (!spdlog::should_log(spdlog::level::debug)) return;
  spdlog::debug("call={} event=answered after={} account={} peer={} sip_call_id={} relay={}", call.call_id,
                Seconds(call.answer_time - call.start_time), LogValue(call.callee.account), call.callee.peer,
                LogValue(call.callee.sip_call_id), LogValue(call.relay));
}

void LogEnd(const CallSummary& call) {
  if (!spdlog::should_log(spdlog::level::debug)) return;
  const bool was_answered = call.answer_time != absl::InfinitePast();
  spdlog::debug("call={} event=ended status={} cause={} by={} talked={} text={}", call.call_id, call.sip_status,
                call.q850_cause, std::string(store::EndedByName(call.ended_by)),
                Seconds(was_answered ? call.end_time - call.answer_time : absl::ZeroDuration()),
                LogValue(call.end_text));
}

void LogMessage(bool received, const sip::Hop& hop, absl::string_view sip_call_id, absl::string_view call,
                absl::string_view bytes) {
  if (!spdlog::should_log(spdlog::level::trace)) return;
  spdlog::trace("message={} peer={} line={} sip_call_id={} call={}", received ? "received" : "sent",
                transport::PeerName(hop), LogValue(bytes.substr(0, bytes.find_first_of("\r\n"))), LogValue(sip_call_id),
                LogValue(call));
}

}  // namespace sluice::agent
