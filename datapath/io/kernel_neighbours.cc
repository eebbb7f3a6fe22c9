#include "datapath/io/kernel_neighbours.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>

#include <cstring>
#include <utility>

#include "datapath/io/netlink_address.h"

namespace sluice::io {
namespace {

// States in which the kernel itself would send to the address.
constexpr uint16_t kUsable = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP;

}  // namespace

absl::StatusOr<KernelNeighbours> KernelNeighbours::Open(std::set<unsigned> interfaces) {
  auto socket = NetlinkSocket::Open();
  if (!socket.ok()) return socket.status();
  return KernelNeighbours(*std::move(socket), std::move(interfaces));
}

absl::Status KernelNeighbours::Read() {
  neighbours_.clear();
  const NetlinkMessage request = MakeNetlinkMessage(RTM_GETNEIGH, NLM_F_DUMP, ndmsg());
  return socket_.Request(request.get(), [this](nlmsghdr* message) { Take(message); });
}

std::optional<NeighbourKey> KernelNeighbours::Take(nlmsghdr* message) {
  if (message->nlmsg_type != RTM_NEWNEIGH && message->nlmsg_type != RTM_DELNEIGH) return std::nullopt;
  nlattr* attributes[NDA_MAX + 1] = {};
  if (nlmsg_parse(message, sizeof(ndmsg), attributes, NDA_MAX, nullptr) != 0) return std::nullopt;
  const auto* header = static_cast<const ndmsg*>(nlmsg_data(message));
  const nlattr* destination = attributes[NDA_DST];
  const unsigned interface = static_cast<unsigned>(header->ndm_ifindex);
  if (destination == nullptr || !interfaces_.contains(interface)) return std::nullopt;
  const auto address =
      ReadAddress(header->ndm_family, nla_data(destination), static_cast<size_t>(nla_len(destination)));
  if (!address.has_value()) return std::nullopt;

  const NeighbourKey key = {interface, *address};
  const nlattr* link = attributes[NDA_LLADDR];
  Neighbour neighbour;
  if (message->nlmsg_type == RTM_DELNEIGH || (header->ndm_state & kUsable) == 0 || link == nullptr ||
      nla_len(link) != static_cast<int>(sizeof(neighbour.mac_address))) {
    neighbours_.erase(key);
    return key;
  }
  std::memcpy(neighbour.mac_address.bytes.data(), nla_data(link), sizeof(neighbour.mac_address));
  neighbour.is_stale = (header->ndm_state & NUD_STALE) != 0;
  neighbours_[key] = neighbour;
  return key;
}

std::optional<Neighbour> KernelNeighbours::Find(const NeighbourKey& key) const {
  const auto found = neighbours_.find(key);
  if (found == neighbours_.end()) return std::nullopt;
  return found->second;
}

absl::Status KernelNeighbours::Probe(const NeighbourKey& key) {
  ndmsg header = {};
  header.ndm_family = FamilyOf(key.address);
  header.ndm_ifindex = static_cast<int>(key.interface);
  header.ndm_flags = NTF_USE;
  const NetlinkMessage request = MakeNetlinkMessage(RTM_NEWNEIGH, NLM_F_CREATE, header);
  PutAddress(request.get(), NDA_DST, key.address);
  return socket_.Request(request.get(), [](nlmsghdr*) {});
}

}  // namespace sluice::io
