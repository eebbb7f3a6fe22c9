// Where numbers go that no account has: the trunks and the routing table of one config.
//
// A plan is made whole and never changes; a reload puts another one in its place, and calls that exist keep the trunks
// that they began with. Routes are looked at in their order, and the first whose sender and pattern fit is taken.
//
// Threads: any.
#ifndef SLUICE_SIGNALING_ROUTING_PLAN_H_
#define SLUICE_SIGNALING_ROUTING_PLAN_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "signaling/routing/number_pattern.h"
#include "signaling/routing/number_rewrite.h"
#include "signaling/routing/trunk.h"
#include "signaling/sip/hop.h"

namespace sluice::routing {

// Who calls: an account or a trunk.
struct Origin {
  enum class Kind : uint8_t { kAccount, kTrunk };
  Kind kind = Kind::kAccount;
  std::string name;
};

// Whose calls a route is for.
struct OriginFilter {
  bool accounts = true;
  bool trunks = false;
  // Only the one of this name; empty: any of that kind.
  std::string name;

  bool Takes(const Origin& origin) const {
    return (origin.kind == Origin::Kind::kAccount ? accounts : trunks) && (name.empty() || name == origin.name);
  }
};

struct TrunkTarget {
  std::shared_ptr<const Trunk> trunk;
  // Lower ones first; among equal ones each is first as often as its weight says. At least 1.
  uint32_t priority = 0;
  uint32_t weight = 1;
};

struct Route {
  std::string name;
  OriginFilter from;
  NumberPattern number;
  // One of the three. kNumbersAccount: the account that has the number, as rewritten.
  std::string account;
  std::vector<TrunkTarget> trunks;
  // The status by which it is refused; 0: it is not.
  uint16_t refusal = 0;
  NumberRewrite called;
  NumberRewrite calling;
  // SDP is passed through, and no relay takes part.
  bool media_released = false;
  // Nobody is asked whether its calls may leave by its trunks.
  bool skips_admission = false;

  static constexpr absl::string_view kNumbersAccount = "*";
};

// The name of `trunk` that is among `identities`; empty if none is.
std::string CertificateNameOf(const Trunk& trunk, const std::vector<std::string>& identities);

class Plan {
 public:
  // No trunks, no routes.
  Plan() = default;
  Plan(std::vector<std::shared_ptr<const Trunk>> trunks, std::vector<Route> routes)
      : trunks_(std::move(trunks)), routes_(std::move(routes)) {}

  // Null if there is none.
  const Route* FindRoute(const Origin& origin, absl::string_view number) const;

  // The trunk that a request from `source` comes from; null if it is none's address. `name`: only that one's; empty:
  // any.
  std::shared_ptr<const Trunk> FindSource(const sip::Endpoint& source, absl::string_view name = "") const;
  // The one whose calls come with a certificate that speaks for `identities` (lower case), the first of several.
  std::shared_ptr<const Trunk> FindCertificate(const std::vector<std::string>& identities) const;
  // Null if there is none.
  std::shared_ptr<const Trunk> FindTrunk(absl::string_view name) const;

  const std::vector<std::shared_ptr<const Trunk>>& trunks() const { return trunks_; }

 private:
  std::vector<std::shared_ptr<const Trunk>> trunks_;
  std::vector<Route> routes_;
};

// The trunks of a route in the order in which one call tries them: by priority, and by chance of their weights within
// one (RFC 2782). `random`: 64 random bits with each call.
std::vector<std::shared_ptr<const Trunk>> OrderToTry(std::vector<TrunkTarget> targets,
                                                     const std::function<uint64_t()>& random);

}  // namespace sluice::routing

#endif  // SLUICE_SIGNALING_ROUTING_PLAN_H_
