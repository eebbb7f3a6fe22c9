#include "signaling/routing/plan.h"

#include <map>

#include "gtest/gtest.h"

namespace sluice::routing {
namespace {

std::shared_ptr<const Trunk> MakeTrunk(const std::string& name, const std::vector<std::string>& sources = {}) {
  Trunk trunk;
  trunk.name = name;
  for (const std::string& source : sources) {
    auto endpoint = sip::Endpoint::Parse(source);
    trunk.sources.push_back(endpoint.has_value() ? *endpoint : *sip::Endpoint::Make(source, 0));
  }
  return std::make_shared<const Trunk>(std::move(trunk));
}

Route MakeRoute(const std::string& name, const OriginFilter& from, const std::string& pattern) {
  return {.name = name, .from = from, .number = *NumberPattern::Parse(pattern), .account = "*"};
}

const Origin kAlice = {Origin::Kind::kAccount, "alice"};
const Origin kCarrier = {Origin::Kind::kTrunk, "carrier"};

std::string Found(const Plan& plan, const Origin& origin, absl::string_view number) {
  const Route* route = plan.FindRoute(origin, number);
  return route == nullptr ? "" : route->name;
}

TEST(Plan, TakesTheFirstRouteThatFitsSenderAndNumber) {
  const Plan plan(
      {}, {MakeRoute("emergency", {true, true, ""}, "112"), MakeRoute("alice abroad", {true, false, "alice"}, "00*"),
           MakeRoute("abroad", {true, false, ""}, "00*"), MakeRoute("carrier", {false, true, "carrier"}, "0*")});
  EXPECT_EQ(Found(plan, kAlice, "112"), "emergency");
  EXPECT_EQ(Found(plan, kCarrier, "112"), "emergency");
  EXPECT_EQ(Found(plan, kAlice, "0049"), "alice abroad");
  EXPECT_EQ(Found(plan, {Origin::Kind::kAccount, "bob"}, "0049"), "abroad");
  EXPECT_EQ(Found(plan, kCarrier, "0049"), "carrier");
  EXPECT_EQ(Found(plan, kAlice, "0301"), "");
}

TEST(Plan, GivesATrunkNoRouteThatIsForAccounts) {
  const Plan plan({}, {MakeRoute("out", {}, "*")});
  EXPECT_EQ(Found(plan, kAlice, "0049"), "out");
  EXPECT_EQ(Found(plan, kCarrier, "0049"), "");
  // Nor one for an account of the trunk's name.
  EXPECT_EQ(Found(Plan({}, {MakeRoute("out", {true, false, "carrier"}, "*")}), kCarrier, "0049"), "");
}

TEST(Plan, KnowsTrunksByWhomTheirCertificatesSpeakFor) {
  Trunk a;
  a.name = "a";
  a.certificate_names = {"a.example", "shared.example"};
  Trunk b;
  b.name = "b";
  b.certificate_names = {"b.example"};
  const Plan plan({MakeTrunk("none"), std::make_shared<const Trunk>(a), std::make_shared<const Trunk>(b)}, {});
  const auto name = [&](const std::vector<std::string>& identities) {
    const auto trunk = plan.FindCertificate(identities);
    return trunk == nullptr ? "" : trunk->name;
  };
  EXPECT_EQ(name({}), "");
  EXPECT_EQ(name({"c.example"}), "");
  EXPECT_EQ(name({"c.example", "b.example"}), "b");
  EXPECT_EQ(name({"b.example", "a.example"}), "a") << "the first trunk of several";
  EXPECT_EQ(CertificateNameOf(a, {"c.example", "shared.example"}), "shared.example");
  EXPECT_EQ(CertificateNameOf(b, {"a.example"}), "");
}

TEST(Plan, KnowsTrunksByTheExactAddressThatTheyComeFrom) {
  const Plan plan({MakeTrunk("a", {"198.18.1.9"}), MakeTrunk("b", {"198.18.1.8:5060", "[2001:db8::9]:5060"})}, {});
  const auto name = [&](absl::string_view address) {
    const auto trunk = plan.FindSource(*sip::Endpoint::Parse(address));
    return trunk == nullptr ? "" : trunk->name;
  };
  EXPECT_EQ(name("198.18.1.9:40000"), "a");
  EXPECT_EQ(name("198.18.1.8:5060"), "b");
  EXPECT_EQ(name("198.18.1.8:5061"), "");
  EXPECT_EQ(plan.FindSource(*sip::Endpoint::Parse("198.18.1.9:1"), "b"), nullptr) << "only b was asked for";
  EXPECT_EQ(name("[2001:db8::9]:5060"), "b");
  EXPECT_EQ(name("198.18.1.10:5060"), "");
}

TEST(OrderToTry, GoesByPriorityAndThenByChanceOfTheWeights) {
  const std::vector<TrunkTarget> targets = {
      {MakeTrunk("last"), 2, 1}, {MakeTrunk("heavy"), 1, 3}, {MakeTrunk("light"), 1, 1}};
  std::map<std::string, int> first;
  for (uint64_t drawn = 0; drawn < 8; ++drawn) {
    const auto order = OrderToTry(targets, [&] { return drawn; });
    ASSERT_EQ(order.size(), 3u);
    EXPECT_EQ(order[2]->name, "last");
    ++first[order[0]->name];
  }
  EXPECT_EQ(first, (std::map<std::string, int>{{"heavy", 6}, {"light", 2}}));
}

}  // namespace
}  // namespace sluice::routing
