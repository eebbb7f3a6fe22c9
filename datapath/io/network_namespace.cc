#include "datapath/io/network_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace sluice::io {
namespace {

int OpenOwn() { return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC); }

void Check(bool success, const char* what) {
  if (success) return;
  perror(what);
  std::abort();
}

}  // namespace

NetworkNamespace::NetworkNamespace() {
  const int before = OpenOwn();
  Check(before >= 0 && unshare(CLONE_NEWNET) == 0, "a network namespace cannot be made (these tests need root)");
  fd_ = OpenOwn();
  Check(fd_ >= 0 && setns(before, CLONE_NEWNET) == 0, "setns");
  close(before);
  Run("ip link set lo up");
}

NetworkNamespace::~NetworkNamespace() { close(fd_); }

std::string NetworkNamespace::path() const {
  return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(fd_);
}

void NetworkNamespace::Enter() const { Check(setns(fd_, CLONE_NEWNET) == 0, "setns"); }

bool NetworkNamespace::Run(const std::string& command) const {
  const InNamespace in(*this);
  // A test's path lacks the folders of root's tools.
  return std::system(("PATH=$PATH:/usr/sbin:/sbin; " + command).c_str()) == 0;
}

InNamespace::InNamespace(const NetworkNamespace& space) : before_(OpenOwn()) { space.Enter(); }

InNamespace::~InNamespace() {
  Check(setns(before_, CLONE_NEWNET) == 0, "setns");
  close(before_);
}

}  // namespace sluice::io
