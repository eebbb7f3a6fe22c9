#include "signaling/agent/registration.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "signaling/sip/header_values.h"
#include "signaling/sip/name_address.h"
#include "signaling/sip/text.h"
#include "signaling/transport/sockaddr.h"

namespace sluice::agent {
namespace {

constexpr uint32_t kHighestPriority = 1000;

registrar::ContactWish ReadContact(const sip::NameAddress& contact) {
  registrar::ContactWish wish;
  wish.uri = contact.uri.text();
  if (const auto expires = contact.parameters.Get("expires"); expires.has_value()) {
    // A value that is no number counts as the default (RFC 3261 10.2.1.1 with 20.19).
    wish.expires = sip::ParseSeconds(*expires);
  }
  if (const auto q = contact.parameters.Get("q"); q.has_value()) {
    wish.priority = sip::ParseQValue(*q).value_or(kHighestPriority);
  }
  wish.instance = contact.parameters.GetText("+sip.instance");
  wish.reg_id = sip::ParseSeconds(contact.parameters.GetText("reg-id")).value_or(0);
  return wish;
}

std::string WriteContact(const store::Binding& binding, absl::Time now) {
  std::string contact = absl::StrCat(
      "<", binding.contact, ">;expires=", std::max<int64_t>(0, absl::ToInt64Seconds(binding.expire_time - now)));
  if (binding.priority != kHighestPriority) {
    absl::StrAppendFormat(&contact, ";q=%d.%03d", binding.priority / 1000, binding.priority % 1000);
  }
  if (!binding.instance.empty()) absl::StrAppend(&contact, ";+sip.instance=", sip::Quote(binding.instance));
  if (binding.reg_id != 0) absl::StrAppend(&contact, ";reg-id=", binding.reg_id);
  return contact;
}

}  // namespace

registrar::Registration ReadRegistration(const sip::Message& request, const sip::Hop& hop, absl::string_view account) {
  registrar::Registration registration;
  registration.account = std::string(account);
  registration.call_id = std::string(request.CallId());
  registration.cseq = request.CSeqNumber();
  registration.expires = request.Expires();
  for (absl::string_view contact : request.Elements(sip::Header::kContact)) {
    if (contact == "*") {
      registration.wildcard = true;
    } else if (const auto address = sip::NameAddress::Parse(contact); address.has_value()) {
      registration.contacts.push_back(ReadContact(*address));
    }
  }
  registration.user_agent = std::string(request.Get(sip::Header::kUserAgent));
  registration.path = absl::StrJoin(request.Elements(sip::Header::kPath), ", ");
  registration.transport = transport::TransportName(hop.protocol);
  registration.source = hop.remote.ToString();
  registration.local = hop.local.ToString();
  registration.connection = hop.connection;
  return registration;
}

sip::Message MakeRegisterResponse(const sip::Message& request, const registrar::RegistrationResult& result,
                                  absl::string_view to_tag, absl::Time now) {
  sip::Message response =
      sip::Message::ResponseTo(request, static_cast<uint16_t>(result.status), to_tag, result.reason);
  if (result.status == 423) response.Add(sip::Header::kMinExpires, absl::StrCat(result.min_expires));
  if (result.status != 200) return response;
  for (const store::Binding& binding : result.bindings) {
    response.Add(sip::Header::kContact, WriteContact(binding, now));
  }
  // RFC 3327 5.3: who supports it is told what was kept.
  if (request.HasElement(sip::Header::kSupported, "path")) {
    for (absl::string_view path : request.Elements(sip::Header::kPath)) response.Add(sip::Header::kPath, path);
  }
  return response;
}

}  // namespace sluice::agent
