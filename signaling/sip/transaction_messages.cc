#include "signaling/sip/transaction_messages.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "signaling/sip/header_name.h"
#include "signaling/sip/method.h"
#include "signaling/sip/text.h"

namespace sluice::sip {
namespace {

Message MakeFrom(const Message& source, Method method, absl::string_view to) {
  const absl::string_view name = MethodName(method);
  Message request = Message::Request(name, source.request_uri());
  absl::string_view vias = source.Get(Header::kVia);
  if (const std::optional<absl::string_view> top = NextElement(vias)) request.Add(Header::kVia, *top);
  request.Add(Header::kMaxForwards, "70");
  for (const absl::string_view route : source.Elements(Header::kRoute)) request.Add(Header::kRoute, route);
  request.Add(Header::kFrom, source.Get(Header::kFrom));
  request.Add(Header::kTo, to);
  request.Add(Header::kCallId, source.CallId());
  request.Add(Header::kCSeq, absl::StrCat(source.CSeqNumber(), " ", name));
  // Of the session that it belongs to (RFC 7989 6).
  if (source.Has(Header::kSessionId)) request.Add(Header::kSessionId, source.Get(Header::kSessionId));
  return request;
}

}  // namespace

MessageLimits NoLimits(absl::string_view bytes) { return {bytes.size(), bytes.size(), bytes.size()}; }

Message ParseOwn(absl::string_view bytes) { return Message::Parse(bytes, NoLimits(bytes)).message; }

Message MakeCancel(const Message& invite, absl::string_view reason) {
  Message cancel = MakeFrom(invite, Method::kCancel, invite.Get(Header::kTo));
  if (!reason.empty()) cancel.Add(Header::kReason, reason);
  return cancel;
}

Message MakeFailureAck(const Message& cancel, const Message& response) {
  return MakeFrom(cancel, Method::kAck, response.Get(Header::kTo));
}

}  // namespace sluice::sip
