#include "process/grpc_server.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "process/grpc_status.h"

namespace sluice::process {
namespace {

// Socket paths are short, test folders are not.
class GrpcServerTest : public testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/sluice-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
    path_ = folder_ + "/s";
  }
  void TearDown() override {
    unlink(path_.c_str());
    rmdir(folder_.c_str());
  }

  std::string folder_;
  std::string path_;
};

TEST_F(GrpcServerTest, ServesOnASocketAndAPortThatTheKernelChose) {
  auto server = GrpcServer::Start({"unix:" + path_, "127.0.0.1:0"}, {});
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ((*server)->addresses()[0], "unix:" + path_);
  EXPECT_NE((*server)->addresses()[1], "127.0.0.1:0");
  for (const std::string& address : (*server)->addresses()) {
    auto channel = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
    EXPECT_TRUE(channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(5))) << address;
  }
  (*server)->Stop(absl::ZeroDuration());
  EXPECT_NE(access(path_.c_str(), F_OK), 0) << "the socket is left";
}

TEST_F(GrpcServerTest, TakesTheSocketThatAKilledPredecessorLeft) {
  const int left = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path_.c_str());
  ASSERT_EQ(bind(left, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  close(left);
  const auto server = GrpcServer::Start({"unix:" + path_}, {});
  EXPECT_TRUE(server.ok()) << server.status();
}

TEST_F(GrpcServerTest, DoesNotTakeASocketThatIsAnswered) {
  const auto first = GrpcServer::Start({"unix:" + path_}, {});
  ASSERT_TRUE(first.ok());
  const auto second = GrpcServer::Start({"unix:" + path_}, {});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_NE(second.status().message().find("another process serves there"), absl::string_view::npos);
}

TEST_F(GrpcServerTest, DoesNotTakeAFile) {
  std::ofstream(path_) << "mine";
  EXPECT_EQ(GrpcServer::Start({"unix:" + path_}, {}).status().code(), absl::StatusCode::kAlreadyExists);
  std::string word;
  std::ifstream(path_) >> word;
  EXPECT_EQ(word, "mine");
}

TEST_F(GrpcServerTest, SaysThatAPortIsHeld) {
  const auto first = GrpcServer::Start({"127.0.0.1:0"}, {});
  ASSERT_TRUE(first.ok());
  const auto second = GrpcServer::Start({(*first)->addresses()[0]}, {});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_NE(second.status().message().find((*first)->addresses()[0]), absl::string_view::npos);
}

TEST(GrpcStatus, KeepsCodeAndTextBothWays) {
  const absl::Status status = absl::ResourceExhaustedError("networks[0]: no port left");
  const grpc::Status there = ToGrpcStatus(status);
  EXPECT_EQ(there.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(FromGrpcStatus(there), status);
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
}

}  // namespace
}  // namespace sluice::process
