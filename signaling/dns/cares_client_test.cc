#include "signaling/dns/cares_client.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "signaling/dns/reply_writer.h"

namespace sluice::dns {
namespace {

namespace asio = boost::asio;
using asio::ip::udp;

constexpr auto kLimit = std::chrono::seconds(10);

// A DNS server on loopback: what `answer` makes of a question; nothing: it is silent.
class DnsServer {
 public:
  using Answer = std::function<std::optional<std::string>(uint16_t id, uint16_t type)>;

  DnsServer(asio::io_context& context, Answer answer)
      : socket_(context, {asio::ip::make_address("127.0.0.1"), 0}), answer_(std::move(answer)) {
    Receive();
  }

  std::string address() const { return absl::StrCat("127.0.0.1:", socket_.local_endpoint().port()); }
  int questions() const { return questions_; }

 private:
  void Receive() {
    socket_.async_receive_from(asio::buffer(bytes_), source_, [this](const auto& error, size_t size) {
      if (error) return;
      ++questions_;
      // The name ends with a 0; the type follows.
      const size_t type = std::string(bytes_.data(), size).find('\0', 12) + 1;
      const auto number = [&](size_t at) {
        return static_cast<uint16_t>(static_cast<uint8_t>(bytes_[at]) << 8 | static_cast<uint8_t>(bytes_[at + 1]));
      };
      if (const auto reply = answer_(number(0), number(type)); reply.has_value()) {
        socket_.send_to(asio::buffer(*reply), source_);
      }
      Receive();
    });
  }

  udp::socket socket_;
  const Answer answer_;
  std::array<char, 512> bytes_ = {};
  udp::endpoint source_;
  int questions_ = 0;
};

class CaresClientTest : public testing::Test {
 protected:
  std::unique_ptr<CaresClient> Open(const std::vector<std::string>& servers) {
    auto client = CaresClient::Open(context_, {servers, absl::Milliseconds(200), 2});
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }

  absl::StatusOr<Records> Ask(CaresClient& client, RecordType type) {
    std::optional<absl::StatusOr<Records>> answer;
    client.Ask("sip.example", type, [&](const absl::StatusOr<Records>& records) { answer = records; });
    const auto end = std::chrono::steady_clock::now() + kLimit;
    while (!answer.has_value() && std::chrono::steady_clock::now() < end) context_.run_one_until(end);
    return answer.value_or(absl::DeadlineExceededError("no answer"));
  }

  asio::io_context context_;
};

std::optional<std::string> Nobody(uint16_t, uint16_t) { return std::nullopt; }

TEST_F(CaresClientTest, AsksARealServer) {
  DnsServer server(context_, [](uint16_t id, uint16_t type) {
    ReplyWriter reply(id, "sip.example", type);
    if (type == 1) reply.Address("sip.example", "198.18.1.1");
    if (type == 28) reply.Address("sip.example", "2001:db8::1");
    if (type == 33) reply.Srv("sip.example", {1, 2, 5070, "pbx.example"});
    if (type == 35) reply.Naptr("sip.example", {1, 2, "s", "SIP+D2U", "", "_sip._udp.example"});
    return reply.Bytes();
  });
  const auto client = Open({server.address()});
  EXPECT_EQ(Ask(*client, RecordType::kA)->addresses.at(0).Address(), "198.18.1.1");
  EXPECT_EQ(Ask(*client, RecordType::kAaaa)->addresses.at(0).Address(), "2001:db8::1");
  EXPECT_EQ(Ask(*client, RecordType::kSrv)->services.at(0), (Service{1, 2, 5070, "pbx.example"}));
  EXPECT_EQ(Ask(*client, RecordType::kNaptr)->pointers.at(0),
            (ServicePointer{1, 2, "s", "SIP+D2U", "", "_sip._udp.example"}));
}

TEST_F(CaresClientTest, KnowsANameThatDoesNotExist) {
  DnsServer server(context_, [](uint16_t id, uint16_t type) {
    return ReplyWriter(id, "sip.example", type, 3).Nothing("example", 100, 50).Bytes();
  });
  const auto records = Ask(*Open({server.address()}), RecordType::kA);
  ASSERT_TRUE(records.ok()) << records.status();
  EXPECT_TRUE(records->empty());
  EXPECT_EQ(records->lifetime, absl::Seconds(50));
}

TEST_F(CaresClientTest, AsksTheNextServerWhenOneIsSilent) {
  DnsServer silent(context_, Nobody);
  DnsServer server(context_, [](uint16_t id, uint16_t type) {
    return ReplyWriter(id, "sip.example", type).Address("sip.example", "198.18.1.1").Bytes();
  });
  const auto records = Ask(*Open({silent.address(), server.address()}), RecordType::kA);
  ASSERT_TRUE(records.ok()) << records.status();
  EXPECT_EQ(records->addresses.size(), 1u);
  EXPECT_EQ(silent.questions(), 1);
}

TEST_F(CaresClientTest, GivesUpOnServersThatAreSilent) {
  DnsServer silent(context_, Nobody);
  EXPECT_EQ(Ask(*Open({silent.address()}), RecordType::kA).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(silent.questions(), 2);
}

TEST_F(CaresClientTest, AnswersNobodyOnceItIsGone) {
  DnsServer silent(context_, Nobody);
  auto client = Open({silent.address()});
  bool answered = false;
  client->Ask("sip.example", RecordType::kA, [&](const auto&) { answered = true; });
  client.reset();
  context_.poll();
  EXPECT_FALSE(answered);
}

TEST_F(CaresClientTest, SaysWhatIsWrongWithItsServers) {
  const auto client = CaresClient::Open(context_, {.servers = {"not an address"}});
  EXPECT_EQ(client.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(client.status().message().find("dns.servers: 'not an address'"), std::string::npos) << client.status();
}

}  // namespace
}  // namespace sluice::dns
