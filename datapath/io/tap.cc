#include "datapath/io/tap.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace sluice::io {
namespace {

absl::Status TapError(const std::string& name, const char* what) {
  const int error = errno;
  const std::string text = absl::StrCat("TAP ", name, ": cannot ", what, ": ", strerror(error));
  if (error == EBUSY) return absl::AlreadyExistsError(absl::StrCat(text, "; another process has it"));
  if (error == EPERM) return absl::PermissionDeniedError(absl::StrCat(text, "; it needs root or CAP_NET_ADMIN"));
  return absl::InternalError(text);
}

}  // namespace

absl::StatusOr<Tap> Tap::Open(const std::string& name, const packet::MacAddress& mac_address) {
  if (name.empty() || name.size() >= IFNAMSIZ) {
    return absl::InvalidArgumentError(
        absl::StrCat("tap_name: \"", name, "\" is not 1 to ", IFNAMSIZ - 1, " characters long"));
  }
  Tap tap(open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (tap.fd_ < 0) return TapError(name, "open /dev/net/tun");
  ifreq request = {};
  strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (ioctl(tap.fd_, TUNSETIFF, &request) != 0) return TapError(name, "make it");

  request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
  memcpy(request.ifr_hwaddr.sa_data, mac_address.bytes.data(), mac_address.bytes.size());
  if (ioctl(tap.fd_, SIOCSIFHWADDR, &request) != 0) return TapError(name, "set its MAC address");

  const int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (control < 0) return TapError(name, "open a socket");
  const absl::Cleanup close_control = [control] { close(control); };
  if (ioctl(control, SIOCGIFFLAGS, &request) != 0) return TapError(name, "read its flags");
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  if (ioctl(control, SIOCSIFFLAGS, &request) != 0) return TapError(name, "set it up");
  tap.index_ = if_nametoindex(name.c_str());
  return tap;
}

Tap::Tap(Tap&& other) noexcept : fd_(std::exchange(other.fd_, -1)), index_(other.index_) {}

Tap::~Tap() {
  if (fd_ >= 0) close(fd_);
}

bool Tap::Write(const uint8_t* frame, size_t size) { return write(fd_, frame, size) == static_cast<ssize_t>(size); }

size_t Tap::Read(uint8_t* frame, size_t capacity) {
  const ssize_t size = read(fd_, frame, capacity);
  return size > 0 ? static_cast<size_t>(size) : 0;
}

}  // namespace sluice::io
