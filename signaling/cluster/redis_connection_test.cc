#include "signaling/cluster/redis_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "signaling/cluster/redis_server.h"

namespace sluice::cluster {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Accepts one connection, says `answer` over and over again or once, and waits until the other side closes.
class Impostor {
 public:
  explicit Impostor(std::string answer, bool endlessly = false) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    socklen_t length = sizeof(address);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    listen(listener_, 1);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, answer = std::move(answer), endlessly] {
      const int peer = accept(listener_, nullptr, nullptr);
      while (send(peer, answer.data(), answer.size(), MSG_NOSIGNAL) > 0 && endlessly) {
      }
      char byte = 0;
      while (recv(peer, &byte, 1, 0) > 0) {
      }
      close(peer);
    });
  }
  ~Impostor() {
    thread_.join();
    close(listener_);
  }
  RedisOptions options() const { return {.address = absl::StrCat("127.0.0.1:", port_)}; }

 private:
  int listener_;
  uint16_t port_;
  std::thread thread_;
};

class RedisConnectionTest : public testing::Test {
 protected:
  RedisConnectionTest() : stop_(eventfd(0, EFD_CLOEXEC)) {}
  ~RedisConnectionTest() override { close(stop_); }

  absl::Status Ping(const RedisOptions& options) {
    const auto connection = RedisConnection::Open(options, stop_);
    return connection.ok() ? (*connection)->Run({"PING"}).status() : connection.status();
  }

  const int stop_;
};

TEST_F(RedisConnectionTest, CarriesBytesOfAllKinds) {
  const RedisServer server;
  const auto connection = RedisConnection::Open(server.options(), stop_);
  ASSERT_TRUE(connection.ok()) << connection.status();
  const std::string value("a\0\r\n\xff", 5);
  ASSERT_TRUE((*connection)->Run({"SET", "key", value}).ok());
  const auto reply = (*connection)->Run({"GET", "key"});
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->view().Text(), value);
}

TEST_F(RedisConnectionTest, TellsKindsOfRepliesApart) {
  const RedisServer server;
  const auto connection = RedisConnection::Open(server.options(), stop_);
  ASSERT_TRUE(connection.ok()) << connection.status();
  const auto reply = (*connection)->Run({"EVAL", "return {7, '8', 'word', {1}, false}", "0"});
  ASSERT_TRUE(reply.ok()) << reply.status();
  const ReplyView all = reply->view();
  ASSERT_EQ(all.size(), 5u);
  EXPECT_FALSE(all.Text().has_value());
  EXPECT_EQ(all[0].Integer(), 7);
  EXPECT_FALSE(all[0].Text().has_value());
  EXPECT_EQ(all[1].Integer(), 8);
  EXPECT_FALSE(all[2].Integer().has_value());
  EXPECT_EQ(all[3].size(), 1u);
  EXPECT_FALSE(all[4].Text().has_value());
  EXPECT_FALSE(all[5].Integer().has_value());
  EXPECT_EQ(all[5][0].size(), 0u);
}

TEST_F(RedisConnectionTest, TellsWhatRedisRefusesAndGoesOn) {
  const RedisServer server;
  const auto connection = RedisConnection::Open(server.options(), stop_);
  ASSERT_TRUE(connection.ok()) << connection.status();
  const auto refused = (*connection)->Run({"HGET"});
  EXPECT_TRUE(absl::IsFailedPrecondition(refused.status())) << refused.status();
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("wrong number of arguments"));
  EXPECT_TRUE((*connection)->Run({"PING"}).ok());
}

TEST_F(RedisConnectionTest, ShowsItsPassword) {
  const RedisServer server({"--requirepass", "secret"});
  RedisOptions options = server.options();
  EXPECT_TRUE(absl::IsFailedPrecondition(Ping(options)));
  options.password = "wrong";
  EXPECT_TRUE(absl::IsFailedPrecondition(Ping(options)));
  options.password = "secret";
  EXPECT_TRUE(Ping(options).ok());
  options.username = "default";
  EXPECT_TRUE(Ping(options).ok());
}

TEST_F(RedisConnectionTest, ChoosesItsDatabase) {
  const RedisServer server;
  RedisOptions options = server.options();
  options.database = 3;
  const auto connection = RedisConnection::Open(options, stop_);
  ASSERT_TRUE(connection.ok()) << connection.status();
  ASSERT_TRUE((*connection)->Run({"SET", "key", "value"}).ok());
  EXPECT_EQ(server.Ask({"EXISTS", "key"}), std::vector<std::string>{"0"});
}

TEST_F(RedisConnectionTest, NamesTheAddressOfAServerThatIsNotThere) {
  const absl::Status status = Ping({.address = "unix:/nowhere/redis.sock"});
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("unix:/nowhere/redis.sock"));
}

TEST_F(RedisConnectionTest, WaitsForASilentServerNoLongerThanItsLimit) {
  const Impostor server("");
  RedisOptions options = server.options();
  options.limit = absl::Milliseconds(50);
  const absl::Status status = Ping(options);
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("no answer within 50ms"));
}

TEST_F(RedisConnectionTest, StopsWaitingAtOnce) {
  const Impostor server("");
  RedisOptions options = server.options();
  options.limit = absl::Hours(1);
  std::thread stopper([this] { eventfd_write(stop_, 1); });
  EXPECT_TRUE(absl::IsCancelled(Ping(options)));
  stopper.join();
}

TEST_F(RedisConnectionTest, EndsWithNonsense) {
  for (const char* answer :
       {"HTTP/1.1 400 Bad Request\r\n\r\n", "$-5\r\n", "$99999999999999999999\r\n", "*-7\r\n", "\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"}) {
    const Impostor server(answer);
    RedisOptions options = server.options();
    options.limit = absl::Milliseconds(200);
    EXPECT_TRUE(absl::IsUnavailable(Ping(options))) << answer;
  }
}

TEST_F(RedisConnectionTest, EndsWithAnEndlessReply) {
  for (const std::string& piece : {std::string(65536, 'x'), std::string(65536, '\n')}) {
    const Impostor server(piece, true);
    EXPECT_TRUE(absl::IsUnavailable(Ping(server.options())));
  }
  // A text of 2 GB, of which something comes all the time.
  const Impostor server(absl::StrCat("$2000000000\r\n", std::string(65536, 'x')), true);
  RedisOptions options = server.options();
  options.limit = absl::Seconds(30);
  EXPECT_THAT(std::string(Ping(options).message()), HasSubstr("a reply is larger than"));
}

TEST(RedisAddress, IsNumericOrASocket) {
  for (const char* right : {"198.18.0.5:6379", "[2001:db8::5]:6379", "unix:/run/redis/redis.sock"}) {
    EXPECT_THAT(RedisAddressDefect(right), IsEmpty()) << right;
  }
  for (const char* wrong :
       {"", "redis", "redis.example:6379", "198.18.0.5", "198.18.0.5:0", "unix:", "unix:redis.sock"}) {
    EXPECT_THAT(RedisAddressDefect(wrong), Not(IsEmpty())) << wrong;
  }
  EXPECT_THAT(RedisAddressDefect(absl::StrCat("unix:/", std::string(200, 'x'))), HasSubstr("too long"));
}

}  // namespace
}  // namespace sluice::cluster
