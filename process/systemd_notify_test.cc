#include "process/systemd_notify.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <utility>

namespace sluice::process {
namespace {

// A socket at a name that the kernel chose, as systemd's: "@" and five hex digits.
class SystemdNotify : public testing::Test {
 protected:
  SystemdNotify() {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    socklen_t length = sizeof(sa_family_t);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), length), 0);
    length = sizeof(address);
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length), 0);
    name_ = "@" + std::string(address.sun_path + 1, length - sizeof(sa_family_t) - 1);
    setenv("NOTIFY_SOCKET", name_.c_str(), 1);
  }
  ~SystemdNotify() override {
    unsetenv("NOTIFY_SOCKET");
    if (fd_ >= 0) close(fd_);
  }

  std::string Received() const {
    char buffer[512];
    const ssize_t size = recv(fd_, buffer, sizeof(buffer), MSG_DONTWAIT);
    return size < 0 ? "nothing" : std::string(buffer, static_cast<size_t>(size));
  }

  int fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  std::string name_;
};

TEST_F(SystemdNotify, SaysReadyWithALineForPeople) {
  ASSERT_TRUE(NotifyReady("serves on unix:/run/sluice/relay.sock").ok());
  EXPECT_EQ(Received(), "READY=1\nSTATUS=serves on unix:/run/sluice/relay.sock");
}

TEST_F(SystemdNotify, KeepsALineBreakFromBecomingAnotherAssignment) {
  ASSERT_TRUE(NotifyReady("serves\nSTOPPING=1").ok());
  EXPECT_EQ(Received(), "READY=1\nSTATUS=serves STOPPING=1");
}

TEST_F(SystemdNotify, SaysThatItReloadsAndStops) {
  ASSERT_TRUE(NotifyReloading().ok());
  EXPECT_EQ(Received(), "RELOADING=1");
  ASSERT_TRUE(NotifyStopping().ok());
  EXPECT_EQ(Received(), "STOPPING=1");
}

TEST_F(SystemdNotify, SaysNothingWithoutSystemd) {
  unsetenv("NOTIFY_SOCKET");
  EXPECT_TRUE(NotifyReady("serves").ok());
  EXPECT_EQ(Received(), "nothing");
}

TEST_F(SystemdNotify, TellsThatNobodyReads) {
  close(std::exchange(fd_, -1));
  const absl::Status status = NotifyReady("serves");
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
}

TEST_F(SystemdNotify, RefusesANameThatIsNoSocketsName) {
  setenv("NOTIFY_SOCKET", "relative/path", 1);
  EXPECT_EQ(NotifyStopping().message(), "NOTIFY_SOCKET is 'relative/path'; allowed: an absolute path, or @ and a name");
}

}  // namespace
}  // namespace sluice::process
