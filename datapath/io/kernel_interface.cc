#include "datapath/io/kernel_interface.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace sluice::io {
namespace {

std::string NamesThereAre() {
  struct if_nameindex* const list = if_nameindex();
  if (list == nullptr) return "none";
  std::vector<std::string> names;
  for (const struct if_nameindex* entry = list; entry->if_index != 0; ++entry) names.push_back(entry->if_name);
  if_freenameindex(list);
  return absl::StrJoin(names, ", ");
}

}  // namespace

absl::StatusOr<KernelInterface> FindKernelInterface(const std::string& name) {
  KernelInterface result;
  result.name = name;
  result.index = if_nametoindex(name.c_str());
  if (result.index == 0) {
    return absl::NotFoundError(absl::StrCat("the kernel has no interface ", name, "; it has ", NamesThereAre()));
  }
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return absl::InternalError(absl::StrCat("cannot ask about ", name, ": ", strerror(errno)));
  const absl::Cleanup close_fd = [fd] { close(fd); };

  ifreq request = {};
  strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
  if (ioctl(fd, SIOCGIFFLAGS, &request) == 0) result.up = (request.ifr_flags & IFF_UP) != 0;
  ethtool_channels channels = {};
  channels.cmd = ETHTOOL_GCHANNELS;
  request.ifr_data = reinterpret_cast<char*>(&channels);
  if (ioctl(fd, SIOCETHTOOL, &request) == 0) {
    // Drivers without combined channels have receive channels of their own (veth has both forms by version).
    result.channels = std::max({channels.combined_count, channels.rx_count, 1u});
  }
  return result;
}

absl::StatusOr<KernelInterface> FindVlanInterface(const KernelInterface& interface, uint16_t vlan,
                                                  const std::string& file) {
  // Two lines of headings, then "eth0.100 | 100 | eth0".
  std::ifstream list(file);
  std::string line;
  while (std::getline(list, line)) {
    std::vector<std::string> columns = absl::StrSplit(line, '|');
    for (std::string& column : columns) absl::StripAsciiWhitespace(&column);
    uint32_t id = 0;
    if (columns.size() == 3 && columns[2] == interface.name && absl::SimpleAtoi(columns[1], &id) && id == vlan) {
      return FindKernelInterface(columns[0]);
    }
  }
  return absl::NotFoundError(absl::StrCat("vlan: the kernel has no interface for VLAN ", vlan, " on ", interface.name,
                                          "; run `ip link add link ", interface.name, " name ", interface.name, ".",
                                          vlan, " type vlan id ", vlan, "` or set static_next_hop"));
}

}  // namespace sluice::io
