#include "signaling/dns/sip_resolver.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace sluice::dns {
namespace {

// Of one target in all: more is a misconfiguration, and nobody tries them all in the life of a call.
constexpr size_t kMaxCandidates = 16;
// SRV names that NAPTR records lead to.
constexpr size_t kMaxPointers = 8;
constexpr uint16_t kPort = 5060;
constexpr uint16_t kTlsPort = 5061;

uint16_t PortOf(sip::Protocol protocol) {
  switch (protocol) {
    case sip::Protocol::kTls:
      return kTlsPort;
    case sip::Protocol::kWs:
      return 80;
    case sip::Protocol::kWss:
      return 443;
    case sip::Protocol::kUdp:
    case sip::Protocol::kTcp:
      break;
  }
  return kPort;
}

// RFC 3263 9: the names that SRV records of a protocol stand under.
const char* ServicePrefix(sip::Protocol protocol) {
  switch (protocol) {
    case sip::Protocol::kUdp:
      return "_sip._udp.";
    case sip::Protocol::kTcp:
      return "_sip._tcp.";
    case sip::Protocol::kTls:
      return "_sips._tcp.";
    case sip::Protocol::kWs:
    case sip::Protocol::kWss:
      break;
  }
  return nullptr;
}

// RFC 3263 9.1, of those transports whose SRV records can be asked for.
std::optional<sip::Protocol> PointedProtocol(const ServicePointer& pointer) {
  if (!absl::EqualsIgnoreCase(pointer.flags, "s") || !pointer.regexp.empty() || pointer.replacement.empty()) {
    return std::nullopt;
  }
  if (absl::EqualsIgnoreCase(pointer.service, "SIP+D2U")) return sip::Protocol::kUdp;
  if (absl::EqualsIgnoreCase(pointer.service, "SIP+D2T")) return sip::Protocol::kTcp;
  if (absl::EqualsIgnoreCase(pointer.service, "SIPS+D2T")) return sip::Protocol::kTls;
  return std::nullopt;
}

sip::Protocol DefaultProtocol(const SipTarget& target) {
  return target.protocol.value_or(target.secure ? sip::Protocol::kTls : sip::Protocol::kUdp);
}

}  // namespace

// One name on its way to addresses. Lives as long as an answer is outstanding.
class SipResolver::Lookup : public std::enable_shared_from_this<SipResolver::Lookup> {
 public:
  Lookup(SipResolver& resolver, SipTarget target, Callback done)
      : resolver_(resolver), alive_(resolver.alive_), target_(std::move(target)), done_(std::move(done)) {}

  void Start() {
    const sip::Protocol protocol = DefaultProtocol(target_);
    if (target_.port != 0 || ServicePrefix(protocol) == nullptr) {
      AskForAddresses({{protocol, target_.port != 0 ? target_.port : PortOf(protocol), target_.host}});
    } else if (target_.protocol.has_value()) {
      AskForServices({{protocol, absl::StrCat(ServicePrefix(protocol), target_.host)}});
    } else {
      AskForPointers();
    }
  }

 private:
  // The SRV records of one name.
  struct ServiceSet {
    sip::Protocol protocol;
    std::string name;
    std::vector<Service> services = {};
  };
  // A host that may serve the target.
  struct Candidate {
    sip::Protocol protocol;
    uint16_t port;
    std::string host;
    // In the order of the families.
    std::vector<std::vector<sip::Endpoint>> addresses = {};
  };

  void AskForPointers() {
    outstanding_ = 1;
    Ask(
        target_.host, RecordType::kNaptr, [this](const Records& records) { pointers_ = records.pointers; },
        &Lookup::TakePointers);
  }

  void TakePointers() {
    const std::vector<sip::Protocol> secure = {sip::Protocol::kTls};
    const std::vector<sip::Protocol>& spoken = target_.secure ? secure : resolver_.options_.protocols;
    std::vector<ServiceSet> sets;
    for (ServicePointer& pointer : OrderPointers(std::move(pointers_))) {
      const std::optional<sip::Protocol> protocol = PointedProtocol(pointer);
      const bool is_spoken = protocol.has_value() && std::find(spoken.begin(), spoken.end(), *protocol) != spoken.end();
      if (!is_spoken || sets.size() == kMaxPointers) continue;
      sets.push_back({*protocol, std::move(pointer.replacement)});
    }
    is_pointed_ = !sets.empty();
    for (const sip::Protocol protocol : spoken) {
      if (!is_pointed_) sets.push_back({protocol, absl::StrCat(ServicePrefix(protocol), target_.host)});
    }
    AskForServices(std::move(sets));
  }

