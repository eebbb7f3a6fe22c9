#include "datapath/io/kernel_routes.h"

#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <sys/socket.h>

#include <utility>

#include "datapath/io/netlink_address.h"

namespace sluice::io {

struct KernelRoutes::Answer {
  uint8_t type = RTN_UNSPEC;
  unsigned interface = 0;
  std::optional<packet::IpAddress> gateway;
  bool has_several_next_hops = false;
};

namespace {

// The gateway of RTA_VIA: of another family than the route (RFC 5549).
std::optional<packet::IpAddress> ReadVia(const nlattr* attribute) {
  const auto* via = static_cast<const rtvia*>(nla_data(attribute));
  if (nla_len(attribute) < static_cast<int>(sizeof(*via))) return std::nullopt;
  return ReadAddress(via->rtvia_family, via->rtvia_addr, nla_len(attribute) - sizeof(*via));
}

}  // namespace

absl::StatusOr<KernelRoutes> KernelRoutes::Open() {
  auto socket = NetlinkSocket::Open();
  if (!socket.ok()) return socket.status();
  return KernelRoutes(*std::move(socket));
}

std::optional<KernelRoute> KernelRoutes::Find(const packet::IpAddress& destination, unsigned interface) {
  // Asked for the way out of an interface that no route leads to, the IPv4 stack supposes that the destination is on
  // the link. Asked for the entry of its table that matches, it tells the truth. That entry has all next hops of the
  // route, so which one is taken is asked again.
  std::optional<Answer> answer = Ask(destination, interface, true);
  if (answer.has_value() && answer->has_several_next_hops) answer = Ask(destination, interface, false);
  if (!answer.has_value() || answer->type != RTN_UNICAST || answer->interface == 0) return std::nullopt;
  return KernelRoute{answer->interface, answer->gateway.value_or(destination)};
}

std::optional<KernelRoutes::Answer> KernelRoutes::Ask(const packet::IpAddress& destination, unsigned interface,
                                                      bool match_table) {
  rtmsg header = {};
  header.rtm_family = FamilyOf(destination);
  header.rtm_dst_len = destination.is_v4() ? 32 : 128;
  if (match_table) header.rtm_flags = RTM_F_FIB_MATCH;
  const NetlinkMessage request = MakeNetlinkMessage(RTM_GETROUTE, 0, header);
  PutAddress(request.get(), RTA_DST, destination);
  if (interface != 0) nla_put_u32(request.get(), RTA_OIF, interface);

  std::optional<Answer> answer;
  const absl::Status status = socket_.Request(request.get(), [&answer](nlmsghdr* message) {
    if (message->nlmsg_type != RTM_NEWROUTE) return;
    nlattr* attributes[RTA_MAX + 1] = {};
    if (nlmsg_parse(message, sizeof(rtmsg), attributes, RTA_MAX, nullptr) != 0) return;
    const auto* route = static_cast<const rtmsg*>(nlmsg_data(message));
    Answer& found = answer.emplace();
    found.type = route->rtm_type;
    found.has_several_next_hops = attributes[RTA_MULTIPATH] != nullptr;
    if (attributes[RTA_OIF] != nullptr) found.interface = nla_get_u32(attributes[RTA_OIF]);
    if (const nlattr* gateway = attributes[RTA_GATEWAY]; gateway != nullptr) {
      found.gateway = ReadAddress(route->rtm_family, nla_data(gateway), static_cast<size_t>(nla_len(gateway)));
    } else if (attributes[RTA_VIA] != nullptr) {
      found.gateway = ReadVia(attributes[RTA_VIA]);
    }
  });
  // Errors are how the kernel says that there is no route.
  return status.ok() ? answer : std::nullopt;
}

}  // namespace sluice::io
