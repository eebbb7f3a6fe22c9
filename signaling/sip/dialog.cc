#include "signaling/sip/dialog.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace sluice::sip {
namespace {

constexpr uint32_t kInitialMaxForwards = 70;

bool RefreshesTarget(Method method) {
  return method == Method::kInvite || method == Method::kUpdate || method == Method::kSubscribe ||
         method == Method::kNotify;
}

std::vector<std::string> Owned(const std::vector<absl::string_view>& elements) {
  std::vector<std::string> owned;
  owned.reserve(elements.size());
  for (const absl::string_view element : elements) owned.emplace_back(element);
  return owned;
}

// The URI of a Route element; empty if it has none.
absl::string_view RouteUri(absl::string_view route) {
  const std::optional<NameAddressParts> parts = ParseNameAddressParts(route);
  return parts ? parts->uri : absl::string_view();
}

bool IsLooseRouter(absl::string_view route) {
  const std::optional<UriParts> uri = ParseUriParts(RouteUri(route));
  return uri && FindParameter(uri->parameters, "lr").has_value();
}

}  // namespace

Dialog Dialog::OfSentRequest(const Message& request) {
  Dialog dialog;
  dialog.state_.call_id = std::string(request.CallId());
  dialog.state_.local = std::string(request.Get(Header::kFrom));
  dialog.state_.remote = std::string(request.Get(Header::kTo));
  dialog.state_.target = std::string(request.request_uri());
  dialog.state_.routes = Owned(request.Elements(Header::kRoute));
  dialog.state_.local_cseq = request.CSeqNumber();
  return dialog;
}

Dialog Dialog::OfReceivedRequest(const Message& request, absl::string_view local_tag) {
  Dialog dialog;
  dialog.state_.call_id = std::string(request.CallId());
  dialog.state_.local = std::string(request.Get(Header::kTo));
  if (TagOf(dialog.state_.local).empty()) {
    std::optional<NameAddress> to = NameAddress::Parse(dialog.state_.local);
    if (to) to->parameters.Set("tag", local_tag);
    dialog.state_.local = to ? to->ToString() : absl::StrCat(dialog.state_.local, ";tag=", local_tag);
  }
  dialog.state_.remote = std::string(request.Get(Header::kFrom));
  // A peer of RFC 2543 may give no Contact; then it is where its From says.
  const std::optional<NameAddress> contact = request.Contact();
  const std::optional<NameAddress> from = request.From();
  if (contact) {
    dialog.state_.target = contact->uri.text();
  } else if (from) {
    dialog.state_.target = from->uri.text();
  }
  dialog.state_.routes = Owned(request.Elements(Header::kRecordRoute));
  dialog.state_.remote_cseq = request.CSeqNumber();
  return dialog;
}

void Dialog::OnResponse(const Message& response) {
  const absl::string_view tag = response.ToTag();
  if (tag.empty() && !response.is_success()) return;
  if (response.status() <= 100 || response.status() >= 300) return;
  state_.remote = std::string(response.Get(Header::kTo));
  // The route set is that of the response even when it is empty: a Route that led the first request here was for that
  // request alone.
  state_.routes = Owned(response.Elements(Header::kRecordRoute));
  std::reverse(state_.routes.begin(), state_.routes.end());
  RefreshTarget(response);
  if (response.is_success()) state_.confirmed = true;
}

Dialog::Order Dialog::OnRequest(const Message& request) {
  const uint32_t cseq = request.CSeqNumber();
  if (state_.remote_cseq != 0 && cseq <= state_.remote_cseq) return Order::kOutOfOrder;
  state_.remote_cseq = cseq;
  if (RefreshesTarget(request.method())) RefreshTarget(request);
  return Order::kInOrder;
}

void Dialog::RefreshTarget(const Message& message) {
  if (const std::optional<NameAddress> contact = message.Contact()) state_.target = contact->uri.text();
}

Message Dialog::MakeRequest(absl::string_view method) { return Make(method, ++state_.local_cseq); }

Message Dialog::MakeAck(uint32_t cseq) const { return Make(MethodName(Method::kAck), cseq); }

Message Dialog::Make(absl::string_view method, uint32_t cseq) const {
  // A first route without lr is a strict router of RFC 2543: it takes the place of the Request-URI, and the target goes
  // to the end of the routes.
  const bool strict = !state_.routes.empty() && !IsLooseRouter(state_.routes.front());
  Message request =
      Message::Request(method, strict ? RouteUri(state_.routes.front()) : absl::string_view(state_.target));
  for (size_t i = strict ? 1 : 0; i < state_.routes.size(); ++i) request.Add(Header::kRoute, state_.routes[i]);
  if (strict) request.Add(Header::kRoute, absl::StrCat("<", state_.target, ">"));
  request.Add(Header::kMaxForwards, absl::StrCat(kInitialMaxForwards));
  request.Add(Header::kFrom, state_.local);
  request.Add(Header::kTo, state_.remote);
  request.Add(Header::kCallId, state_.call_id);
  request.Add(Header::kCSeq, absl::StrCat(cseq, " ", method));
  return request;
}

absl::string_view Dialog::NextRoute() const { return RouteUri(state_.routes.front()); }

}  // namespace sluice::sip
