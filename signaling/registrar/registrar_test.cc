#include "signaling/registrar/registrar.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "signaling/store/sqlite_store.h"

namespace sluice::registrar {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);
constexpr char kPublic[] = "sip:alice@198.18.1.2:5060";
constexpr char kPrivate[] = "sip:alice@192.168.2.63:43518;transport=udp";

class RegistrarTest : public testing::Test {
 protected:
  RegistrarTest() : registrar_(*store_, {.max_bindings = 3}) {
    EXPECT_TRUE(store_->CreateAccount({.name = "alice", .create_time = kNow}).ok());
  }

  Registration From(const std::string& source, const std::string& call_id = "r1") {
    return {.account = "alice",
            .call_id = call_id,
            .cseq = ++cseq_,
            .user_agent = "phone",
            .transport = "udp",
            .source = source,
            .local = "198.18.1.1:5060"};
  }
  Registration Contact(const std::string& uri, const std::string& source = "198.18.1.2:5060",
                       const std::string& call_id = "r1") {
    Registration registration = From(source, call_id);
    registration.contacts = {{.uri = uri}};
    return registration;
  }

  std::vector<std::string> Contacts(absl::Time now = kNow) {
    std::vector<std::string> contacts;
    for (const Target& target : registrar_.Locate("alice", now)) contacts.push_back(target.binding.contact);
    return contacts;
  }

  std::unique_ptr<store::Store> store_ = *store::OpenSqliteStore({.file = ":memory:"});
  Registrar registrar_;
  uint32_t cseq_ = 0;
};

TEST_F(RegistrarTest, AddsAContactAndAnswersIt) {
  const RegistrationResult result = registrar_.Register(Contact(kPublic), kNow);
  EXPECT_EQ(result.status, 200u);
  ASSERT_EQ(result.bindings.size(), 1u);
  EXPECT_EQ(result.bindings[0].contact, kPublic);
  EXPECT_EQ(result.bindings[0].expire_time, kNow + absl::Hours(1));
  EXPECT_THAT(Contacts(), ElementsAre(kPublic));
}

TEST_F(RegistrarTest, RefreshesAContactThatIsThere) {
  registrar_.Register(Contact(kPublic), kNow);
  registrar_.Register(Contact("sip:alice@198.18.1.2"), kNow + absl::Minutes(30));
  registrar_.Register(Contact("SIP:alice@198.18.1.2:5060"), kNow + absl::Minutes(30));
  const auto targets = registrar_.Locate("alice", kNow + absl::Minutes(31));
  // A URI without port is another one (RFC 3261 19.1.4).
  ASSERT_EQ(targets.size(), 2u);
  EXPECT_EQ(targets[0].binding.expire_time, kNow + absl::Minutes(90));
}

TEST_F(RegistrarTest, RemovesAContactWithExpiresZero) {
  registrar_.Register(Contact(kPublic), kNow);
  Registration removal = Contact(kPublic);
  removal.contacts[0].expires = 0;
  const RegistrationResult result = registrar_.Register(removal, kNow);
  EXPECT_EQ(result.status, 200u);
  EXPECT_THAT(result.bindings, IsEmpty());
  EXPECT_THAT(Contacts(), IsEmpty());
}

TEST_F(RegistrarTest, RemovesAllWithAStar) {
  registrar_.Register(Contact(kPublic), kNow);
  registrar_.Register(Contact("sip:alice@198.18.1.3", "198.18.1.3:5060", "r2"), kNow);
  Registration removal = From("198.18.1.2:5060");
  removal.wildcard = true;
  removal.expires = 0;
  EXPECT_EQ(registrar_.Register(removal, kNow).status, 200u);
  EXPECT_THAT(Contacts(), IsEmpty());
}

TEST_F(RegistrarTest, RefusesAStarWithATimeOrWithoutOneOrBesideAContact) {
  Registration registration = From("198.18.1.2:5060");
  registration.wildcard = true;
  EXPECT_EQ(registrar_.Register(registration, kNow).status, 400u);
  registration.expires = 60;
  EXPECT_EQ(registrar_.Register(registration, kNow).status, 400u);
  registration.expires = 0;
  registration.contacts = {{.uri = kPublic}};
  EXPECT_EQ(registrar_.Register(registration, kNow).status, 400u);
}

