#include "signaling/registrar/registrar.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "signaling/sip/uri.h"

namespace sluice::registrar {
namespace {

// Shards that register the same account at once make each other try again; more rounds than shards are never needed.
constexpr int kMaxRounds = 100;

absl::string_view AddressOf(absl::string_view endpoint) { return endpoint.substr(0, endpoint.rfind(':')); }

bool SameUri(absl::string_view a, absl::string_view b) {
  if (a == b) return true;
  const std::optional<sip::Uri> left = sip::Uri::Parse(a);
  const std::optional<sip::Uri> right = sip::Uri::Parse(b);
  return left.has_value() && right.has_value() && *left == *right;
}

bool IsSipUri(absl::string_view text) {
  const std::optional<sip::Uri> uri = sip::Uri::Parse(text);
  return uri.has_value() && uri->is_sip() && !uri->host().empty();
}

uint16_t DefaultPort(const sip::Uri& uri) {
  return uri.Transport() == sip::Protocol::kTls || uri.Transport() == sip::Protocol::kWss ? 5061 : 5060;
}

std::string RemoteOf(const store::Binding& binding) {
  if (binding.behind_nat) return binding.source;
  const std::optional<sip::Uri> uri = sip::Uri::Parse(binding.contact);
  if (!uri.has_value()) return binding.source;
  // A name is not resolved: the phone can be reached where it spoke from.
  const std::optional<sip::Endpoint> address = uri->Address(DefaultPort(*uri));
  return address.has_value() ? address->ToString() : binding.source;
}

// What one try of a registration comes to.
struct Outcome {
  uint32_t status = 200;
  std::string reason;
  store::BindingSet next;
};

bool SameBinding(const store::Binding& binding, const ContactWish& wish, const Registration& registration,
                 bool behind_nat) {
  const bool outbound = !wish.instance.empty() && wish.reg_id != 0;
  if (outbound || (!binding.instance.empty() && binding.reg_id != 0)) {
    return outbound && binding.instance == wish.instance && binding.reg_id == wish.reg_id;
  }
  if (!SameUri(binding.contact, wish.uri)) return false;
  if (!behind_nat && !binding.behind_nat) return true;
  return binding.call_id == registration.call_id || AddressOf(binding.source) == AddressOf(registration.source);
}

// RFC 3261 10.3 step 7: within one Call-ID, only a request with a higher CSeq may change a binding.
bool IsOlder(const Registration& registration, const store::Binding& binding) {
  return binding.call_id == registration.call_id && registration.cseq <= binding.cseq;
}

Outcome OutOfOrder() { return {500, "Older than the registration it would change", {}}; }

Outcome RemoveAll(const Registration& registration, const store::BindingSet& present) {
  for (const store::Binding& binding : present) {
    if (IsOlder(registration, binding)) return OutOfOrder();
  }
  return {};
}

store::Binding MakeBinding(const Registration& registration, const ContactWish& wish, bool behind_nat,
                           absl::Time expire_time) {
  return {.contact = wish.uri,
          .call_id = registration.call_id,
          .cseq = registration.cseq,
          .expire_time = expire_time,
          .priority = wish.priority,
          .user_agent = registration.user_agent,
          .path = registration.path,
          .instance = wish.instance,
          .reg_id = wish.reg_id,
          .transport = registration.transport,
          .source = registration.source,
          .local = registration.local,
          .behind_nat = behind_nat,
          .connection = registration.connection};
}

Outcome ApplyContacts(const Registration& registration, const std::vector<absl::Duration>& lifetimes,
                      store::BindingSet bindings, size_t max_bindings, absl::Time now) {
  for (size_t i = 0; i < registration.contacts.size(); ++i) {
    const ContactWish& wish = registration.contacts[i];
    const bool behind_nat = IsBehindNat(wish.uri, registration.source);
    const auto found = std::find_if(bindings.begin(), bindings.end(), [&](const store::Binding& binding) {
      return SameBinding(binding, wish, registration, behind_nat);
    });
    // A contact that is named twice in one request is not out of order.
    if (found != bindings.end() && IsOlder(registration, *found) &&
        !(found->cseq == registration.cseq && found->expire_time == now + lifetimes[i])) {
      return OutOfOrder();
    }
    if (lifetimes[i] <= absl::ZeroDuration()) {
      if (found != bindings.end()) bindings.erase(found);
      continue;
    }
    store::Binding binding = MakeBinding(registration, wish, behind_nat, now + lifetimes[i]);
    if (found != bindings.end()) {
      *found = std::move(binding);
      continue;
    }
    if (bindings.size() >= max_bindings) {
      bindings.erase(std::min_element(bindings.begin(), bindings.end(),
                                      [](const auto& a, const auto& b) { return a.expire_time < b.expire_time; }));
    }
    bindings.push_back(std::move(binding));
  }
  return {200, "", std::move(bindings)};
}

}  // namespace

bool IsBehindNat(absl::string_view contact_uri, absl::string_view source) {
  const std::optional<sip::Uri> uri = sip::Uri::Parse(contact_uri);
  const std::optional<sip::Endpoint> from = sip::Endpoint::Parse(source);
  if (!uri.has_value() || !from.has_value()) return false;
  const std::optional<sip::Endpoint> contact = uri->Address(DefaultPort(*uri));
  return contact.has_value() && !contact->SameAddress(*from);
}

RegistrationResult Registrar::Register(const Registration& registration, absl::Time now) {
  RegistrationResult result;
  const auto refuse = [&result](uint32_t status, std::string reason) {
    result.status = status;
    result.reason = std::move(reason);
    return result;
  };
  if (registration.wildcard && (!registration.contacts.empty() || registration.expires != 0u)) {
    return refuse(400, "Contact * wants Expires 0 and no other contact");
  }
  if (registration.contacts.size() > options_.max_bindings) {
    return refuse(400, absl::StrCat("More than ", options_.max_bindings, " contacts"));
  }
  std::vector<absl::Duration> lifetimes;
  for (const ContactWish& wish : registration.contacts) {
    if (!IsSipUri(wish.uri)) return refuse(400, "Contact is not a SIP URI");
    const std::optional<uint32_t> seconds = wish.expires.has_value() ? wish.expires : registration.expires;
    absl::Duration lifetime = seconds.has_value() ? absl::Seconds(*seconds) : options_.default_expires;
    if (lifetime > absl::ZeroDuration() && lifetime < options_.min_expires) {
      result.min_expires = static_cast<uint32_t>(absl::ToInt64Seconds(options_.min_expires));
      return refuse(423, "Interval Too Brief");
    }
    lifetimes.push_back(std::min(lifetime, options_.max_expires));
  }

  for (int round = 0; round < kMaxRounds; ++round) {
    if (store_.FindAccount(registration.account) == nullptr) return refuse(404, "Not Found");
    const std::shared_ptr<const store::BindingSet> present = store_.FindBindings(registration.account);
    store::BindingSet alive;
    std::copy_if(present->begin(), present->end(), std::back_inserter(alive),
                 [now](const store::Binding& binding) { return binding.expire_time > now; });
    Outcome outcome = registration.wildcard
                          ? RemoveAll(registration, alive)
                          : ApplyContacts(registration, lifetimes, std::move(alive), options_.max_bindings, now);
    if (outcome.status != 200) return refuse(outcome.status, std::move(outcome.reason));
    const bool fetch = registration.contacts.empty() && !registration.wildcard;
    if (!fetch && !store_.ReplaceBindings(registration.account, present, outcome.next)) continue;
    result.bindings = std::move(outcome.next);
    return result;
  }
  return refuse(500, "Too many registrations of one account at once");
}

std::vector<Target> Registrar::Locate(absl::string_view account, absl::Time now) const {
  std::vector<Target> targets;
  for (const store::Binding& binding : *store_.FindBindings(account)) {
    if (binding.expire_time <= now) continue;
    targets.push_back({binding, RemoteOf(binding)});
  }
  std::stable_sort(targets.begin(), targets.end(), [](const Target& a, const Target& b) {
    if (a.binding.priority != b.binding.priority) return a.binding.priority > b.binding.priority;
    return a.binding.expire_time > b.binding.expire_time;
  });
  return targets;
}

}  // namespace sluice::registrar
