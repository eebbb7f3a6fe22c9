#include "signaling/agent/trunk_registration.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "signaling/sip/name_address.h"
#include "signaling/sip/uri.h"

namespace sluice::agent {
namespace {

using State = TrunkBook::State;

// A trunk that calls every answer stale is left alone.
constexpr uint32_t kMostChallenges = 3;
constexpr absl::Duration kFirstPause = absl::Seconds(30);
constexpr absl::Duration kLongestPause = absl::Minutes(30);
// However long a trunk asks us to stay away, we ask again once a day; and however short the time that it grants, we do
// not come more often than this.
constexpr absl::Duration kLongestRetryAfter = absl::Hours(24);
constexpr absl::Duration kShortestGranted = absl::Seconds(10);
// Until the DNS is looked at again.
constexpr absl::Duration kUnknownPause = absl::Seconds(1);

}  // namespace

TrunkRegistration::TrunkRegistration(std::shared_ptr<const routing::Trunk> trunk, Names names,
                                     std::function<uint64_t()> random)
    : trunk_(std::move(trunk)),
      names_(std::move(names)),
      random_(std::move(random)),
      expires_(trunk_->register_expires),
      state_{State::kTrying, absl::InfinitePast(), ""} {}

sip::Message TrunkRegistration::Make(const TrunkServer& server, absl::string_view advertised, absl::Duration expires) {
  const sip::Protocol protocol = server.destination.protocol;
  const std::string transport = absl::AsciiStrToLower(sip::ProtocolName(protocol));
  const bool is_udp = protocol == sip::Protocol::kUdp;
  sip::Uri registrar =
      trunk_->domain.empty() ? sip::Uri::Sip("", server.host, server.port) : sip::Uri::Sip("", trunk_->domain);
  const absl::string_view own_host = !trunk_->from_domain.empty() ? absl::string_view(trunk_->from_domain)
                                     : !trunk_->domain.empty()    ? absl::string_view(trunk_->domain)
                                                                  : absl::string_view(server.host);
  const std::string who = sip::Uri::Sip(trunk_->from_user, own_host).text();
  sip::Uri contact = sip::Uri::SipAt(trunk_->from_user, advertised);
  if (!is_udp) {
    registrar.SetParameter("transport", transport);
    contact.SetParameter("transport", transport);
  }
  contact_ = contact.text();
  sip::Message request = sip::Message::Request(sip::Method::kRegister, registrar);
  request.Add(sip::Header::kMaxForwards, "70");
  request.Add(sip::Header::kFrom, absl::StrCat("<", who, ">;tag=", names_.from_tag));
  request.Add(sip::Header::kTo, absl::StrCat("<", who, ">"));
  request.Add(sip::Header::kCallId, names_.call_id);
  request.Add(sip::Header::kCSeq, absl::StrCat(++cseq_, " REGISTER"));
  request.Add(sip::Header::kContact, absl::StrCat("<", contact_, ">"));
  request.Add(sip::Header::kExpires, absl::StrCat(absl::ToInt64Seconds(expires)));
  if (digest_.has_value()) digest_->Authorize(request, absl::StrCat(absl::Hex(random_(), absl::kZeroPad16)));
  return request;
}

sip::Message TrunkRegistration::Next(const TrunkServer& server, absl::string_view advertised) {
  due_ = absl::InfiniteFuture();
  return Make(server, advertised, expires_);
}

sip::Message TrunkRegistration::Last(const TrunkServer& server, absl::string_view advertised) {
  due_ = absl::InfiniteFuture();
  return Make(server, advertised, absl::ZeroDuration());
}

void TrunkRegistration::Wait(absl::Time now) {
  state_.text = "its name has no address";
  due_ = now + kUnknownPause;
}

void TrunkRegistration::OnResponse(const sip::Message& response, absl::Time now) {
  if (response.is_provisional()) return;
  if (response.is_success()) return OnSuccess(response, now);
  const uint16_t status = response.status();
  if ((status == 401 || status == 407) && AnswerChallenge(response)) {
    due_ = now;
    return;
  }
  const std::optional<uint32_t> least = sip::ParseSeconds(response.Get("Min-Expires"));
  if (status == 423 && least.has_value() && absl::Seconds(*least) > expires_) {
    expires_ = absl::Seconds(*least);
    due_ = now;
    return;
  }
  const std::optional<sip::RetryAfter> retry = response.RetryAfter();
  Fail(absl::StrCat(status, " ", response.reason()),
       retry.has_value() ? std::min(absl::Seconds(retry->seconds) + Some(kFirstPause, 0, 0.5), kLongestRetryAfter)
                         : NextPause(),
       now);
}

bool TrunkRegistration::AnswerChallenge(const sip::Message& challenge) {
  if (trunk_->username.empty() || challenges_ >= kMostChallenges) return false;
  // What was answered ahead of the challenge has grown old, whether the trunk says stale or not.
  if (challenges_ == 0) digest_.emplace(trunk_->username, trunk_->password, trunk_->realm);
  ++challenges_;
  return digest_->Accept(challenge);
}

void TrunkRegistration::OnFailure(absl::string_view text, absl::Time now) { Fail(text, NextPause(), now); }

void TrunkRegistration::OnSuccess(const sip::Message& response, absl::Time now) {
  absl::Duration granted = absl::Seconds(response.Expires().value_or(absl::ToInt64Seconds(expires_)));
  const std::optional<sip::Uri> ours = sip::Uri::Parse(contact_);
  for (const sip::NameAddress& contact : response.Addresses(sip::Header::kContact)) {
    if (!ours.has_value() || contact.uri != *ours) continue;
    const auto expires = sip::ParseSeconds(contact.parameters.Get("expires").value_or(""));
    if (expires.has_value()) granted = absl::Seconds(*expires);
  }
  failures_ = 0;
  challenges_ = 0;
  granted = std::max(granted, kShortestGranted);
  state_ = {State::kRegistered, now + granted, ""};
  due_ = now + Some(granted, 0.75, 0.9);
}

void TrunkRegistration::Fail(absl::string_view text, absl::Duration wait, absl::Time now) {
  // What was granted before stays granted until it runs out; but nobody knows whether the trunk remembers.
  state_ = {State::kFailed, absl::InfinitePast(), std::string(text)};
  challenges_ = 0;
  ++turn_;
  due_ = now + wait;
}

absl::Duration TrunkRegistration::NextPause() {
  const absl::Duration pause = kFirstPause * (int64_t{1} << std::min(failures_, uint32_t{10}));
  ++failures_;
  return Some(std::min(pause, kLongestPause), 0.5, 1);
}

absl::Duration TrunkRegistration::Some(absl::Duration whole, double least, double most) {
  const double part = static_cast<double>(random_() >> 11) / static_cast<double>(uint64_t{1} << 53);
  return whole * (least + (most - least) * part);
}

}  // namespace sluice::agent
