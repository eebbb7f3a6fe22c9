#include "signaling/dns/reply.h"

#include "gtest/gtest.h"
#include "signaling/dns/reply_writer.h"

namespace sluice::dns {
namespace {

TEST(Reply, GivesTheAddressesOfTheName) {
  const auto records = ReadReply(ReplyWriter(7, "sip.example", 1)
                                     .Address("sip.example", "198.18.1.1", 60)
                                     .Address("SIP.example", "198.18.1.2", 30)
                                     .Bytes(),
                                 RecordType::kA);
  ASSERT_TRUE(records.ok()) << records.status();
  ASSERT_EQ(records->addresses.size(), 2u);
  EXPECT_EQ(records->addresses[1].Address(), "198.18.1.2");
  EXPECT_EQ(records->lifetime, absl::Seconds(30));
}

TEST(Reply, GivesAddressesOfIpv6) {
  const auto records =
      ReadReply(ReplyWriter(7, "sip.example", 28).Address("sip.example", "2001:db8::1").Bytes(), RecordType::kAaaa);
  ASSERT_TRUE(records.ok()) << records.status();
  EXPECT_EQ(records->addresses.at(0).Address(), "2001:db8::1");
}

TEST(Reply, GivesServicesWithTheirPortsAndWeights) {
  const Service service = {10, 20, 5070, "pbx.example"};
  const auto records =
      ReadReply(ReplyWriter(7, "_sip._udp.example", 33).Srv("_sip._udp.example", service).Bytes(), RecordType::kSrv);
  ASSERT_TRUE(records.ok()) << records.status();
  EXPECT_EQ(records->services, std::vector<Service>{service});
}

TEST(Reply, GivesPointersAsTheyCame) {
  const ServicePointer pointer = {10, 20, "s", "SIP+D2T", "", "_sip._tcp.operator.example"};
  const ServicePointer rule = {30, 40, "U", "E2U+sip", "!^.*$!sip:info@example!", ""};
  const auto records =
      ReadReply(ReplyWriter(7, "example", 35).Naptr("example", pointer, 90).Naptr("example", rule, 70).Bytes(),
                RecordType::kNaptr);
  ASSERT_TRUE(records.ok()) << records.status();
  EXPECT_EQ(records->pointers, (std::vector<ServicePointer>{pointer, rule}));
  EXPECT_EQ(records->lifetime, absl::Seconds(70));
}

TEST(Reply, FollowsAliasesAndIgnoresWhatNobodyAskedFor) {
  const auto records = ReadReply(ReplyWriter(7, "sip.example", 1)
                                     .Alias("sip.example", "host.example", 20)
                                     .Address("other.example", "198.18.1.9")
                                     .Address("host.example", "198.18.1.1")
                                     .Bytes(),
                                 RecordType::kA);
  ASSERT_TRUE(records.ok()) << records.status();
  ASSERT_EQ(records->addresses.size(), 1u);
  EXPECT_EQ(records->addresses[0].Address(), "198.18.1.1");
  EXPECT_EQ(records->lifetime, absl::Seconds(20));
}

TEST(Reply, SaysHowLongThereIsNothing) {
  const auto records =
      ReadReply(ReplyWriter(7, "none.example", 1, 3).Nothing("example", 3600, 300).Bytes(), RecordType::kA);
  ASSERT_TRUE(records.ok()) << records.status();
  EXPECT_TRUE(records->empty());
  EXPECT_EQ(records->lifetime, absl::Seconds(300));
}

TEST(Reply, TellsAServerThatCannotSayFromOneThatSaysNo) {
  EXPECT_EQ(ReadReply(ReplyWriter(7, "sip.example", 1, 2).Bytes(), RecordType::kA).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_TRUE(ReadReply(ReplyWriter(7, "sip.example", 1, 3).Bytes(), RecordType::kA).ok());
}

TEST(Reply, RefusesWhatEndsTooEarlyAtEveryByte) {
  const std::string whole = ReplyWriter(7, "sip.example", 1).Address("sip.example", "198.18.1.1").Bytes();
  ASSERT_TRUE(ReadReply(whole, RecordType::kA).ok());
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(ReadReply(whole.substr(0, size), RecordType::kA).ok()) << size;
  }
  const std::string pointer =
      ReplyWriter(7, "example", 35).Naptr("example", {1, 2, "s", "SIP+D2U", "rule", "_sip._udp.example"}).Bytes();
  ASSERT_TRUE(ReadReply(pointer, RecordType::kNaptr).ok());
  for (size_t size = 0; size < pointer.size(); ++size) {
    EXPECT_FALSE(ReadReply(pointer.substr(0, size), RecordType::kNaptr).ok()) << size;
  }
}

TEST(Reply, RefusesANameThatPointsAtItself) {
  std::string reply = ReplyWriter(7, "sip.example", 1).Address("sip.example", "198.18.1.1").Bytes();
  reply[12] = '\xc0';
  reply[13] = '\x0c';
  EXPECT_FALSE(ReadReply(reply, RecordType::kA).ok());
}

}  // namespace
}  // namespace sluice::dns
