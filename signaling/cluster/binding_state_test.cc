#include "signaling/cluster/binding_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "sluice/state/v1/bindings.pb.h"

namespace sluice::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const absl::Time kNow = absl::FromUnixNanos(1'700'000'000'123'456'789);

store::Binding Binding(const std::string& contact, absl::Duration lasts = absl::Hours(1)) {
  return {.contact = contact,
          .call_id = "id of " + contact,
          .cseq = 7,
          .expire_time = kNow + lasts,
          .transport = "udp",
          .source = "198.18.2.9:43518",
          .local = "198.18.1.1:5060"};
}

std::vector<std::string> Contacts(const store::BindingSet& bindings) {
  std::vector<std::string> contacts;
  for (const store::Binding& binding : bindings) contacts.push_back(binding.contact);
  return contacts;
}

TEST(BindingState, CarriesAllButTheConnection) {
  store::Binding binding = Binding("sip:2000@198.18.2.9");
  binding.priority = 500;
  binding.user_agent = "phone \xff";
  binding.path = "<sip:proxy;lr>";
  binding.instance = "<urn:uuid:1>";
  binding.reg_id = 3;
  binding.behind_nat = true;
  binding.connection = 99;
  const auto read = ParseBindings(SerializeBindings({binding}));
  ASSERT_TRUE(read.has_value());
  ASSERT_THAT(*read, SizeIs(1));
  const store::Binding& back = read->front();
  EXPECT_EQ(back.contact, binding.contact);
  EXPECT_EQ(back.call_id, binding.call_id);
  EXPECT_EQ(back.cseq, 7u);
  EXPECT_EQ(back.expire_time, binding.expire_time);
  EXPECT_EQ(back.priority, 500u);
  EXPECT_EQ(back.user_agent, binding.user_agent);
  EXPECT_EQ(back.path, binding.path);
  EXPECT_EQ(back.instance, binding.instance);
  EXPECT_EQ(back.reg_id, 3u);
  EXPECT_EQ(back.transport, "udp");
  EXPECT_EQ(back.source, binding.source);
  EXPECT_EQ(back.local, binding.local);
  EXPECT_TRUE(back.behind_nat);
  EXPECT_EQ(back.connection, 0u);
}

TEST(BindingState, IsEmptyWhereThereAreNone) {
  EXPECT_THAT(SerializeBindings({}), IsEmpty());
  ASSERT_TRUE(ParseBindings("").has_value());
  EXPECT_THAT(*ParseBindings(""), IsEmpty());
}

TEST(BindingState, TakesNothingThatIsDamaged) {
  const std::string state = SerializeBindings({Binding("sip:2000@198.18.2.9")});
  EXPECT_FALSE(ParseBindings(state.substr(0, state.size() - 1)).has_value());
  EXPECT_FALSE(ParseBindings(std::string(1000, '\xff')).has_value());
}

TEST(BindingState, LeavesOutWhatMakesNoSense) {
  store::BindingSet wrong(6, Binding("sip:2000@198.18.2.9"));
  wrong[0].contact = "nowhere";
  wrong[1].contact = "sip:a@b\r\nVia: evil";
  wrong[2].path = "<sip:a>\n";
  wrong[3].source = "198.18.2.9";
  wrong[4].transport = "";
  const auto read = ParseBindings(SerializeBindings(wrong));
  ASSERT_TRUE(read.has_value());
  EXPECT_THAT(Contacts(*read), ElementsAre("sip:2000@198.18.2.9"));
  EXPECT_THAT(*ParseBindings(SerializeBindings(store::BindingSet(1000, wrong[5]))), SizeIs(64));
}

TEST(BindingState, KeepsConnectionsOfItsOwn) {
  store::Binding ours = Binding("sip:a@198.18.2.9");
  ours.connection = 5;
  store::Binding elsewhere = Binding("sip:a@198.18.2.9");
  elsewhere.local = "198.18.1.2:5060";
  const store::BindingSet kept = WithConnections({Binding("sip:a@198.18.2.9"), elsewhere}, {ours});
  EXPECT_EQ(kept[0].connection, 5u);
  EXPECT_EQ(kept[1].connection, 0u);
}

TEST(BindingState, MergesPhonesThatRegisteredAtOnce) {
  const store::BindingSet merged =
      Merge({Binding("sip:a@198.18.2.1"), Binding("sip:b@198.18.2.2")}, {Binding("sip:c@198.18.2.3")});
  EXPECT_THAT(Contacts(merged), ElementsAre("sip:a@198.18.2.1", "sip:b@198.18.2.2", "sip:c@198.18.2.3"));
}

TEST(BindingState, MergesAPhoneWithItselfByWhatLastsLonger) {
  store::Binding ours = Binding("sip:a@198.18.2.1", absl::Minutes(1));
  store::Binding theirs = Binding("sip:a@198.18.2.1", absl::Minutes(2));
  EXPECT_THAT(Merge({ours}, {theirs}), SizeIs(1));
  EXPECT_EQ(Merge({ours}, {theirs})[0].expire_time, theirs.expire_time);
  EXPECT_EQ(Merge({theirs}, {ours})[0].expire_time, theirs.expire_time);
  // By its instance, wherever it is (RFC 5626).
  theirs.contact = "sip:a@198.18.2.99";
  for (store::Binding* binding : {&ours, &theirs}) {
    binding->instance = "<urn:uuid:1>";
    binding->reg_id = 1;
  }
  EXPECT_THAT(Contacts(Merge({ours}, {theirs})), ElementsAre("sip:a@198.18.2.99"));
  // Two phones behind two NATs may have the same private address.
  ours = theirs = Binding("sip:a@192.168.0.2");
  ours.behind_nat = theirs.behind_nat = true;
  theirs.call_id = "another";
  theirs.source = "198.18.9.9:1000";
  EXPECT_THAT(Merge({ours}, {theirs}), SizeIs(2));
}

}  // namespace
}  // namespace sluice::cluster
