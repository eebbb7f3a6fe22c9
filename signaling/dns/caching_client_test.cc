#include "signaling/dns/caching_client.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "signaling/dns/dns_client_fake.h"

namespace sluice::dns {
namespace {

class CachingClientTest : public testing::Test {
 protected:
  // How many addresses `name` has; -1: nobody could say.
  int Ask(const std::string& name) {
    int addresses = -2;
    cache_.Ask(name, RecordType::kA, [&](const absl::StatusOr<Records>& records) {
      addresses = records.ok() ? static_cast<int>(records->addresses.size()) : -1;
    });
    return addresses;
  }

  void SetAddress(const std::string& name, absl::Duration lifetime) {
    dns_.Set(name, RecordType::kA, {.addresses = {*sip::Endpoint::Parse("198.18.1.1:0")}, .lifetime = lifetime});
  }

  absl::Time now_ = absl::FromUnixSeconds(1000);
  DnsClientFake dns_;
  CachingClient cache_{dns_, [this] { return now_; }, {.max_entries = 2}};
};

TEST_F(CachingClientTest, AsksOnceForAsLongAsTheAnswerLives) {
  SetAddress("a.example", absl::Seconds(60));
  EXPECT_EQ(Ask("a.example"), 1);
  now_ += absl::Seconds(59);
  EXPECT_EQ(Ask("A.Example"), 1);
  EXPECT_EQ(dns_.questions().size(), 1u);
  now_ += absl::Seconds(1);
  EXPECT_EQ(Ask("a.example"), 1);
  EXPECT_EQ(dns_.questions().size(), 2u);
}

TEST_F(CachingClientTest, RemembersThatThereIsNothing) {
  EXPECT_EQ(Ask("none.example"), 0);
  now_ += absl::Seconds(29);
  EXPECT_EQ(Ask("none.example"), 0);
  EXPECT_EQ(dns_.questions().size(), 1u);
}

TEST_F(CachingClientTest, AsksAgainSoonWhenNobodyCouldSay) {
  dns_.SetFailing(true);
  EXPECT_EQ(Ask("a.example"), -1);
  EXPECT_EQ(Ask("a.example"), -1);
  EXPECT_EQ(dns_.questions().size(), 1u);
  dns_.SetFailing(false);
  SetAddress("a.example", absl::Seconds(60));
  now_ += absl::Seconds(5);
  EXPECT_EQ(Ask("a.example"), 1);
}

TEST_F(CachingClientTest, BoundsWhatAnswersSayOfTheirLifetime) {
  SetAddress("a.example", absl::ZeroDuration());
  SetAddress("b.example", absl::Hours(1000));
  EXPECT_EQ(Ask("a.example") + Ask("b.example"), 2);
  EXPECT_EQ(Ask("a.example"), 1);
  EXPECT_EQ(dns_.questions().size(), 2u);
  now_ += absl::Hours(1);
  EXPECT_EQ(Ask("b.example"), 1);
  EXPECT_EQ(dns_.questions().size(), 3u);
}

TEST_F(CachingClientTest, LetsManyWaitForOneAnswer) {
  dns_.SetSlow(true);
  SetAddress("a.example", absl::Seconds(60));
  int answers = 0;
  for (int i = 0; i < 3; ++i) cache_.Ask("a.example", RecordType::kA, [&](const auto&) { ++answers; });
  EXPECT_EQ(answers, 0);
  dns_.Answer();
  EXPECT_EQ(answers, 3);
  EXPECT_EQ(dns_.questions().size(), 1u);
}

TEST_F(CachingClientTest, PassesOnWhatItHasNoRoomFor) {
  for (int i = 0; i < 3; ++i) SetAddress(absl::StrCat("n", i), absl::Seconds(60));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Ask(absl::StrCat("n", i)), 1);
  EXPECT_EQ(Ask("n0") + Ask("n2"), 2);
  EXPECT_EQ(dns_.questions().size(), 4u);
}

}  // namespace
}  // namespace sluice::dns
