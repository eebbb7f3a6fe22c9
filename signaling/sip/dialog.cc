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
  dialog.call_id_ = std::string(request.CallId());
  dialog.local_ = std::string(request.Get(Header::kFrom));
  dialog.remote_ = std::string(request.Get(Header::kTo));
  dialog.target_ = std::string(request.request_uri());
  dialog.routes_ = Owned(request.Elements(Header::kRoute));
  dialog.local_cseq_ = request.CSeqNumber();
  return dialog;
}

Dialog Dialog::OfReceivedRequest(const Message& request, absl::string_view local_tag) {
  Dialog dialog;
  dialog.call_id_ = std::string(request.CallId());
  dialog.local_ = std::string(request.Get(Header::kTo));
  if (TagOf(dialog.local_).empty()) {
    std::optional<NameAddress> to = NameAddress::Parse(dialog.local_);
    if (to) to->parameters.Set("tag", local_tag);
    dialog.local_ = to ? to->ToString() : absl::StrCat(dialog.local_, ";tag=", local_tag);
  }
  dialog.remote_ = std::string(request.Get(Header::kFrom));
  // A peer of RFC 2543 may give no Contact; then it is where its From says.
  const std::optional<NameAddress> contact = request.Contact();
  const std::optional<NameAddress> from = request.From();
  if (contact) {
    dialog.target_ = contact->uri.text();
  } else if (from) {
    dialog.target_ = from->uri.text();
  }
  dialog.routes_ = Owned(request.Elements(Header::kRecordRoute));
  dialog.remote_cseq_ = request.CSeqNumber();
  return dialog;
}

void Dialog::OnResponse(const Message& response) {
  const absl::string_view tag = response.ToTag();
  if (tag.empty() && !response.is_success()) return;
  if (response.status() <= 100 || response.status() >= 300) return;
  remote_ = std::string(response.Get(Header::kTo));
  // The route set is that of the response even when it is empty: a Route that led the first request here was for that
  // request alone.
  routes_ = Owned(response.Elements(Header::kRecordRoute));
  std::reverse(routes_.begin(), routes_.end());
  RefreshTarget(response);
  if (response.is_success()) confirmed_ = true;
}

Dialog::Order Dialog::OnRequest(const Message& request) {
  const uint32_t cseq = request.CSeqNumber();
  if (remote_cseq_ != 0 && cseq <= remote_cseq_) return Order::kOutOfOrder;
  remote_cseq_ = cseq;
  if (RefreshesTarget(request.method())) RefreshTarget(request);
  return Order::kInOrder;
}

void Dialog::RefreshTarget(const Message& message) {
  if (const std::optional<NameAddress> contact = message.Contact()) target_ = contact->uri.text();
}

Message Dialog::MakeRequest(absl::string_view method) { return Make(method, ++local_cseq_); }

Message Dialog::MakeAck(uint32_t cseq) const { return Make(MethodName(Method::kAck), cseq); }

Message Dialog::Make(absl::string_view method, uint32_t cseq) const {
  // A first route without lr is a strict router of RFC 2543: it takes the place of the Request-URI, and the target goes
  // to the end of the routes.
  const bool strict = !routes_.empty() && !IsLooseRouter(routes_.front());
  Message request = Message::Request(method, strict ? RouteUri(routes_.front()) : absl::string_view(target_));
  for (size_t i = strict ? 1 : 0; i < routes_.size(); ++i) request.Add(Header::kRoute, routes_[i]);
  if (strict) request.Add(Header::kRoute, absl::StrCat("<", target_, ">"));
  request.Add(Header::kMaxForwards, absl::StrCat(kInitialMaxForwards));
  request.Add(Header::kFrom, local_);
  request.Add(Header::kTo, remote_);
  request.Add(Header::kCallId, call_id_);
  request.Add(Header::kCSeq, absl::StrCat(cseq, " ", method));
  return request;
}

absl::string_view Dialog::NextRoute() const { return RouteUri(routes_.front()); }

}  // namespace sluice::sip