  void AskForServices(std::vector<ServiceSet> sets) {
    sets_ = std::move(sets);
    outstanding_ = sets_.size();
    for (size_t i = 0; i < sets_.size(); ++i) {
      Ask(
          sets_[i].name, RecordType::kSrv, [this, i](const Records& records) { sets_[i].services = records.services; },
          &Lookup::TakeServices);
    }
  }

  void TakeServices() {
    std::vector<Candidate> candidates;
    bool refused = false;
    for (ServiceSet& set : sets_) {
      for (Service& service : OrderServices(std::move(set.services), resolver_.random_)) {
        // RFC 2782: a target of "." says that the service is decidedly not there.
        refused = refused || service.target.empty();
        if (service.target.empty() || candidates.size() == kMaxCandidates) continue;
        candidates.push_back({set.protocol, service.port, std::move(service.target)});
      }
    }
    if (candidates.empty() && refused) return Finish(absl::NotFoundError(absl::StrCat(target_.host, " offers no SIP")));
    if (candidates.empty()) {
      // A domain that asks for TLS does not get UDP.
      const sip::Protocol protocol = is_pointed_ ? sets_.front().protocol : DefaultProtocol(target_);
      candidates.push_back({protocol, PortOf(protocol), target_.host});
    }
    AskForAddresses(std::move(candidates));
  }

  void AskForAddresses(std::vector<Candidate> candidates) {
    candidates_ = std::move(candidates);
    const std::vector<RecordType>& families = resolver_.options_.families;
    outstanding_ = candidates_.size() * families.size();
    for (Candidate& candidate : candidates_) candidate.addresses.resize(families.size());
    for (size_t i = 0; i < candidates_.size(); ++i) {
      for (size_t family = 0; family < families.size(); ++family) {
        Ask(
            candidates_[i].host, families[family],
            [this, i, family](const Records& records) { candidates_[i].addresses[family] = records.addresses; },
            &Lookup::TakeAddresses);
      }
    }
  }

  void TakeAddresses() {
    std::vector<Destination> destinations;
    for (const Candidate& candidate : candidates_) {
      for (const std::vector<sip::Endpoint>& addresses : candidate.addresses) {
        for (sip::Endpoint address : addresses) {
          address.port = candidate.port;
          const Destination destination = {candidate.protocol, address};
          if (std::find(destinations.begin(), destinations.end(), destination) == destinations.end()) {
            destinations.push_back(destination);
          }
        }
      }
    }
    if (destinations.empty()) return Finish(absl::NotFoundError(absl::StrCat(target_.host, " has no address")));
    Finish(std::move(destinations));
  }

  void Ask(const std::string& name, RecordType type, std::function<void(const Records&)> take, void (Lookup::*then)()) {
    resolver_.client_.Ask(
        name, type, [self = shared_from_this(), take = std::move(take), then](const absl::StatusOr<Records>& records) {
          if (self->alive_.expired()) return;
          if (records.ok()) {
            take(*records);
          } else {
            self->error_ = records.status();
          }
          if (--self->outstanding_ == 0) ((*self).*then)();
        });
  }

  void Finish(absl::StatusOr<std::vector<Destination>> result) {
    // That there is nothing is known only if all could be asked.
    if (!result.ok() && !error_.ok()) {
      done_(absl::UnavailableError(absl::StrCat(target_.host, ": ", error_.message())));
    } else {
      done_(std::move(result));
    }
  }

  SipResolver& resolver_;
  const std::weak_ptr<SipResolver*> alive_;
  const SipTarget target_;
  const Callback done_;
  size_t outstanding_ = 0;
  absl::Status error_;
  std::vector<ServicePointer> pointers_;
  // By NAPTR; else those of the transports that we speak.
  bool is_pointed_ = false;
  std::vector<ServiceSet> sets_;
  std::vector<Candidate> candidates_;
};

SipResolver::SipResolver(DnsClient& client, RandomFunction random, const SipResolverOptions& options)
    : client_(client), random_(std::move(random)), options_(options), alive_(std::make_shared<SipResolver*>(this)) {}

SipResolver::~SipResolver() = default;

void SipResolver::Resolve(const SipTarget& target, Callback done) {
  const sip::Protocol protocol = DefaultProtocol(target);
  const uint16_t port = target.port != 0 ? target.port : PortOf(protocol);
  if (const auto address = sip::Endpoint::Make(target.host, port); address.has_value()) {
    done(std::vector<Destination>{{protocol, *address}});
    return;
  }
  std::make_shared<Lookup>(*this, target, std::move(done))->Start();
}

}  // namespace sluice::dns