TEST_F(RegistrarTest, FetchesWithoutContact) {
  registrar_.Register(Contact(kPublic), kNow);
  const RegistrationResult result = registrar_.Register(From("198.18.1.9:5060", "r9"), kNow);
  EXPECT_EQ(result.status, 200u);
  EXPECT_EQ(result.bindings.size(), 1u);
}

TEST_F(RegistrarTest, CutsLongTimesAndRefusesShortOnes) {
  Registration registration = Contact(kPublic);
  registration.expires = 100'000;
  EXPECT_EQ(registrar_.Register(registration, kNow).bindings[0].expire_time, kNow + absl::Hours(1));
  registration = Contact(kPublic);
  registration.expires = 59;
  const RegistrationResult result = registrar_.Register(registration, kNow);
  EXPECT_EQ(result.status, 423u);
  EXPECT_EQ(result.min_expires, 60u);
}

TEST_F(RegistrarTest, PrefersTheContactsOwnTime) {
  Registration registration = Contact(kPublic);
  registration.expires = 600;
  registration.contacts[0].expires = 120;
  EXPECT_EQ(registrar_.Register(registration, kNow).bindings[0].expire_time, kNow + absl::Seconds(120));
}

TEST_F(RegistrarTest, RefusesWhatIsOlderThanWhatWasDone) {
  registrar_.Register(Contact(kPublic), kNow);
  Registration late = Contact(kPublic);
  late.cseq = 1;
  late.contacts[0].expires = 0;
  EXPECT_EQ(registrar_.Register(late, kNow).status, 500u);
  Registration late_star = From("198.18.1.2:5060");
  late_star.cseq = 1;
  late_star.wildcard = true;
  late_star.expires = 0;
  EXPECT_EQ(registrar_.Register(late_star, kNow).status, 500u);
  EXPECT_THAT(Contacts(), ElementsAre(kPublic));
}

TEST_F(RegistrarTest, LetsAPhoneThatStartedAnewBeginItsCountAgain) {
  registrar_.Register(Contact(kPublic), kNow);
  Registration restarted = Contact(kPublic, "198.18.1.2:5060", "another-call-id");
  restarted.cseq = 1;
  EXPECT_EQ(registrar_.Register(restarted, kNow).status, 200u);
  EXPECT_THAT(Contacts(), ElementsAre(kPublic));
}

TEST_F(RegistrarTest, DoesAllOrNothing) {
  Registration registration = Contact("sip:alice@198.18.1.2:1000");
  registration.contacts.push_back({.uri = "mailto:alice@example.com"});
  EXPECT_EQ(registrar_.Register(registration, kNow).status, 400u);
  EXPECT_THAT(Contacts(), IsEmpty());
}

TEST_F(RegistrarTest, RefusesMoreContactsThanAnAccountMayHave) {
  Registration registration = From("198.18.1.2:5060");
  for (int i = 0; i < 4; ++i) registration.contacts.push_back({.uri = absl::StrCat("sip:alice@198.18.1.2:", 1000 + i)});
  EXPECT_EQ(registrar_.Register(registration, kNow).status, 400u);
}

TEST_F(RegistrarTest, GivesTheRoomOfTheContactThatExpiresFirst) {
  for (int i = 0; i < 4; ++i) {
    registrar_.Register(Contact(absl::StrCat("sip:alice@198.18.1.2:", 1000 + i)), kNow + absl::Seconds(i));
  }
  EXPECT_THAT(Contacts(),
              ElementsAre("sip:alice@198.18.1.2:1003", "sip:alice@198.18.1.2:1002", "sip:alice@198.18.1.2:1001"));
}

TEST_F(RegistrarTest, KnowsNoAccountThatIsNotThere) {
  Registration registration = Contact(kPublic);
  registration.account = "nobody";
  EXPECT_EQ(registrar_.Register(registration, kNow).status, 404u);
}

