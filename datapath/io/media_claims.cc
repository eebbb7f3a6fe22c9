#include "datapath/io/media_claims.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace sluice::io {
namespace {

constexpr char kPortsPrefix[] = "sluice/media/";
constexpr char kInterfacePrefix[] = "sluice/interface/";

// A socket with an abstract name, or a negative errno.
int BindName(const std::string& name) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (name.size() >= sizeof(address.sun_path)) return -ENAMETOOLONG;
  memcpy(address.sun_path + 1, name.data(), name.size());
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  const socklen_t size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0) return fd;
  const int error = errno;
  close(fd);
  return -error;
}

struct Claim {
  int pid = 0;
  MediaRange range;
};

std::string Ports(const MediaRange& range) { return absl::StrCat(range.first_port, "-", range.last_port); }

std::string NameOf(const Claim& claim) {
  return absl::StrCat(kPortsPrefix, claim.pid, "/", claim.range.address.ToString(), "/", Ports(claim.range));
}

// The reverse of NameOf.
std::optional<Claim> ReadName(absl::string_view name) {
  if (!absl::ConsumePrefix(&name, kPortsPrefix)) return std::nullopt;
  const std::vector<std::string> parts = absl::StrSplit(name, '/');
  if (parts.size() != 3) return std::nullopt;
  const std::vector<std::string> ports = absl::StrSplit(parts[2], '-');
  const auto address = packet::IpAddress::Parse(parts[1]);
  Claim claim;
  uint32_t first = 0;
  uint32_t last = 0;
  if (!address.has_value() || ports.size() != 2 || !absl::SimpleAtoi(parts[0], &claim.pid) ||
      !absl::SimpleAtoi(ports[0], &first) || !absl::SimpleAtoi(ports[1], &last) || first > 65535 || last > 65535) {
    return std::nullopt;
  }
  claim.range = {*address, static_cast<uint16_t>(first), static_cast<uint16_t>(last)};
  return claim;
}

bool Overlap(const MediaRange& a, const MediaRange& b) {
  return a.address == b.address && a.first_port <= b.last_port && b.first_port <= a.last_port;
}

// A claim to some of `range` under another name than `own`. Names are compared and not processes: two containers may
// share a network namespace and both be process 1.
std::optional<Claim> FindOverlap(const MediaRange& range, const std::string& own) {
  std::ifstream sockets("/proc/thread-self/net/unix");
  std::string line;
  while (std::getline(sockets, line)) {
    const size_t at = line.find('@');
    if (at == std::string::npos) continue;
    const absl::string_view name = absl::string_view(line).substr(at + 1);
    const auto claim = ReadName(name);
    if (claim.has_value() && name != own && Overlap(claim->range, range)) return claim;
  }
  return std::nullopt;
}

absl::Status TakenError(const MediaRange& range, const Claim& other) {
  return absl::AlreadyExistsError(absl::StrCat("media ports ", Ports(range), " of ", range.address.ToString(),
                                               ": process ", other.pid, " holds ", Ports(other.range),
                                               "; give each relay a range of its own"));
}

}  // namespace

MediaClaims::~MediaClaims() {
  for (const auto& [name, fd] : sockets_) close(fd);
}

absl::Status MediaClaims::ClaimPorts(const MediaRange& range) {
  const Claim claim = {getpid(), range};
  const std::string name = NameOf(claim);
  const int fd = BindName(name);
  if (fd == -EADDRINUSE) return TakenError(range, claim);
  if (fd < 0) return absl::InternalError(absl::StrCat("cannot claim media ports: ", strerror(-fd)));
  sockets_.emplace(name, fd);
  if (const auto other = FindOverlap(range, name); other.has_value()) return TakenError(range, *other);
  return absl::OkStatus();
}

absl::Status MediaClaims::ClaimInterface(const std::string& interface) {
  const std::string name = kInterfacePrefix + interface;
  const int fd = BindName(name);
  if (fd == -EADDRINUSE) {
    return absl::AlreadyExistsError(
        absl::StrCat("another relay has ", interface, " for AF_XDP; only one can, others may use af_packet"));
  }
  if (fd < 0) return absl::InternalError(absl::StrCat("cannot claim ", interface, ": ", strerror(-fd)));
  sockets_.emplace(name, fd);
  return absl::OkStatus();
}

}  // namespace sluice::io
