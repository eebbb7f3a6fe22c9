#include "process/systemd_notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace sluice::process {
namespace {

absl::Status Notify(const std::string& message) {
  const char* name = std::getenv("NOTIFY_SOCKET");
  if (name == nullptr) return absl::OkStatus();
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const size_t size = std::strlen(name);
  if (size < 2 || size >= sizeof(address.sun_path) || (name[0] != '/' && name[0] != '@')) {
    return absl::InvalidArgumentError(
        absl::StrCat("NOTIFY_SOCKET is '", name, "'; allowed: an absolute path, or @ and a name"));
  }
  std::memcpy(address.sun_path, name, size);
  // The abstract namespace begins with a zero byte.
  if (name[0] == '@') address.sun_path[0] = '\0';

  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return absl::ErrnoToStatus(errno, "cannot make a socket to notify systemd");
  const absl::Cleanup close_fd = [fd] { close(fd); };
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
  const ssize_t sent =
      sendto(fd, message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), length);
  if (sent < 0) {
    return absl::UnavailableError(absl::StrCat("cannot notify systemd at ", name, ": ", std::strerror(errno)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status NotifyReady(absl::string_view status) {
  // One assignment a line: a line break in the text would begin another.
  return Notify(absl::StrCat("READY=1\nSTATUS=", absl::StrReplaceAll(status, {{"\n", " "}})));
}

absl::Status NotifyReloading() { return Notify("RELOADING=1"); }

absl::Status NotifyStopping() { return Notify("STOPPING=1"); }

}  // namespace sluice::process