TEST_F(RegistrarTest, ReachesAPhoneBehindNatWhereItsPacketsComeFrom) {
  registrar_.Register(Contact(kPrivate, "198.18.2.9:43518"), kNow);
  const auto targets = registrar_.Locate("alice", kNow);
  ASSERT_EQ(targets.size(), 1u);
  EXPECT_TRUE(targets[0].binding.behind_nat);
  EXPECT_EQ(targets[0].remote, "198.18.2.9:43518");
  EXPECT_EQ(targets[0].binding.contact, kPrivate);
}

TEST_F(RegistrarTest, ReachesAPhoneWithoutNatAtItsContact) {
  registrar_.Register(Contact("sip:alice@198.18.1.2:6000", "198.18.1.2:5060"), kNow);
  const auto targets = registrar_.Locate("alice", kNow);
  EXPECT_FALSE(targets[0].binding.behind_nat);
  EXPECT_EQ(targets[0].remote, "198.18.1.2:6000");
}

TEST_F(RegistrarTest, ReachesAPhoneThatNamesAHostWhereItSpokeFrom) {
  registrar_.Register(Contact("sip:alice@phone.invalid", "198.18.1.2:5062"), kNow);
  EXPECT_EQ(registrar_.Locate("alice", kNow)[0].remote, "198.18.1.2:5062");
}

TEST_F(RegistrarTest, TellsPhonesBehindDifferentNatsApart) {
  registrar_.Register(Contact(kPrivate, "198.18.2.9:43518", "phone-1"), kNow);
  registrar_.Register(Contact(kPrivate, "198.18.3.9:43518", "phone-2"), kNow);
  EXPECT_EQ(Contacts().size(), 2u);
}

TEST_F(RegistrarTest, FollowsAPhoneWhoseNatGivesItAnotherPortOrAddress) {
  registrar_.Register(Contact(kPrivate, "198.18.2.9:43518", "phone-1"), kNow);
  registrar_.Register(Contact(kPrivate, "198.18.2.9:50000", "restarted"), kNow);
  registrar_.Register(Contact(kPrivate, "198.18.3.9:50000", "restarted"), kNow);
  const auto targets = registrar_.Locate("alice", kNow);
  ASSERT_EQ(targets.size(), 1u);
  EXPECT_EQ(targets[0].remote, "198.18.3.9:50000");
}

TEST_F(RegistrarTest, KnowsAPhoneByItsInstanceWhereverItIs) {
  Registration first = Contact(kPublic);
  first.contacts[0].instance = "<urn:uuid:1>";
  first.contacts[0].reg_id = 1;
  Registration moved = Contact("sip:alice@198.18.1.7:5060", "198.18.1.7:5060", "r2");
  moved.contacts[0].instance = "<urn:uuid:1>";
  moved.contacts[0].reg_id = 1;
  Registration second_flow = moved;
  second_flow.contacts[0].reg_id = 2;
  registrar_.Register(first, kNow);
  registrar_.Register(moved, kNow);
  EXPECT_THAT(Contacts(), ElementsAre("sip:alice@198.18.1.7:5060"));
  registrar_.Register(second_flow, kNow);
  EXPECT_EQ(Contacts().size(), 2u);
}

TEST_F(RegistrarTest, PutsTheHighestPriorityFirst) {
  Registration low = Contact("sip:alice@198.18.1.2:1000");
  low.contacts[0].priority = 100;
  registrar_.Register(low, kNow + absl::Seconds(1));
  registrar_.Register(Contact("sip:alice@198.18.1.2:2000"), kNow);
  EXPECT_THAT(Contacts(), ElementsAre("sip:alice@198.18.1.2:2000", "sip:alice@198.18.1.2:1000"));
}

TEST_F(RegistrarTest, ForgetsWhatHasExpired) {
  registrar_.Register(Contact(kPublic), kNow);
  EXPECT_THAT(Contacts(kNow + absl::Hours(1)), IsEmpty());
  // A phone that comes back after that may use any CSeq.
  Registration again = Contact(kPublic);
  again.cseq = 1;
  EXPECT_EQ(registrar_.Register(again, kNow + absl::Hours(1)).status, 200u);
}

}  // namespace
}  // namespace sluice::registrar
